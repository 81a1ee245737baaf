#!/usr/bin/env python3
"""Runs a sweep again and again under random faults, and compares its results with those of an undisturbed run.

Each round runs the same sweep (17 jobs of a worker without tensors) while drivers and workers are killed, stopped and
signaled, spools and files are damaged, disks are full, the file is locked and read, jobs are cancelled, and the clock is
wrong. In a third of the rounds, the jobs are in a queue of Slurm (a scripted one), which fails to answer, takes jobs without
saying so, loses and repeats them. Then the sweep is run to its end as a person would, with `retry` where the messages ask for it. Every view and the table
must equal the undisturbed run's in all but times, hosts and numbers of attempts.

    torture.py BUILD_FOLDER/bin [--rounds N] [--minutes M] [--seed S] [--queues SHARE] [--keep]

Round k has the seed S + k: `--seed THAT --rounds 1` repeats it. As root, disks are full and folders read-only, too. With
`faketime` (Debian), some drivers run with another clock.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import scripted_queue

SWEEP = """qbitopt: 1
name: torture
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}
seeds: 4
cases:
  fp32: {set: {method: fp32, seed: 0}}
  fixed: {set: {method: fixed_precision}, grid: {budget.average_bits: [2, 3, 4, 5]}}
run: {retries: {lost: 20, other: 0}}
tables: [torture_table.yaml]
"""
TABLE = """title: "Torture"
split_by: [budget.average_bits]
rows:
  fp32:  {label: full precision, where: {method: fp32}}
  fixed: {label: fixed precision, where: {method: fixed_precision}}
"""
VIEWS = ["runs", "results", "bits", "bits_history", "curves", "allocations", "sensitivities", "pareto", "sweep_runs"]
# Columns that are allowed to differ.
OF_THE_RUN = re.compile(r"seconds|_at$|^attempts?$|host|queue_id|^pid$|microseconds|memory|^ran_on$|^threads$|^compiler$")
# Makes programs believe that their files are on a network file system, so that the database has the journal for that.
NETWORK = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
int statfs(const char* path, struct statfs* info) {
  const int result = (int)syscall(SYS_statfs, path, info);
  info->f_type = 0x6969;  /* NFS */
  return result;
}
int statfs64(const char* path, struct statfs64* info) { return statfs(path, (struct statfs*)info); }
"""
GOOD_ENDS = {0, 3, 4, 5, 130, 143, -signal.SIGKILL}
# Before it listens to signals, or after the sweep, while it prints the tables.
UNHEARD_ENDS = {-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGUSR1}
FAKETIME = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))


class Wrong(Exception):
    pass


