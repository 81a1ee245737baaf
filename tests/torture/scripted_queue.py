"""A queue of Slurm that misbehaves: scripts in the PATH of a driver, and the faults that a round of torture.py does to them."""
import os
import pathlib
import signal
import subprocess
import time

FAKE = pathlib.Path(__file__).resolve().parents[1] / "schedule/executors/fake_slurm.sh"
OPTIONS = ["--executor", "slurm"] + [word for option in ("poll=0.2", "collect=0.1", "grace=1", "patience=1")
                                     for word in ("--queue", option)]
AWAY = 'echo "Unable to contact slurm controller (connect failure)" >&2; exit 1'
# What a command does before it does its work, or instead. `submit` and `id` are those of the script.
MOODS = {
    "sbatch": [AWAY, "sleep 3; exit 1",
               'submit "$2"; sleep 3', 'submit "$2"; echo "Socket timed out on send/recv operation" >&2; exit 1',
               'submit "$2"; echo "Submitted, perhaps"; exit 0', 'submit "$2"; kill -9 $$',
               'echo "QOSMaxSubmitJobPerUserLimit" >&2; exit 1', "sleep 0.5"],
    "squeue": [AWAY, "sleep 3; exit 1", 'echo "slurm_load_jobs error"; exit 0', 'echo "101_0|RUNN"; exit 0', "exit 0", "sleep 0.5"],
    "scancel": [AWAY, "sleep 3; exit 1", "sleep 0.5"],
    "scontrol": [AWAY, "sleep 3; exit 1"],
}


class ScriptedQueue:
    def __init__(self, folder, rng):
        self.folder, self.random = folder, rng
        self.state = folder / "slurm"
        (folder / "bin").mkdir()
        self.state.mkdir()
        for name in ("sbatch", "squeue", "scancel", "scontrol", "sacct"):
            (folder / "bin" / name).symlink_to(FAKE)
        self.environment = {"FAKE_SLURM": str(self.state), "FAKE_SLURM_ARRAY": str(rng.choice([2, 5, 1001])),
                            "PATH": f"{folder}/bin:{os.environ['PATH']}"}

    def call(self, name, *arguments):
        subprocess.run([self.folder / "bin" / name, *arguments], env=dict(os.environ, **self.environment),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)

    def jobs(self):
        """Those that run: id -> process group."""
        found = {}
        for file in (self.state / "pids").glob("*"):
            try:
                pid = int(file.read_text())
                os.killpg(pid, 0)
                found[file.name] = pid
            except (ValueError, OSError):
                pass
        return found

    def kill(self, number=signal.SIGKILL, only=None):
        for job, group in self.jobs().items():
            if only in (None, job):
                try:
                    os.killpg(group, number)
                except OSError:
                    pass

    def end(self):
        """All jobs are gone, and the commands do as they should."""
        self.be_good()
        for job in (self.state / "jobs").glob("*"):
            job.unlink(missing_ok=True)
        self.kill()

    def be_good(self):
        for name in [*MOODS, "hold"]:
            (self.state / name).unlink(missing_ok=True)

    # Faults.

    def upset(self):
        """Some of its commands fail, for a while."""
        for name in self.random.sample(sorted(MOODS), self.random.randrange(1, 4)):
            (self.state / name).write_text(self.random.choice(MOODS[name]) + "\n")
        time.sleep(self.random.uniform(0.2, 2.5))
        self.be_good()

    def hold(self):
        (self.state / "hold").touch()
        time.sleep(self.random.uniform(0.2, 2))
        (self.state / "hold").unlink(missing_ok=True)

    def lose_a_node(self):
        """A job is gone, with everything that it had started."""
        for job in self.one_job():
            (self.state / "jobs" / job).unlink(missing_ok=True)
            self.kill(only=job)

    def forget_a_job(self):
        """It is not in the queue any more, and goes on."""
        for job in self.one_job():
            (self.state / "jobs" / job).unlink(missing_ok=True)

    def requeue_a_job(self):
        """Begins it once more, whether it is there or not."""
        for job in self.one_job():
            (self.state / "jobs" / job).write_text("PENDING\n")

    def cancel_a_job(self):
        for job in self.one_job():
            self.call("scancel", job)

    def end_the_time_of_a_job(self):
        for job in self.one_job():
            self.call("scancel", "--batch", "--signal=USR1", job)
            time.sleep(self.random.uniform(0, 0.5))
            self.call("scancel", job)

    def one_job(self):
        jobs = sorted(self.jobs())
        return self.random.sample(jobs, min(1, len(jobs)))
