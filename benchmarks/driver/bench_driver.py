#!/usr/bin/env python3
"""What the driver costs a sweep of jobs without work, on this machine, beside Hydra, Optuna and submitit.

    bench_driver.py [--build build] [--jobs 10000] [--peers PYTHON]

A worker without tensors trains nothing, so that the times are the driver's. With --peers, a Python that has hydra-core, optuna and
submitit runs functions that do nothing; those are far slower, so they get fewer jobs. Times are wall times, memory is the driver's
peak. Writes results/bench/driver.json.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWEEP = """qbitopt: 1
name: many
set: {{model: resnet8, data.name: synthetic, pretraining.steps: 10}}
seeds: {jobs}
cases: {{fp32: {{set: {{method: fp32}}}}}}
"""
# Each prints milliseconds per job; argument: number of jobs.
PEERS = {
    "Hydra, basic launcher": (30, """
import sys, time
import hydra
jobs = int(sys.argv.pop())
open("config.yaml", "w").write("seed: 0\\n")
@hydra.main(version_base=None, config_path=".", config_name="config")
def nothing(config):
    pass
sys.argv += ["--multirun", "seed=range(%d)" % jobs]
begun = time.perf_counter()
nothing()
print(1e3 * (time.perf_counter() - begun) / jobs)
"""),
    "Optuna, GridSampler on SQLite": (200, """
import sys, time
import optuna
jobs = int(sys.argv[1])
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(storage="sqlite:///optuna.db", sampler=optuna.samplers.GridSampler({"seed": list(range(jobs))}))
begun = time.perf_counter()
study.optimize(lambda trial: trial.suggest_int("seed", 0, jobs))
print(1e3 * (time.perf_counter() - begun) / jobs)
"""),
    "submitit, local executor, 2 at a time": (10, """
import sys, time
import submitit
def nothing():
    pass
if __name__ == "__main__":
    jobs = int(sys.argv[1])
    executor = submitit.LocalExecutor(folder="submitit")
    begun = time.perf_counter()
    for _ in range(jobs // 2):
        for handle in [executor.submit(nothing) for _ in range(2)]:
            handle.result()
    print(1e3 * (time.perf_counter() - begun) / jobs)
"""),
}


class Bench:
    def __init__(self, folder, build):
        self.folder, self.qbitopt = folder, build / "bin/qbitopt"
        self.env = dict(os.environ, QBITOPT_WORKER=str(build / "bin/fake_worker"), FAKE_WORKER='[{"steps": 1}]')

    def run(self, *arguments, **environment):
        """Wall seconds, processor seconds without those of workers that it waited for, peak megabytes."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        process = subprocess.Popen([self.qbitopt, *arguments], cwd=self.folder, env=dict(self.env, **environment),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        peak = 0
        while process.poll() is None:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = int((re.search(r"VmHWM:\s+(\d+)", status) or [0, peak])[1])
            except OSError:
                pass
            time.sleep(0.005)
        seconds = time.perf_counter() - begun
        if process.returncode != 0:
            sys.exit(f"qbitopt {' '.join(map(str, arguments))} ended with {process.returncode}: {process.stderr.read()[-2000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, processor, peak / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--events", type=int, default=400_000, help="of the backlog")
    parser.add_argument("--peers", help="a Python that has them")
    arguments = parser.parse_args()
    rows = []

    def row(case, value, unit, reference=None):
        rows.append({"name": "driver", "case": case, "value": value, "unit": unit, "reference": reference,
                     "ratio": reference / value if reference else None})
        print(f"{case:55} {value:10.3f} {unit}" + (f"  ({reference / value:.0f} times less)" if reference else ""), flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        peers = {}
        for peer, (jobs, script) in PEERS.items() if arguments.peers else ():
            (folder / "peer.py").write_text(script)
            output = subprocess.run([arguments.peers, "peer.py", str(jobs)], cwd=folder, check=True, capture_output=True, text=True)
            peers[peer] = float(output.stdout.splitlines()[-1])
        bench = Bench(folder, arguments.build.resolve())
        jobs = arguments.jobs
        (folder / "many.yaml").write_text(SWEEP.format(jobs=jobs))
        seconds, processor, memory = bench.run("run", "many.yaml", "-q", "-j", "2")
        row(f"a job of no work, {jobs} jobs, 2 workers", 1e3 * seconds / jobs, "ms")
        row("the same, processor time with its worker", 1e3 * processor / jobs, "ms")
        row("the same, memory", memory, "MB")
        for peer, milliseconds in peers.items():
            row(f"a job of no work, {peer}", milliseconds, "ms")
        # Medians of 3.
        for case, command in (("resume, all cached", ["run", "many.yaml", "-q"]), ("table of one configuration", ["table", "many"]),
                              ("report", ["report", "-o", "report.html"])):
            measured = sorted(bench.run(*command) for _ in range(3))[1]
            row(f"{case}, {jobs} jobs", measured[0], "s")
        plan = ROOT / "benchmarks/sweep/large_plan.yaml"
        measured = sorted(bench.run("plan", plan) for _ in range(3))[1]
        row("plan of 101,000 jobs", measured[0], "s")
        row("the same, memory", measured[2], "MB")
        # A worker that reports as fast as it can: two events a step, one of them a point of a curve.
        steps = arguments.events // 2
        (folder / "one.yaml").write_text(SWEEP.format(jobs=1))
        seconds, _, memory = bench.run("run", "one.yaml", "-q", "--db", "one.db", FAKE_WORKER=json.dumps([{"steps": steps}]))
        row(f"{arguments.events} events of one job, worker included", arguments.events / seconds, "events/s")
        row("the same, memory", memory, "MB")
    results = ROOT / "results/bench"
    results.mkdir(parents=True, exist_ok=True)
    (results / "driver.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