class Round:
    def __init__(self, programs, folder, seed, is_root, network=None, queues=0):
        self.programs, self.folder, self.random, self.is_root = programs, folder, random.Random(seed), is_root
        self.environment = dict(os.environ, QBITOPT_WORKER=str(programs / "fake_worker"), TZ="UTC")
        self.words = folder.with_suffix(".words")  # beside the folder, whose disk may be full
        self.words.mkdir()
        self.log = open(self.words / "torture.log", "w")
        self.preload = []
        if network and self.random.random() < 0.25:
            self.preload = [str(network)]
            self.environment["LD_PRELOAD"] = str(network)
        self.queue = None
        if self.random.random() < queues:
            self.queue = scripted_queue.ScriptedQueue(self.words, self.random)
            self.environment.update(self.queue.environment)
        self.driver = None
        self.drivers = 0
        self.stopped = []  # pids
        self.done = collections.Counter()
        (folder / "torture.yaml").write_text(SWEEP)
        (folder / "torture_table.yaml").write_text(TABLE)
        (folder / "results").mkdir()

    # Programs.

    def call(self, *arguments, good=(0,), timeout=60):
        run = subprocess.run([self.programs / "qbitopt", *arguments], cwd=self.folder, env=self.environment, text=True,
                             capture_output=True, timeout=timeout)
        self.note(f"{' '.join(arguments)}: {run.returncode}\n{run.stderr}")
        if "internal" in run.stderr or run.returncode not in good:
            raise Wrong(f"`qbitopt {' '.join(arguments)}` ended with {run.returncode}: {run.stderr.strip()[-2000:]}")
        return run

    def note(self, text):
        self.log.write(f"{time.monotonic():.2f} {text.rstrip()}\n")
        self.log.flush()

    def is_running(self):
        return self.driver is not None and self.driver.poll() is None

    def start(self):
        if self.is_running():
            return
        self.end_driver()
        self.drivers += 1
        self.output = open(self.words / f"driver{self.drivers}.err", "w+")
        command = [str(self.programs / "qbitopt"), "run", "torture.yaml", "-j", str(self.random.choice([1, 2, 3]))]
        if self.queue and self.random.random() < 0.9:  # and now and then a local run takes over
            command += scripted_queue.OPTIONS + ["--queue", f"pack={self.random.choice(['1s', '30m'])}"]
            command += ["--detach"] * (self.random.random() < 0.2)
        clock = {}
        if FAKETIME and self.random.random() < 0.15:
            clock = {"LD_PRELOAD": " ".join([str(FAKETIME[0])] + self.preload), "FAKETIME": self.random.choice(["-2d", "+3d"])}
        acts = ["crash", "exit", "fail"] + ["hang"] * (self.queue is None)
        rules = [{"where": {"seed": self.random.randrange(4), "budget.average_bits": self.random.randrange(2, 6)},
                  "attempt": self.random.randrange(1, 4), "do": self.random.choice(acts), "class": "non_finite"}
                 for _ in range(self.random.randrange(3))]
        environment = dict(self.environment, **clock, FAKE_WORKER=str(rules + [{"step_seconds": 0.02}]).replace("'", '"'))
        self.note(f"driver {self.drivers}: {command} {rules} {clock}")
        self.driver = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL,
                                       stderr=self.output, start_new_session=True)

    def end_driver(self):
        """Takes note of how it ended; kills it if it is still there."""
        if self.driver is None:
            return
        self.go_on()
        if self.driver.poll() is None:
            self.driver.kill()
        code = self.driver.wait()
        self.output.seek(0)
        text = self.output.read()
        self.note(f"driver {self.drivers} ended with {code}")
        self.driver = None
        has_only_waited = text.startswith("warning: waiting for") and text.count("\n") == 1  # for a lock, to begin
        if code in UNHEARD_ENDS and (not text or has_only_waited or " jobs: " in text):
            return
        # What is written while the disk is full is not blamed on the driver.
        if ("internal" in text or code not in GOOD_ENDS) and "No space left" not in text and "disk is full" not in text:
            raise Wrong(f"driver {self.drivers} ended with {code}: {text.strip()[-2000:]}")

    def workers(self):
        name = str(self.programs / "fake_worker").encode()
        pids = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if name in (process / "cmdline").read_bytes() and os.readlink(process / "cwd") == str(self.folder):
                    pids.append(int(process.name))
            except OSError:
                pass
        return pids

    def kill(self, pid, number):
        try:
            os.kill(pid, number)
            self.note(f"signal {number} to {pid}")
        except ProcessLookupError:
            pass

    def go_on(self):
        for pid in self.stopped:
            self.kill(pid, signal.SIGCONT)
        self.stopped = []

    # Faults. Each is a method whose name says what it does.

    def kill_driver(self):
        if self.is_running():
            self.kill(self.driver.pid, signal.SIGKILL)

    def kill_worker(self):
        workers = self.workers()
        if workers:
            self.kill(self.random.choice(workers), signal.SIGKILL)

    def stop_worker_for_a_while(self):
        workers = self.workers()
        if workers:
            pid = self.random.choice(workers)
            self.kill(pid, signal.SIGSTOP)
            self.stopped.append(pid)

    def stop_driver_for_a_while(self):
        if self.is_running():
            self.kill(self.driver.pid, signal.SIGSTOP)
            time.sleep(self.random.uniform(0.05, 0.5))
            self.kill(self.driver.pid, signal.SIGCONT)

    def ask_driver_to_stop(self):
        number = self.random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
        for _ in range(self.random.randrange(1, 4)):
            if self.is_running():
                self.kill(self.driver.pid, number)
                time.sleep(self.random.uniform(0, 0.2))

    def start_a_second_driver(self):
        if self.is_running() and (self.folder / "results/qbitopt.db").exists():
            second = self.call("run", "torture.yaml", good=(0, 3, 5))
            if second.returncode != 5 and self.is_running():
                raise Wrong(f"two drivers at once: {second.stderr}")

    def read_with_eight(self):
        if not (self.folder / "results/qbitopt.db").exists():
            return
        verbs = [["ls"], ["ls", "--sweeps"], ["sql", "SELECT * FROM results"], ["watch", "--once"], ["table", "torture"],
                 ["export", "--format", "csv", "-o", "out"], ["sql", "SELECT count(*) FROM curves"], ["plan", "torture.yaml"]]
        running = [(verb, subprocess.Popen([self.programs / "qbitopt", *verb], cwd=self.folder, env=self.environment,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)) for verb in verbs]
        for verb, process in running:
            text = process.communicate(timeout=60)[1]
            # Before the first sweep is on record, there is nothing to read yet.
            is_early = "empty file" in text or "no such" in text or "nothing to" in text or "unknown table" in text
            if process.returncode != 0 and not is_early:
                raise Wrong(f"reader `qbitopt {' '.join(verb)}` ended with {process.returncode}: {text[-1000:]}")

    def lock_the_file(self):
        file = self.folder / "results/qbitopt.db"
        if not file.exists():
            return
        connection = sqlite3.connect(file, timeout=0.1, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(self.random.uniform(0.1, 2.5))
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass  # the driver was faster
        finally:
            connection.close()

    def write_a_note(self):
        if (self.folder / "results/qbitopt.db").exists():
            self.call("note", "torture", f"at {time.monotonic()}", good=(0, 2, 4))

    def cancel_a_job(self):
        key = self.random_key("state IN ('new', 'running', 'interrupted')")
        if key:
            self.call("cancel", key, good=(0, 2, 4, 5))

    def random_key(self, condition):
        if not (self.folder / "results/qbitopt.db").exists():
            return None
        run = subprocess.run([self.programs / "qbitopt", "sql", "--csv", f"SELECT key FROM runs WHERE {condition}"],
                             cwd=self.folder, env=self.environment, text=True, capture_output=True)
        keys = run.stdout.split()[1:]
        return self.random.choice(keys) if keys else None

    def fill_the_disk(self):
        if not self.is_root:
            return
        filler = self.folder / "results/filler"
        by_inodes = self.random.random() < 0.5
        filler.mkdir(exist_ok=True)
        try:
            if by_inodes:
                for number in range(100_000):
                    (filler / str(number)).touch()
            else:
                with open(filler / "bytes", "wb") as file:
                    while True:
                        file.write(b"\0" * 4096)
                        file.flush()
        except OSError:
            self.note(f"disk full of {'inodes' if by_inodes else 'bytes'}")
        time.sleep(self.random.uniform(0.1, 1))
        shutil.rmtree(filler, ignore_errors=True)

    def without_driver(self):
        """Kills the driver and waits for its workers."""
        self.kill_driver()
        self.end_driver()
        if self.queue:
            self.queue.end()
        deadline = time.monotonic() + 5
        while self.workers() and time.monotonic() < deadline:
            time.sleep(0.02)
        for pid in self.workers():
            self.kill(pid, signal.SIGKILL)

    def spools(self):
        return sorted(self.folder.glob("results/qbitopt.runs/*/*/events.jsonl"))

    def tear_a_spool(self):
        self.without_driver()
        for spool in self.random.sample(self.spools(), min(1, len(self.spools()))):
            lines = spool.read_bytes().splitlines(keepends=True)
            if lines and b'"finished"' not in lines[-1]:
                kept = self.random.randrange(1, max(2, len(lines[-1])))
                spool.write_bytes(b"".join(lines) + lines[-1][:kept])
                self.note(f"tore {spool}")

    def double_lines_of_a_spool(self):
        self.without_driver()
        for spool in self.random.sample(self.spools(), min(1, len(self.spools()))):
            lines = spool.read_bytes().splitlines(keepends=True)
            if lines:
                place = self.random.randrange(len(lines))
                spool.write_bytes(b"".join(lines[:place + 1] + lines[place:]))
                self.note(f"doubled a line of {spool}")

    def write_garbage_into_a_spool(self):
        self.without_driver()
        for spool in self.random.sample(self.spools(), min(1, len(self.spools()))):
            lines = spool.read_bytes().splitlines(keepends=True)
            garbage = self.random.choice([b"\0" * 100 + b"\n", b"{}\n", b"[1, 2\n", bytes(range(128, 200)) + b"\n", b"\n\n"])
            place = self.random.randrange(len(lines) + 1)
            spool.write_bytes(b"".join(lines[:place] + [garbage] + lines[place:]))
            self.note(f"garbage into {spool}")

    def flip_a_bit_of_a_network(self):
        self.without_driver()
        models = sorted(self.folder.glob("results/qbitopt.runs/*/*/model"))
        for model in self.random.sample(models, min(1, len(models))):
            content = bytearray(model.read_bytes())
            if content:  # none where the disk was full
                content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
                model.write_bytes(content)
                self.note(f"flipped a bit of {model}")

    def flip_a_bit_of_a_checkpoint(self):
        self.without_driver()
        checkpoints = sorted(self.folder.glob("results/qbitopt.runs/*/*/checkpoint"))
        for checkpoint in self.random.sample(checkpoints, min(1, len(checkpoints))):
            content = bytearray(checkpoint.read_bytes())
            if content:
                content[self.random.randrange(len(content))] ^= 1 << self.random.randrange(8)
                checkpoint.write_bytes(content)
                self.note(f"flipped a bit of {checkpoint}")

    def make_the_folder_read_only(self):
        """Without a driver: readers go on, and writers say what is wrong."""
        self.without_driver()
        if not self.is_root:
            return
        if subprocess.run(["mount", "-o", "remount,ro", self.folder], stderr=subprocess.DEVNULL).returncode != 0:
            return  # somebody writes still
        try:
            if (self.folder / "results/qbitopt.db").exists():
                self.call("ls", good=(0, 4))
                self.call("table", "torture", good=(0, 2, 4))
            self.call("run", "torture.yaml", good=(2, 4, 5))
        finally:
            subprocess.run(["mount", "-o", "remount,rw", self.folder], check=True)

    def delete_an_attempt(self):
        self.without_driver()
        attempts = [spool.parent for spool in self.spools() if not (spool.parent / "model").exists()]
        for attempt in self.random.sample(attempts, min(1, len(attempts))):
            shutil.rmtree(attempt)
            self.note(f"deleted {attempt}")

    def collect_garbage(self):
        self.without_driver()
        if (self.folder / "results/qbitopt.db").exists():
            self.call("gc", "--delete", good=(0, 2, 4))

    # A round.

    def disturb(self):
        faults = [self.kill_driver, self.kill_worker, self.stop_worker_for_a_while, self.stop_driver_for_a_while,
                  self.ask_driver_to_stop, self.start_a_second_driver, self.read_with_eight, self.lock_the_file,
                  self.write_a_note, self.cancel_a_job, self.fill_the_disk, self.tear_a_spool,
                  self.double_lines_of_a_spool, self.write_garbage_into_a_spool, self.flip_a_bit_of_a_network,
                  self.flip_a_bit_of_a_checkpoint, self.make_the_folder_read_only, self.delete_an_attempt, self.collect_garbage]
        if self.queue:
            queue = self.queue
            faults += 2 * [queue.upset, queue.hold, queue.lose_a_node, queue.forget_a_job, queue.requeue_a_job, queue.cancel_a_job,
                           queue.end_the_time_of_a_job]
        for _ in range(self.random.randrange(3, 10)):
            self.start()
            time.sleep(self.random.uniform(0, 0.8))
            fault = self.random.choice(faults)
            name = ("queue: " if hasattr(fault.__self__, "state") else "") + fault.__name__
            self.note(name)
            self.done[name] += 1
            fault()
        if self.random.random() < 0.5:
            self.without_driver()
        else:
            self.ask_driver_to_stop()

    def heal(self):
        """Runs to the end as a person would who does what the messages say."""
        self.go_on()
        self.end_driver()
        how = ["-j", "3"]
        if self.queue:
            self.queue.be_good()
        if self.queue and self.random.random() < 0.7:  # what is in the queue goes on
            how += scripted_queue.OPTIONS
        else:
            for pid in self.workers():  # one that is deaf keeps the next run waiting, which names it
                self.kill(pid, signal.SIGKILL)
        for _ in range(12):
            run = self.call("run", "torture.yaml", *how, good=(0, 3), timeout=120)
            check = self.call("db", "check", "--artifacts", good=(0, 4))
            for keys in re.findall(r"`qbitopt retry ([0-9a-f ]+)`", check.stderr):
                self.call("retry", *keys.split(), good=(0, 3), timeout=120)
            if run.returncode == 0 and check.returncode == 0:
                return
            if run.returncode == 3:
                self.call("retry", "--failed", "-j", "3", good=(0, 3), timeout=120)
        raise Wrong("the sweep does not get to its end")

    def results(self):
        """View -> its rows without the columns that may differ, and the table."""
        connection = sqlite3.connect(f"file:{self.folder}/results/qbitopt.db?mode=ro", uri=True)
        seen = {}
        for view in VIEWS:
            cursor = connection.execute(f"SELECT * FROM {view}")
            kept = [i for i, column in enumerate(cursor.description) if not OF_THE_RUN.search(column[0])]
            kept = [i for i in kept if cursor.description[i][0] not in ("note", "tags")]
            seen[view] = sorted([tuple(str(row[i]) for i in kept) for row in cursor])
            seen[view].insert(0, tuple(cursor.description[i][0] for i in kept))
        seen["integrity"] = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        seen["table"] = self.call("table", "torture").stdout.splitlines()
        return seen


def compare(expected, found):
    for view, rows in expected.items():
        if rows == found[view]:
            continue
        lost = [row for row in rows if row not in found[view]][:3]
        more = [row for row in found[view] if row not in rows][:3]
        raise Wrong(f"{view} differs: {len(rows)} rows undisturbed, {len(found[view])} now; not there any more: {lost}; "
                    f"not expected: {more}; columns: {rows[0]}")


def mount(folder, is_root):
    folder.mkdir()
    if is_root:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,nr_inodes=1200", "tmpfs", folder], check=True)


def unmount(folder, is_root):
    if is_root:
        subprocess.run(["umount", "-l", folder], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--queues", type=float, default=0.33, help="share of the rounds in a queue")
    parser.add_argument("--keep", action="store_true", help="keep the folders of good rounds, too")
    options = parser.parse_args()
    programs = options.programs.resolve()
    base = pathlib.Path(tempfile.mkdtemp(prefix="qbitopt-torture-"))
    is_root = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", base], stderr=subprocess.DEVNULL).returncode == 0
    if is_root:
        unmount(base, is_root)
    else:
        print("not as root, or mounts are not allowed: no full disks")

    network = base / "network.so"
    (base / "network.c").write_text(NETWORK)
    if subprocess.run(["cc", "-shared", "-fPIC", "-o", network, base / "network.c"]).returncode != 0:
        print("no C compiler: no network file system")
        network = None
    calm_folder = base / "undisturbed"
    mount(calm_folder, is_root)
    calm = Round(programs, calm_folder, 0, is_root)
    calm.heal()
    expected = calm.results()
    unmount(calm_folder, is_root)

    begun, failed, faults, rounds = time.monotonic(), [], collections.Counter(), 0
    for number in range(options.rounds):
        if time.monotonic() - begun > 60 * options.minutes:
            break
        seed = options.seed + number
        folder = base / str(seed)
        mount(folder, is_root)
        each = Round(programs, folder, seed, is_root, network, options.queues)
        faults["rounds on a network file system"] += bool(each.preload)
        faults["rounds with a queue"] += bool(each.queue)
        rounds += 1
        try:
            each.disturb()
            each.heal()
            compare(expected, each.results())
        except (Wrong, subprocess.TimeoutExpired) as error:
            failed.append(seed)
            print(f"round {seed}: {error}", flush=True)
        finally:
            each.go_on()
            if each.queue:
                each.queue.end()
            for pid in each.workers() + ([each.driver.pid] if each.is_running() else []):
                each.kill(pid, signal.SIGKILL)
            faults += each.done
            if seed in failed or options.keep:
                shutil.copytree(folder, base / f"{seed}.kept", symlinks=True)
            unmount(folder, is_root)
            shutil.rmtree(folder, ignore_errors=True)
            if seed not in failed:
                shutil.rmtree(each.words)
        if sys.stdout.isatty():
            print(f"\r{rounds} rounds, {len(failed)} failed", end="", flush=True)
    print(f"\n{rounds} rounds from seed {options.seed} in {time.monotonic() - begun:.0f} s, {len(failed)} failed"
          + (f": {failed}; their folders: {base}/SEED.kept and SEED.words" if failed else ""))
    print("faults: " + ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(faults.items())))
    if not failed:
        shutil.rmtree(base, ignore_errors=True)
    sys.exit(1 if failed or rounds == 0 else 0)


main()
