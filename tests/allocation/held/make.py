"""Makes the held set: random tables with integer costs, solved to proven optimality by OR-Tools CP-SAT, in integers.

.venv-peers/bin/python tests/allocation/held/make.py writes *.csv and optima.csv beside itself.
"""
import pathlib
import random

from ortools.sat.python import cp_model

HERE = pathlib.Path(__file__).resolve().parent
BITS = [2, 3, 4, 6, 8]


def make_table(rng, size, weights, costs):
    rows = []
    for q in range(size):
        weight = 1 if weights == "equal" else int(10 ** rng.uniform(0, 5))
        scale = 10 ** rng.uniform(3, 8)
        for bits in BITS:
            shape = 1 / (2**bits - 1) ** 2 if costs == "convex" else rng.random() / (2**bits - 1)
            rows.append((f"q{q}", "WA"[q % 2], weight, bits, round(scale * shape)))
    return rows


def optimum(rows, budgets):
    model = cp_model.CpModel()
    taken = [model.new_bool_var("") for _ in rows]
    for name in {row[0] for row in rows}:
        model.add_exactly_one(x for x, row in zip(taken, rows) if row[0] == name)
    for group, hundredths in budgets.items():
        inside = [group in ("all", row[1]) for row in rows]
        total = sum(row[2] for row, is_in in zip(rows, inside) if is_in and row[3] == BITS[0])
        model.add(sum(row[2] * row[3] * x for x, row, is_in in zip(taken, rows, inside) if is_in)
                  <= hundredths * total // 100)
    model.minimize(sum(row[4] * x for x, row in zip(taken, rows)))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = 60
    return int(solver.objective_value) if solver.solve(model) == cp_model.OPTIMAL else None


def main():
    rng = random.Random(4)
    lines = ["file,budgets,optimum"]
    for size in (8, 20, 40):
        for weights in ("equal", "decades"):
            for costs in ("convex", "tables"):
                rows = make_table(rng, size, weights, costs)
                file = f"{size}_{weights}_{costs}.csv"
                (HERE / file).write_text("quantizer,group,weight,bits,cost\n" + "".join(
                    ",".join(map(str, row)) + "\n" for row in rows))
                for groups in (["all"], ["W", "A"], ["W", "all"]):
                    budgets = {group: rng.randrange(230, 600) for group in groups}
                    if "all" in budgets and "W" in budgets:
                        budgets["all"] = max(230, budgets["W"] - 50)
                    best = optimum(rows, budgets)
                    if best is not None:
                        words = " ".join(f"{group}={value / 100:g}" for group, value in budgets.items())
                        lines.append(f"{file},{words},{best}")
    (HERE / "optima.csv").write_text("\n".join(lines) + "\n")


main()
