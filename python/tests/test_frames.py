"""Views as frames: the same values as the program prints, with types, units and meanings."""

import json
import math
import subprocess

import pandas as pd
import pytest

import qbitopt


@pytest.fixture
def log(example):
    return qbitopt.read(example)


def printed(program, file, query):
    done = subprocess.run(
        [program, "sql", query, "--json", "--db", file], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def plain(value):
    """A cell as JSON has it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.timestamp()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def assert_same(rows, expected):
    assert len(rows) == len(expected) > 0
    for row, wanted in zip(rows, expected):
        assert list(row) == list(wanted)
        for name, value in wanted.items():
            found = plain(row[name])
            if isinstance(value, float):
                assert found == pytest.approx(value, abs=1e-6, rel=1e-12), name
            else:
                assert found == value, name


VIEWS = ["allocations", "bits", "curves", "failures", "parameters", "pareto", "progress", "results"]
VIEWS += ["runs", "sweep_runs"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_values_that_the_program_prints(log, example, program, view):
    frame = getattr(log, view)
    expected = printed(program, example, f"SELECT * FROM {view}")
    assert_same([dict(zip(frame.columns, row)) for row in frame.itertuples(index=False)], expected)


@pytest.mark.parametrize("view", VIEWS)
def test_polars_has_the_same_values(log, example, program, view):
    pytest.importorskip("polars")
    frame = getattr(qbitopt.read(example, frames="polars"), view)
    expected = printed(program, example, f"SELECT * FROM {view}")
    rows = []
    for row in frame.iter_rows(named=True):
        rows.append({k: v.timestamp() if hasattr(v, "timestamp") else v for k, v in row.items()})
    for row in expected:  # a column of texts and numbers is one of texts
        for name in row:
            if str(frame.schema[name]) == "String" and row[name] is not None:
                row[name] = str(row[name])
    assert_same(rows, expected)


def test_every_view_of_the_file_has_a_property(log):
    assert log.views
    for view in log.views:
        assert isinstance(getattr(type(log), view), property), view
        assert getattr(log, view).attrs["view"] == view


def test_units_and_descriptions_are_those_of_the_database(log):
    attributes = log.runs.attrs
    assert attributes["description"].startswith("One row per job")
    assert attributes["units"]["top1"] == "percent"
    assert attributes["units"]["weight_bytes"] == "bytes"
    assert attributes["units"]["started_at"] == "UTC"
    assert attributes["descriptions"]["counts"].startswith("1: in means and comparisons")
    columns = log.describe("runs").set_index("column")
    for name in log.runs.columns:
        assert attributes["descriptions"][name] == columns.meaning[name]
    assert list(log.describe().view) == log.views


def test_types_follow_the_values_and_their_documentation(log):
    runs = log.runs
    assert runs.counts.dtype == "bool"
    assert runs.budget_met.dtype == "boolean"
    assert runs.seed.dtype == "int64"
    assert runs.weight_bytes.dtype == "Int64"
    assert runs.top1.dtype == "float64"
    assert isinstance(runs.started_at.dtype, pd.DatetimeTZDtype)
    assert runs[runs.counts].top1.notna().all()
    assert runs.started_at.min().year == 2025


def test_a_view_without_rows_has_its_columns(log):
    frame = log.view("curves", "step < 0")
    assert len(frame) == 0
    assert list(frame.columns) == list(log.curves.columns)
    assert frame.value.sum() == 0


def test_a_condition_chooses_rows(log):
    key = log.runs.key[0]
    assert set(log.view("curves", "key = ? AND metric = 'loss'", [key]).key) <= {key}
    assert len(log.view("runs", "method = :method", {"method": "qbitopt"})) == 6


def test_sql_gives_frames_and_keeps_columns_of_one_name_apart(log):
    frame = log.sql("SELECT method, top1, top1 + ? AS top1 FROM runs WHERE counts", [1])
    assert list(frame.columns) == ["method", "top1", "top1:2"]
    assert (frame["top1:2"] - frame.top1 - 1).abs().max() < 1e-9


def test_wrong_questions_say_what_is_known(log):
    with pytest.raises(qbitopt.QbitoptError, match="unknown view 'rnus'.*known: allocations, bits"):
        log.view("rnus")
    with pytest.raises(qbitopt.DatabaseError, match="no such column: accuracy.*log.describe"):
        log.sql("SELECT accuracy FROM runs")
    with pytest.raises(qbitopt.QbitoptError, match="unknown frames 'arrow'; known: pandas, polars"):
        qbitopt.read(log.file, frames="arrow")


def test_a_missing_package_is_named_with_its_remedy(log, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(qbitopt.QbitoptError, match="pip install polars"):
        qbitopt.read(log.file, frames="polars")
