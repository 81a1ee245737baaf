"""Databases to read: a made-up one with all methods (make_example), and a real `qbitopt run`
whose worker trains nothing (fake_worker)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python" / "src"))

SWEEP = """
qbitopt: 1
name: small
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}
seeds: 2
cases:
  fp32: {set: {method: fp32}, seeds: 1}
  fixed: {set: {method: fixed_precision}, grid: {budget.average_bits: [3, 4]}}
"""


def built(name):
    """A program of the build."""
    file = Path(os.environ.get("QBITOPT_BIN", ROOT / "build" / "bin")) / name
    if not file.exists():
        pytest.skip(f"{file} is not built")
    return str(file)


@pytest.fixture(scope="session")
def program():
    return built("qbitopt")


def make_example(folder, seeds):
    file = folder / "qbitopt.db"
    subprocess.run([built("make_example"), file, str(seeds)], check=True)
    return file


@pytest.fixture(scope="session")
def example_of_session(tmp_path_factory):
    return make_example(tmp_path_factory.mktemp("example"), 2)


@pytest.fixture
def example(example_of_session, tmp_path):
    """All methods with two seeds; a copy that a test may change."""
    return Path(shutil.copy(example_of_session, tmp_path / "qbitopt.db"))


@pytest.fixture(scope="session")
def five_seeds(tmp_path_factory):
    """As many as a table wants for bold face."""
    return make_example(tmp_path_factory.mktemp("five"), 5)


class Sweep:
    """A sweep of five small jobs, run by the program with a worker that trains nothing."""

    def __init__(self, folder, program):
        self.folder = folder
        self.program = program
        self.database = folder / "qbitopt.db"
        self.file = folder / "small.yaml"
        self.file.write_text(SWEEP)

    def start(self, rules="[]"):
        worker = built("fake_worker")
        return subprocess.Popen(
            [self.program, "run", self.file, "--db", self.database, "-j", "1"],
            env=dict(os.environ, QBITOPT_WORKER=worker, FAKE_WORKER=rules),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, rules="[]"):
        driver = self.start(rules)
        output, _ = driver.communicate(timeout=300)
        assert driver.returncode == 0, output
        return self.database


@pytest.fixture
def sweep(tmp_path, program):
    return Sweep(tmp_path, program)
