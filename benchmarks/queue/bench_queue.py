"""What thousands of jobs in a Slurm queue cost the driver: its own time per job, calls of squeue, memory.

Starts a Slurm of one node for itself (needs slurm-wlm, munge and root). Three cases of `qbitopt run --executor slurm`:

    submit  N jobs, each its own task of an array, held in the queue: `run --detach`
    poll    a second driver attaches to them and asks about them for a while
    run     N jobs of no work, packed into tasks, from `run` to its table

and, with --submitit, the same N held jobs by submitit's map_array, and passes of `done()` over them. Times are processor time of
the process itself, without sbatch, squeue and the jobs. Writes results/bench/queue.json.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SLURM = ROOT / "tests/end_to_end/one_node_slurm.sh"
TICKS = os.sysconf("SC_CLK_TCK")
SWEEP = """qbitopt: 1
name: many
set: {{model: resnet8, data.name: synthetic, pretraining.steps: 10}}
seeds: {jobs}
cases: {{fp32: {{set: {{method: fp32}}}}}}
"""
PEER = """
import json, resource, sys, time
import submitit

def nothing():
    pass

folder, jobs, passes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
executor = submitit.SlurmExecutor(folder=folder)
executor.update_parameters(time=60, array_parallelism=jobs, additional_parameters={"hold": True})
begun = time.process_time()
handles = []
for first in range(0, jobs, 1000):  # it does not split arrays
    with executor.batch():
        handles += [executor.submit(nothing) for _ in range(min(1000, jobs - first))]
submitted = time.process_time()
for _ in range(passes):
    sum(job.done() for job in handles)
polled = time.process_time()
print(json.dumps({"submit": submitted - begun, "pass": (polled - submitted) / passes,
                  "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def usage(pid):
    """Processor seconds and peak megabytes of a process that runs; None once it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS, int(peak.split()[1]) / 1024


class Bench:
    def __init__(self, folder, jobs, build):
        self.folder, self.jobs, self.build = folder, jobs, build
        self.calls = folder / "calls"
        self.env = dict(os.environ, QBITOPT_WORKER=str(build / "bin/fake_worker"), FAKE_WORKER='[{"steps": 1}]',
                        SLURM_CONF=str(folder / "slurm/slurm.conf"), PATH=f"{folder}/bin:{os.environ['PATH']}")
        (folder / "many.yaml").write_text(SWEEP.format(jobs=jobs))
        (folder / "few.yaml").write_text(SWEEP.format(jobs=20))
        (folder / "bin").mkdir()
        for name in ("sbatch", "squeue", "sacct", "scontrol"):  # counted
            shim = folder / "bin" / name
            shim.write_text(f'#!/bin/sh\necho {name} >>"{self.calls}"\nexec /usr/bin/{name} "$@"\n')
            shim.chmod(0o755)

    def count(self, name):
        return self.calls.read_text().split().count(name) if self.calls.exists() else 0

    def watch(self, command, seconds=None, env=None):
        """Runs a command, for at most `seconds`: its usage, wall time and calls of Slurm's commands."""
        self.calls.unlink(missing_ok=True)
        begun, last = time.monotonic(), (0.0, 0.0)
        with open(self.folder / "out", "w") as out:
            process = subprocess.Popen(command, cwd=self.folder, env=env or self.env, stdout=out, stderr=subprocess.STDOUT)
            while process.poll() is None:
                last = usage(process.pid) or last
                if seconds and time.monotonic() - begun > seconds:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    break
                time.sleep(0.02)
        if process.returncode not in (0, -signal.SIGKILL):
            sys.exit(f"{command} ended with {process.returncode}:\n{(self.folder / 'out').read_text()[-2000:]}")
        return {"cpu": last[0], "megabytes": last[1], "wall": time.monotonic() - begun,
                "squeue": self.count("squeue"), "sbatch": self.count("sbatch"), "sacct": self.count("sacct")}

    def qbitopt(self, *options, database, sweep="many.yaml", seconds=None):
        command = [self.build / "bin/qbitopt", "run", sweep, "--executor", "slurm", "--db", database,
                   "--queue", f"max_queued={self.jobs}", "--queue", "collect=0.5", *options]
        return self.watch(list(map(str, command)), seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10000)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--submitit", help="a Python that has submitit")
    parser.add_argument("--cases", nargs="+", default=["submit", "run"], choices=["submit", "run"])
    arguments = parser.parse_args()
    jobs = arguments.jobs
    rows = []

    def row(case, value, unit):
        rows.append({"name": "queue", "case": case, "value": value, "unit": unit})
        print(f"{case:45} {value:10.3f} {unit}", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "slurm").mkdir()
        slurm = dict(os.environ, MAX_ARRAY_SIZE="1001", MAX_JOB_COUNT=str(4 * jobs + 1000))
        subprocess.run([SLURM, "start", folder / "slurm"], check=True, env=slurm)
        try:
            bench = Bench(folder, jobs, arguments.build.resolve())
            if "submit" in arguments.cases:
                hold = ("--queue", "pack=1s", "--queue", "options=--hold")
                submit = bench.qbitopt(*hold, "--detach", database="held.db")
                row("submit: driver, per job", 1e3 * submit["cpu"] / jobs, "ms")
                row("submit: wall", submit["wall"], "s")
                row("submit: sbatch", submit["sbatch"], "calls")
                row("submit: peak memory", submit["megabytes"], "MB")
                attach = bench.qbitopt(*hold, "--detach", database="held.db")
                poll = bench.qbitopt(*hold, "--queue", "poll=1s", database="held.db", seconds=attach["wall"] + 60)
                polls = max(1, poll["squeue"] - attach["squeue"])
                row("attach: driver, per job", 1e3 * attach["cpu"] / jobs, "ms")
                row("poll: driver, per job and answer", 1e3 * (poll["cpu"] - attach["cpu"]) / jobs / polls, "ms")
                row("poll: squeue in 60 s", polls, "calls")
                row("poll: peak memory", poll["megabytes"], "MB")
                subprocess.run(["scancel", "--me"], check=True, env=bench.env)
            if "run" in arguments.cases:
                # What they take is known from a few, as in a sweep that has run for a while: they are packed.
                bench.qbitopt("--queue", "poll=1s", database="run.db", sweep="few.yaml")
                done = bench.qbitopt("--queue", "poll=5s", database="run.db")
                row("run: driver, per job", 1e3 * done["cpu"] / jobs, "ms")
                row("run: wall", done["wall"], "s")
                row("run: squeue", done["squeue"], "calls")
                row("run: sbatch", done["sbatch"], "calls")
                row("run: peak memory", done["megabytes"], "MB")
            if arguments.submitit:
                (folder / "peer.py").write_text(PEER)
                bench.watch([arguments.submitit, "peer.py", str(folder / "submitit"), str(jobs), "2"])
                peer = json.loads((folder / "out").read_text().splitlines()[-1])
                row("submitit submit: per job", 1e3 * peer["submit"] / jobs, "ms")
                row("submitit poll: per job and pass", 1e3 * peer["pass"] / jobs, "ms")
                row("submitit sbatch", bench.count("sbatch"), "calls")
                row("submitit sacct", bench.count("sacct"), "calls")
                row("submitit peak memory", peer["memory"] / 1024, "MB")
        finally:
            subprocess.run([SLURM, "stop", folder / "slurm"], check=False)
    results = ROOT / "results/bench"
    results.mkdir(parents=True, exist_ok=True)
    (results / "queue.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
