"""Tables, as the `qbitopt` program makes them.

Which runs a row consists of, what is bold, what stands in parentheses and what a footnote says is
decided in one place, src/qbitopt/report. This module runs `qbitopt table NAME --format json`.
"""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Mapping, Sequence, TypeVar

import pandas as pd

from qbitopt.errors import ProgramError
from qbitopt.frames import ColumnDoc, FrameMaker, column_of

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

Frame = TypeVar("Frame")


@dataclass(frozen=True)
class Table(Generic[Frame]):
    """A comparison. In a notebook it shows as it does in a report.

    The program that makes it is the first of: `program` of read(), $QBITOPT_PROGRAM, `qbitopt`
    beside this Python (`make python` puts it there), `qbitopt` in the PATH.
    """

    name: str
    title: str
    frame: (
        Frame  # numbers with all their digits, in the columns of `qbitopt table NAME --format csv`
    )
    claims: Sequence[Mapping[str, Any]]  # what was claimed before the runs, and the verdicts
    footnotes: Sequence[Mapping[str, str]]  # "mark" (empty: of the table as a whole) and "text"
    json: Mapping[str, Any]  # everything, the runs behind each cell included

    @property
    def style(self) -> Styler:
        """As the text table: bold means are the best, those in parentheses missed their budget."""
        headers = [column["title"] for column in self.json["columns"]]
        names = [column["name"] for column in self.json["columns"]]
        has_sections = any(section["name"] for section in self.json["sections"])
        texts, is_bold = [], []
        for section in self.json["sections"]:
            for row in section["rows"]:
                cells = [row["cells"][name] for name in names]
                lead = [html.escape(section["name"])] if has_sections else []
                texts.append(lead + [_shown(cell) for cell in cells])
                is_bold.append([False] * len(lead) + [bool(cell.get("best")) for cell in cells])
        columns = ([""] if has_sections else []) + _unique(headers)
        shown = pd.DataFrame(texts, columns=columns)
        weights = pd.DataFrame(
            [["font-weight: bold" if bold else "" for bold in row] for row in is_bold],
            columns=columns,
        )
        styler = shown.style.hide(axis="index").set_caption(html.escape(self.title))
        styler = styler.apply(lambda _: weights, axis=None)
        for header, column in zip(_unique(headers), self.json["columns"]):
            align = "right" if column["numeric"] else "left"
            styler = styler.set_properties(subset=[header], **{"text-align": align})
        return styler

    def _repr_html_(self) -> str:
        notes = [_note(note["mark"], note["text"]) for note in self.footnotes]
        claims = [html.escape(claim["text"]) for claim in self.claims]
        return self.style.to_html() + _list("Said before the runs:", claims) + _list("", notes)


def _shown(cell: Mapping[str, Any]) -> str:
    marks = ",".join(cell.get("marks", []))
    return html.escape(cell["shown"]) + (f"<sup>{html.escape(marks)}</sup>" if marks else "")


def _note(mark: str, text: str) -> str:
    return (f"<sup>{html.escape(mark)}</sup> " if mark else "") + html.escape(text)


def _list(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    head = f"<p>{title}</p>" if title else ""
    return head + "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


def _unique(titles: Sequence[str]) -> list[str]:
    """Columns of a Styler need names of their own; a space does not show."""
    unique: list[str] = []
    for title in titles:
        while title in unique:
            title += " "
        unique.append(title)
    return unique


def make_table(
    file: Path,
    name: str,
    sweep: str | None,
    program: str | os.PathLike[str] | None,
    make_frame: FrameMaker,
) -> Table[Any]:
    arguments = ["table", name, "--format", "json", "--db", os.fspath(file)]
    if sweep:
        arguments += ["--sweep", sweep]
    table = json.loads(run_program(find_program(program), arguments))
    texts = {"row", "section", "notes"}
    texts.update(column["name"] for column in table["columns"] if not column["numeric"])
    frame = make_frame(
        [
            column_of(field, values, ColumnDoc(), is_number=field not in texts)
            for field, values in _fields(table).items()
        ],
        {"table": table["table"], "description": table["title"], "file": str(file)},
    )
    return Table(table["table"], table["title"], frame, table["claims"], table["footnotes"], table)


def _fields(table: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Columns as in CSV: `row`, `section`, one or more for each column of the table, `notes`."""
    notes = {note["mark"]: note["text"] for note in table["footnotes"] if note["mark"]}
    fields: dict[str, list[Any]] = {}
    for section in table["sections"]:
        for row in section["rows"]:
            values = {"row": row["row"], "section": section["name"]}
            for column in table["columns"]:
                values.update(_numbers(column, row["cells"][column["name"]]))
            marks = [mark for cell in row["cells"].values() for mark in cell.get("marks", [])]
            values["notes"] = " ".join(text for mark, text in notes.items() if mark in marks)
            for field, value in values.items():
                fields.setdefault(field, []).append(value)
    for column in table["columns"]:
        if column["show"] == "axis":
            fields[column["name"]] = _as_numbers(fields[column["name"]])
    return fields


def _as_numbers(texts: list[str | None]) -> list[Any]:
    """Values of an axis, which a table writes as text: numbers if all of them are."""
    try:
        return [None if text is None else float(text) for text in texts]
    except ValueError:
        return texts


def _numbers(column: Mapping[str, Any], cell: Mapping[str, Any]) -> dict[str, Any]:
    name = column["name"]
    if "values" in cell:
        values = dict(cell["values"])
    else:
        values = {name: cell.get("value", cell.get("text"))}
    if column["show"] == "difference":
        low, high = cell.get("interval95", (None, None))
        values.update({f"{name}_low": low, f"{name}_high": high, f"{name}_n": cell["n"]})
    if "deviation" in cell:
        values[f"{name}_deviation"] = cell["deviation"]
    return values


def find_program(program: str | os.PathLike[str] | None) -> str:
    chosen = program or os.environ.get("QBITOPT_PROGRAM")
    if chosen:
        return os.fspath(chosen)
    # Not resolved: the Python of a virtual environment is a link to one elsewhere.
    beside = Path(sys.executable).parent / "qbitopt"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("qbitopt")
    if not found:
        raise ProgramError(
            "tables are made by the program `qbitopt`, which is not in the PATH; name it with "
            "qbitopt.read(..., program=...) or in QBITOPT_PROGRAM (in a checkout:"
            " build/bin/qbitopt)"
        )
    return found


def run_program(program: str, arguments: Sequence[str]) -> str:
    """What it prints. Raises ProgramError with its message if it fails."""
    try:
        done = subprocess.run(
            [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
        )
    except OSError as error:
        raise ProgramError(
            f"{program}: {error.strerror}; name the program `qbitopt` with "
            "qbitopt.read(..., program=...) or in QBITOPT_PROGRAM"
        ) from error
    if done.returncode != 0:
        raise ProgramError(done.stderr.strip() or f"{program} ended with status {done.returncode}")
    return done.stdout
