# Time over size, and how far the worst answer is from the best known bound: our solvers and others.
# Data: `make bench-allocation` writes plots/allocation.dat (blocks of a solver: kind, quantizers, ms, gap).
set terminal svg size 1000,760 font "sans,12" background "white"
set output "plots/allocation.svg"
solvers = "relax_greedy lagrangian exact numpy_bisection cvxpy_greedy highs scipy_milp ortools_cpsat"
kinds = "'convex, equal weights' 'convex, parameter weights' 'tables, equal weights' 'tables, parameter weights'"
set multiplot layout 2,2
set logscale xy
set format y "10^{%L}"
set xlabel "quantizers"
set key outside right top
array shown[2] = [1, 3]
do for [i = 1:2] {
  kind = shown[i]
  set title word(kinds, kind + 1)." : time"
  set ylabel "ms"
  plot for [s = 0:7] "plots/allocation.dat" index s using ($1 == kind ? $2 : NaN):3 with linespoints \
    lw (s < 3 ? 2.5 : 1) dt (s < 3 ? 1 : 2) pt 7 ps 0.5 lc s + 1 title word(solvers, s + 1) noenhanced
  set title word(kinds, kind + 1)." : largest gap to the best bound"
  set ylabel "relative gap (1e-16: none)"
  plot for [s = 0:7] "plots/allocation.dat" index s using ($1 == kind ? $2 : NaN):($4 < 1e-16 ? 1e-16 : $4) \
    with linespoints lw (s < 3 ? 2.5 : 1) dt (s < 3 ? 1 : 2) pt 7 ps 0.5 lc s + 1 title word(solvers, s + 1) noenhanced
}
unset multiplot
