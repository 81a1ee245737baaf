"""Rows of SQLite as columns with types, and those as frames of pandas or polars."""

from __future__ import annotations

import datetime
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Sequence

import pandas as pd

from qbitopt.errors import QbitoptError

if TYPE_CHECKING:
    import polars as pl

TIME = "unix seconds"  # the unit of columns that become times


@dataclass(frozen=True)
class ColumnDoc:
    """What the database says about a column."""

    unit: str = ""  # empty: none
    meaning: str = ""


@dataclass(frozen=True)
class Column:
    """Values of one kind; None is a missing one."""

    name: str
    kind: str  # "boolean", "integer", "real", "text", "time", "mixed", or "empty": no value at all
    values: Sequence[Any]
    doc: ColumnDoc

    @property
    def unit(self) -> str:
        return "UTC" if self.kind == "time" else self.doc.unit


def column_of(name: str, values: Sequence[Any], doc: ColumnDoc, is_number: bool = False) -> Column:
    """`is_number` says what a column without any value would have; a unit says it, too."""
    kind = _kind_of(values, doc)
    return Column(name, "real" if kind == "empty" and is_number else kind, values, doc)


def _kind_of(values: Sequence[Any], doc: ColumnDoc) -> str:
    types = set(map(type, values)) - {type(None)}
    if doc.unit == TIME and types <= {int, float}:
        return "time"
    # A column of claims is documented as "1: it holds".
    is_claim = doc.meaning.startswith(("1: ", "0: "))
    if is_claim and types <= {int} and {0, 1, None}.issuperset(values):
        return "boolean"
    if not types:
        return "real" if doc.unit else "empty"
    if types == {int}:
        return "integer"
    if types <= {int, float}:
        return "real"
    return "text" if types == {str} else "mixed"


def unique_names(names: Sequence[str]) -> list[str]:
    """A name that is there already gets ":2", ":3", ... behind it, as in `qbitopt sql --json`."""
    unique: list[str] = []
    for name in names:
        candidate, count = name, 1
        while candidate in unique:
            count += 1
            candidate = f"{name}:{count}"
        unique.append(candidate)
    return unique


def pandas_frame(columns: Sequence[Column], attributes: dict[str, Any]) -> pd.DataFrame:
    """With `attributes` in .attrs, and beside them the columns' units and descriptions."""
    frame = pd.DataFrame({column.name: _series(column) for column in columns})
    frame.attrs.update(attributes)
    frame.attrs["units"] = {column.name: column.unit for column in columns if column.unit}
    frame.attrs["descriptions"] = {
        column.name: column.doc.meaning for column in columns if column.doc.meaning
    }
    return frame


def _series(column: Column) -> pd.Series[Any]:
    values = column.values
    has_missing = None in values
    if column.kind == "time":
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="float64"), unit="s", utc=True))
    if column.kind == "boolean":
        if has_missing:
            return pd.Series([None if v is None else bool(v) for v in values], dtype="boolean")
        return pd.Series(list(map(bool, values)), dtype="bool")
    if column.kind == "integer":
        return pd.Series(values, dtype="Int64" if has_missing else "int64")
    if column.kind == "real":
        return pd.Series(values, dtype="float64")
    if column.kind == "text":
        return pd.Series(values)
    return pd.Series(values, dtype="object")


def polars_frame(columns: Sequence[Column], attributes: dict[str, Any]) -> pl.DataFrame:
    """A frame of polars has no place for `attributes`; RunLog.describe() tells them."""
    import polars as pl

    return pl.DataFrame([_polars_series(column) for column in columns])


def _polars_series(column: Column) -> pl.Series:
    import polars as pl

    name, values = column.name, column.values
    if column.kind == "time":
        utc = datetime.timezone.utc
        times = [None if v is None else datetime.datetime.fromtimestamp(v, utc) for v in values]
        return pl.Series(name, times, dtype=pl.Datetime("us", "UTC"))
    if column.kind == "boolean":
        return pl.Series(name, [None if v is None else bool(v) for v in values], dtype=pl.Boolean)
    if column.kind == "real":
        numbers = [None if v is None else float(v) for v in values]
        return pl.Series(name, numbers, dtype=pl.Float64)
    if column.kind == "integer":
        return pl.Series(name, values, dtype=pl.Int64)
    if column.kind == "empty":
        return pl.Series(name, values, dtype=pl.Null)
    return pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)


FrameMaker = Callable[[Sequence[Column], "dict[str, Any]"], Any]


def frame_maker(library: str) -> FrameMaker:
    if library == "pandas":
        return pandas_frame
    if library == "polars":
        need("polars")
        return polars_frame
    raise QbitoptError(f"unknown frames '{library}'; known: pandas, polars")


def need(package: str) -> Any:
    """The imported package. Raises QbitoptError that says how to install it."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise QbitoptError(
            f"the Python package '{package}' cannot be imported ({error}); "
            f"`pip install {package}` installs it"
        ) from error
