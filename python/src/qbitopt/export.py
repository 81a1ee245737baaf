"""What other programs are told about a run, read from the views."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Union

from qbitopt.database import read_database
from qbitopt.errors import QbitoptError

if TYPE_CHECKING:
    from qbitopt.runlog import RunLog

Parameter = Union[bool, int, float, str, None]

# Columns of `runs` that describe a run, besides its parameters and its numbers.
_TEXTS = ["host", "ran_on", "cpu", "os", "libtorch", "compiler", "commit_hash", "error_class"]
_TEXTS += ["error_text", "sweeps", "checkpoint", "config_key", "state"]


@dataclass(frozen=True)
class ExportedRun:
    """A finished or failed run."""

    key: str
    config_key: str  # replicates share it
    name: str  # "qbitopt 2.5 bits, seed 0"
    method: str
    is_finished: bool  # False: it failed
    is_within_budget: bool  # True also without a budget
    started: float | None  # [unix seconds]
    ended: float | None  # [unix seconds]
    parameters: Mapping[str, Parameter]  # dotted names; None: does not apply
    results: Mapping[str, float]  # columns of `runs`: metrics, achieved bits, seconds, ...
    curves: Mapping[int, Mapping[str, float]]  # step -> "train/loss" -> value, by step
    bits: Mapping[str, int]  # final, by quantizer; empty in full precision
    texts: Mapping[str, str]  # host, versions, sweeps, error, ...


def runs_to_export(log: RunLog[Any], sweep: str | None, where: str) -> Iterator[ExportedRun]:
    """Finished and failed runs of a sweep (None: of the file) for which a condition holds.

    Each run is read when it is asked for, so that the database is not held meanwhile.
    """

    def read(action: Any) -> Any:
        return read_database(log.file, log.busy_seconds, action)

    for key in read(lambda connection: _keys(connection, log, sweep, where)):
        yield read(lambda connection, key=key: _read_run(connection, key))


def _keys(
    connection: sqlite3.Connection, log: RunLog[Any], sweep: str | None, where: str
) -> list[str]:
    known = [name for (name,) in connection.execute("SELECT sweep FROM progress ORDER BY sweep")]
    if sweep is not None and sweep not in known:
        raise QbitoptError(f"unknown sweep '{sweep}' of {log.file}; known: {', '.join(known)}")
    query = "SELECT key FROM runs WHERE state IN ('finished', 'failed')"
    query += " AND (:sweep IS NULL OR key IN (SELECT key FROM sweep_runs WHERE sweep = :sweep))"
    if where:
        query += f" AND ({where}\n)"
    rows = connection.execute(query + " ORDER BY ended_at, key", {"sweep": sweep})
    return [key for (key,) in rows]


def _read_run(connection: sqlite3.Connection, key: str) -> ExportedRun:
    cursor = connection.execute("SELECT * FROM runs WHERE key = ?", [key])
    row = dict(zip([column[0] for column in cursor.description], cursor.fetchone()))
    parameters = {
        name: _parameter(value, kind)
        for name, value, kind in connection.execute(
            "SELECT name, value, type FROM parameters WHERE key = ? ORDER BY name", [key]
        )
    }
    return ExportedRun(
        key=key,
        config_key=row["config_key"],
        name=_name(row),
        method=str(row["method"]),
        is_finished=row["state"] == "finished",
        is_within_budget=row["budget_met"] != 0,
        started=row["started_at"],
        ended=row["ended_at"],
        parameters=parameters,
        results={name: float(row[name]) for name in _numbers(connection, row)},
        curves=_curves(connection, key),
        bits=dict(
            connection.execute(
                "SELECT quantizer, bits FROM bits WHERE key = ? ORDER BY position", [key]
            )
        ),
        texts={name: str(row[name]) for name in _TEXTS if row.get(name) is not None},
    )


def _name(row: Mapping[str, Any]) -> str:
    limit = row["budget_limit"]
    budget = "" if limit is None else f" {limit:g} {row['budget_unit']}"
    return f"{row['method']}{budget}, seed {row['seed']}"


def _parameter(value: Any, kind: str) -> Parameter:
    if kind in ("true", "false"):
        return kind == "true"
    if kind in ("array", "object"):
        return json.dumps(json.loads(value), sort_keys=True)
    result: Parameter = value
    return result


def _numbers(connection: sqlite3.Connection, row: Mapping[str, Any]) -> list[str]:
    """Columns of `runs` with results: numbers with a unit that are neither parameters nor times."""
    columns = connection.execute(
        "SELECT column_name FROM schema_doc WHERE relation = 'runs'"
        " AND meaning NOT LIKE 'parameter %'"
        " AND (column_name = 'budget_met' OR unit NOT IN ('', 'unix seconds', 'threads'))"
        " ORDER BY position"
    )
    return [name for (name,) in columns if isinstance(row.get(name), (int, float))]


def _curves(connection: sqlite3.Connection, key: str) -> dict[int, dict[str, float]]:
    curves: dict[int, dict[str, float]] = {}
    for step, split, metric, value in connection.execute(
        "SELECT step, split, metric, value FROM curves WHERE key = ? ORDER BY step", [key]
    ):
        curves.setdefault(step, {})[f"{split}/{metric}"] = value
    return curves
