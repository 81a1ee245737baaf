"""Our solvers beside others on the same instances, in one run: `make bench-allocation`.

Every solver is a process of its own; for each instance all take turns. A time is that of the call with the instance in
memory, the median of up to five calls within 0.2 s, after a warm-up. Cost and load of every answer are recomputed here.
Writes results/bench/allocation_peers.json, which allocation.vl.json draws. Ends with status 1 if
`exact` is worse than any peer on any instance, or any of our answers exceeds its budget.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "peers"))
from instance import Instance  # noqa: E402

OURS = ["relax_greedy", "exact"]
PEERS = ["numpy_bisection", "cvxpy_greedy", "highs", "scipy_milp", "ortools_cpsat"]
KINDS = 4
SAME = 1e-12  # relative difference of cost that counts as none


class Service:
    """A program that answers one JSON object per line with another."""

    def __init__(self, command):
        environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.process.args} ended while asked for {request}")
        return json.loads(line)


def judge(instance, answer):
    """Cost of the answer, rounded once; None if there is none or it exceeds the budget."""
    if answer["bits"] is None:
        return None
    place = {int(bits): j for j, bits in enumerate(instance.bits)}
    choice = [place[bits] for bits in answer["bits"]]
    load = sum(int(weight) * bits for weight, bits in zip(instance.weights, answer["bits"]))
    return None if load > instance.capacity else math.fsum(instance.costs[q, j] for q, j in enumerate(choice))


def quartiles(values):
    if len(values) < 2:
        return values[0], 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, high - low


def compare(services, service, folder, quantizers, kind, count, limit, failures):
    """Per solver: lists of seconds, CPU seconds and gaps to the best known bound (None: budget exceeded, no answer)."""
    results = {name: {"seconds": [], "cpu": [], "gap": []} for name in services}
    name_of_kind = ""
    for index in range(count):
        file = f"{folder}/{quantizers}-{kind}-{index}.csv"
        exported = service.ask(export=file, kind=kind, quantizers=quantizers, index=index)
        name_of_kind = exported["kind"]
        instance = Instance(file, exported["budget"])
        answers = {name: ask.ask(file=file, budget=exported["budget"], solver=name, time_limit=limit)
                   for name, ask in services.items()}
        costs = {name: judge(instance, answer) for name, answer in answers.items()}
        bound = max(answers[name]["bound"] for name in OURS)
        for name in services:
            results[name]["seconds"].append(answers[name]["seconds"])
            results[name]["cpu"].append(answers[name]["cpu"])
            cost = costs[name]
            results[name]["gap"].append(None if cost is None else max(0.0, (cost - bound) / cost))
            where = f"{name}, {name_of_kind}, {quantizers} quantizers, instance {index}"
            if name in OURS and cost is None:
                failures.append(f"{where}: the budget is exceeded")
            elif name in PEERS and cost is not None and costs["exact"] > cost * (1 + SAME):
                failures.append(f"{where}: cost {cost!r} is below exact's {costs['exact']!r}")
        os.unlink(file)
    return name_of_kind, results


def rows_of(case, results, count):
    for name, result in results.items():
        reference = "" if name == "exact" else "exact"
        ratios = [a / b for a, b in zip(result["seconds"], results["exact"]["seconds"])]
        for what, key in (("", "seconds"), (", CPU", "cpu")):
            median, spread = quartiles([1000 * value for value in result[key]])
            yield {"name": name + what, "case": case, "value": median, "unit": "ms", "reference": reference or None,
                   "ratio": quartiles(ratios)[0] if reference and not what else None, "rounds": count,
                   "spread": spread}
        gaps = [gap for gap in result["gap"] if gap is not None]
        if gaps:
            median, spread = quartiles(gaps)
            yield {"name": name + ", gap", "case": case, "value": median, "unit": "relative", "reference": "best bound",
                   "ratio": None, "rounds": len(gaps), "spread": spread}
            yield {"name": name + ", largest gap", "case": case, "value": max(gaps), "unit": "relative",
                   "reference": "best bound", "ratio": None, "rounds": len(gaps), "spread": 0}
        if len(gaps) < count:
            yield {"name": name + ", budget exceeded or no answer", "case": case, "value": count - len(gaps),
                   "unit": "instances", "reference": None, "ratio": None, "rounds": count, "spread": 0}


def show(case, results):
    print(f"\n{case}")
    print(f"  {'solver':16}{'median ms':>12}{'IQR':>10}{'CPU ms':>12}{'/ exact':>10}{'gap':>10}{'largest':>10}  missed")
    for name, result in results.items():
        median, spread = quartiles([1000 * value for value in result["seconds"]])
        cpu, _ = quartiles([1000 * value for value in result["cpu"]])
        ratio, _ = quartiles([a / b for a, b in zip(result["seconds"], results["exact"]["seconds"])])
        gaps = [gap for gap in result["gap"] if gap is not None]
        gap = f"{quartiles(gaps)[0]:10.2g}{max(gaps):10.2g}" if gaps else " " * 20
        print(f"  {name:16}{median:12.4g}{spread:10.2g}{cpu:12.4g}{ratio:10.3g}{gap}  {result['gap'].count(None) or ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--service", required=True, help="the program allocation_service")
    parser.add_argument("--sizes", default="53:10,500:4,5000:1", help="quantizers:instances of each kind")
    parser.add_argument("--time-limit", type=float, default=10, help="seconds a solver may take for one instance")
    arguments = parser.parse_args()
    sizes = [tuple(int(part) for part in size.split(":")) for size in arguments.sizes.split(",")]

    service = Service([arguments.service])
    services = {name: Service([arguments.service]) for name in OURS}
    services |= {name: Service([sys.executable, HERE / "peers/serve.py", name]) for name in PEERS}
    rows, failures = [], []
    with tempfile.TemporaryDirectory() as folder:
        compare(services, service, folder, 10, 1, 1, 1, [])  # warms up
        for quantizers, count in sizes:
            for kind in range(KINDS):
                name, results = compare(services, service, folder, quantizers, kind, count, arguments.time_limit, failures)
                case = f"{quantizers} quantizers, {name}"
                show(case, results)
                rows += rows_of(case, results, count)

    os.makedirs("results/bench", exist_ok=True)
    pathlib.Path("results/bench/allocation_peers.json").write_text(json.dumps(rows, indent=2) + "\n")
    print("\nwrote results/bench/allocation_peers.json")
    for failure in failures:
        print("FAILED", failure)
    print(f"{len(failures)} failures: exact is never worse than a peer, and our budgets are kept" if not failures
          else f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
