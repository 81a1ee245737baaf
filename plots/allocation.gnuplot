# Time over size, and how far the worst answer is from the best known bound: our solvers (solid) and others (dashed).
# Data: `make bench-allocation` writes plots/allocation.dat (blocks of a solver: kind, quantizers, ms, gap).
set terminal svg size 1000,820 font "sans,13" background "white"
set output "plots/allocation.svg"
solvers = "relax_greedy exact numpy_bisection cvxpy_greedy highs scipy_milp ortools_cpsat"
kinds = "'convex, equal weights' 'convex costs, parameter counts' 'tables, equal weights' 'arbitrary tables, parameter counts'"
colors = "0xd55e00 0x009e73 0x555555 0xcc79a7 0x999933 0x56b4e9 0xe69f00"
array dash[7] = [1, 1, 2, 2, 2, 2, 2]
array width[7] = [2.5, 2.5, 1, 1, 1, 1, 1]
array mark[7] = [7, 9, 6, 4, 8, 10, 12]
array shown[2] = [1, 3]
none = 1e-17
set multiplot
set logscale xy
set xrange [40:7000]
set xtics (53, 500, 5000)
set grid ytics lc rgb "0xdddddd"
set border 3
set tics nomirror
unset mytics
set xlabel "Quantizers"
do for [i = 1:2] {
  kind = shown[i]
  set size 0.5, 0.46
  set origin 0, 0.54 - 0.46 * (i - 1)
  set title word(kinds, kind + 1).": time"
  set key off
  set ylabel "Time, median [ms]"
  set format y "%g"
  set yrange [0.005:20000]
  set ytics auto
  plot for [s = 1:7] "plots/allocation.dat" index s - 1 using ($1 == kind ? $2 : NaN):3 with linespoints \
    lw width[s] dt dash[s] pt mark[s] ps 0.7 lc rgb word(colors, s)
  set origin 0.5, 0.54 - 0.46 * (i - 1)
  set title word(kinds, kind + 1).": quality"
  set ylabel "Largest gap to the best bound"
  set format y "10^{%L}"
  set yrange [none / 2:0.1]
  set ytics auto
  set ytics add ("none" none)
  if (i == 2) { set key at screen 0.5, 0.03 center maxrows 2 samplen 2.5 noenhanced }
  plot for [s = 1:7] "plots/allocation.dat" index s - 1 using ($1 == kind ? $2 : NaN):($4 < 2e-16 ? none : $4) \
    with linespoints lw width[s] dt dash[s] pt mark[s] ps 0.7 lc rgb word(colors, s) title word(solvers, s)
}
unset multiplot
