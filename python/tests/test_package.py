"""The package as it is installed."""

import re
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

import qbitopt

PACKAGE = ROOT / "python"


def test_the_version_is_that_of_the_program():
    project = re.search(r"project\(qbitopt VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())
    assert qbitopt.__version__ == project[1]


def test_types_are_strict(tmp_path):
    pytest.importorskip("mypy")
    pytest.importorskip("polars")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, "src"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_the_wheel_is_of_pure_python_and_typed(tmp_path):
    pytest.importorskip("build")
    pytest.importorskip("flit_core")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path]
    subprocess.run([*command, PACKAGE], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"qbitopt-{qbitopt.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert "qbitopt/py.typed" in names
    sources = (PACKAGE / "src/qbitopt").glob("*.py")
    assert {f"qbitopt/{source.name}" for source in sources} <= set(names)
    assert not [name for name in names if name.endswith((".so", ".pyc")) or "test" in name]
