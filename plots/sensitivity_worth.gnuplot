# How well each metric orders allocations of equal average bits: Spearman's correlation of its prediction with the measured
# loss, and its 95% bootstrap interval. Data: `make sensitivity-worth` writes plots/sensitivity_worth.dat (a block a network
# and setting: number, metric, correlation, low, high).
set terminal svg size 1000,620 font "sans,12" noenhanced background "white"
set output "plots/sensitivity_worth.svg"
data = "plots/sensitivity_worth.dat"
blocks = int(system("grep -c '^\"' ".data))
set multiplot layout (blocks + 2) / 3, 3
set xrange [-1:1]
rows = int(system("awk 'NF == 0 && n {exit} /^[0-9]/ {n++} END {print n}' ".data))
set yrange [rows - 0.3:-0.7]
set xtics 0.5
set border 3
set tics nomirror
set grid xtics lc rgb "#dddddd"
set arrow 1 from 0, graph 0 to 0, graph 1 nohead lc rgb "#888888"
set xlabel "Spearman's correlation"
do for [b = 0:blocks - 1] {
  set title system(sprintf("awk -F'\"' '/^\"/ { if (n++ == %d) print $2 }' %s", b, data))
  plot data index b using 3:1:4:5:ytic(2) with xerrorbars pt 7 ps 0.6 lw 1.5 lc rgb "#0072B2" notitle
}
unset multiplot
