"""Tables: the numbers of `qbitopt table --format csv`, the face of the text table."""

import csv
import io
import re
import subprocess

import pandas as pd
import pytest

import qbitopt

DEFINITION = """
title: "Example <table>"
sweep: example
section_by: [model]
split_by: [budget.average_bits]
rows:
  fixed: {label: fixed precision, where: {method: fixed_precision}}
  random: {label: random, where: {method: random_allocation}}
  penalty: {label: penalty <b>, where: {method: penalty, budget.average_bits: [4], seed: [0, 2, 3]}}
  qbitopt: {label: QBitOpt, where: {method: qbitopt}}
columns:
  budget:  {show: axis, of: budget.average_bits}
  method:  {show: label}
  top1:    {show: mean, of: top1, title: "top-1, %", digits: 2, deviation: true, best: max}
  bits:    {show: mean, of: [weight_bits, activation_bits], title: bits W / A}
  seeds:   {show: seeds}
  met:     {show: met}
  against: {show: difference, of: top1, to: fixed}
claims:
  - {say: QBitOpt is better than fixed precision, better: qbitopt, than: fixed}
"""


@pytest.fixture
def definition(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(DEFINITION)
    return str(file)


@pytest.fixture
def table(five_seeds, program, definition):
    return qbitopt.read(five_seeds, program=program).table(definition)


def printed(program, example, name, form):
    return subprocess.run(
        [program, "table", name, "--format", form, "--db", example],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_frame_has_the_columns_and_numbers_of_csv(table, five_seeds, program, definition):
    rows = list(csv.reader(io.StringIO(printed(program, five_seeds, definition, "csv"))))
    assert list(table.frame.columns) == rows[0]
    assert len(table.frame) == len(rows) - 1 > 0
    assert table.frame.budget.dtype == "float64"
    for row, fields in zip(table.frame.itertuples(index=False), rows[1:]):
        for name, value, field in zip(rows[0], row, fields):
            if pd.isna(value):
                assert field == "", name
            elif isinstance(value, str):
                assert field == value, name
            else:
                assert float(field) == value, name


def test_the_style_shows_what_the_text_table_shows(table, five_seeds, program, definition):
    """Cell by cell: text, bold face and footnote marks."""
    markdown = printed(program, five_seeds, definition, "markdown")
    lines = [line for line in markdown.splitlines() if line.startswith("| ")]
    lines = lines[2 : 2 + len(table.frame)]
    texts = table.style.data
    html = table.style.to_html()
    bold_css = re.findall(r"([^{}]*)\{[^}]*font-weight: bold", html)
    is_bold = {
        tuple(map(int, c)) for css in bold_css for c in re.findall(r"row(\d+)_col(\d+)", css)
    }
    assert len(lines) == len(texts) > 0
    seen_bold = seen_missed = 0
    for i, line in enumerate(lines):
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert len(cells) == len(table.json["columns"])
        for j, cell in enumerate(cells):
            j += len(texts.columns) - len(cells)
            assert texts.iloc[i, j] == cell.replace("**", "").replace("&lt;b>", "&lt;b&gt;")
            assert ((i, j) in is_bold) == ("**" in cell)
            seen_bold += "**" in cell
            seen_missed += cell.startswith("(")
    assert seen_bold > 0 and seen_missed > 0


def test_the_page_of_a_notebook_has_footnotes_and_claims_and_is_escaped(table):
    html = table._repr_html_()
    assert "Example &lt;table&gt;" in html
    assert "penalty &lt;b&gt;" in html
    assert "<sup>a</sup>" in html
    assert "QBitOpt is better than fixed precision" in html
    assert table.claims[0]["claim"] == "QBitOpt is better than fixed precision"
    assert "Said before the runs:" in html


def test_a_sweep_has_a_table_without_a_definition(example, program):
    table = qbitopt.read(example, program=program).table("example")
    assert table.frame.attrs["table"] == "example"
    assert "qbitopt@3" in set(table.frame.row)
    assert table.title in table._repr_html_()


def test_numbers_that_no_row_has_are_numbers(sweep):
    """With one seed there is no deviation."""
    sweep.file.write_text(sweep.file.read_text().replace("seeds: 2", "seeds: 1"))
    frame = qbitopt.read(sweep.run(), program=sweep.program).table("small").frame
    assert len(frame) == 3
    assert frame.top1_deviation.isna().all()
    assert frame.top1_deviation.dtype == "float64"


def test_polars_takes_tables_too(example, program):
    polars = pytest.importorskip("polars")
    table = qbitopt.read(example, program=program, frames="polars").table("example")
    assert isinstance(table.frame, polars.DataFrame)
    assert list(table.frame["row"]) == [row["row"] for row in table.json["sections"][0]["rows"]]
    assert "<caption>" in table._repr_html_()


def test_what_the_program_refuses_is_said(example, program):
    log = qbitopt.read(example, program=program)
    with pytest.raises(
        qbitopt.ProgramError, match="unknown table 'exampel', did you mean 'example'"
    ):
        log.table("exampel")


def test_a_missing_program_is_said_with_the_remedy(example, monkeypatch, tmp_path):
    log = qbitopt.read(example)
    monkeypatch.delenv("QBITOPT_PROGRAM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(qbitopt.ProgramError, match="not in the PATH.*QBITOPT_PROGRAM"):
        log.table("example")
    monkeypatch.setenv("QBITOPT_PROGRAM", str(tmp_path / "none"))
    with pytest.raises(qbitopt.ProgramError, match="none: No such file.*QBITOPT_PROGRAM"):
        log.table("example")


def test_the_program_beside_python_comes_before_that_of_the_path(
    example, monkeypatch, tmp_path, program
):
    monkeypatch.delenv("QBITOPT_PROGRAM", raising=False)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/qbitopt").symlink_to(program)
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin/python"))
    assert len(qbitopt.read(example).table("example").frame) > 0
