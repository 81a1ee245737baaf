"""plots/explore.ipynb, run from its first cell to its last."""

import json
import sys

import pytest
from conftest import ROOT

NOTEBOOK = ROOT / "plots" / "explore.ipynb"


@pytest.fixture
def notebook():
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    return book


def test_it_is_kept_without_outputs(notebook):
    for cell in notebook.cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


def test_every_cell_runs_and_shows_what_it_says(notebook, example, program, monkeypatch, tmp_path):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    # A kernel of this Python, whatever others are installed.
    kernels = tmp_path / "kernels" / "python3"
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernels / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    monkeypatch.setenv("QBITOPT_DB", str(example))
    monkeypatch.setenv("QBITOPT_PROGRAM", program)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "python" / "src"))
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    ).execute()
    shown = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    tables = "".join(data.get("text/html", "") for data in shown)
    assert "<caption>" in tables
    assert sum("image/png" in data for data in shown) == 2
    assert "One row per configuration" in tables
