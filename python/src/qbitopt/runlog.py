"""The run log as frames: its public views, its jobs and the files that they left."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Generic,
    Literal,
    Mapping,
    Sequence,
    TypeVar,
    Union,
    overload,
)

from qbitopt import export
from qbitopt.database import check_file, read_database
from qbitopt.errors import QbitoptError
from qbitopt.frames import ColumnDoc, FrameMaker, column_of, frame_maker, unique_names
from qbitopt.table import Table, make_table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Frame = TypeVar("Frame")
Result = TypeVar("Result")
Arguments = Union[Sequence[Any], Mapping[str, Any]]
PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Network:
    """Files of the attempt whose result counts."""

    key: str  # of the job
    folder: Path  # of the attempt
    checkpoint: Path  # the trained network, quantizers included: `qbitopt predict --weights`
    exports: Mapping[str, Path]  # everything else that the job left, by name: {"allocation": ...}


@overload
def read(
    database: PathLike,
    *,
    frames: Literal["pandas"] = "pandas",
    program: PathLike | None = None,
    busy_seconds: float = 30.0,
) -> RunLog[pd.DataFrame]: ...
@overload
def read(
    database: PathLike,
    *,
    frames: Literal["polars"],
    program: PathLike | None = None,
    busy_seconds: float = 30.0,
) -> RunLog[pl.DataFrame]: ...
def read(
    database: PathLike,
    *,
    frames: str = "pandas",
    program: PathLike | None = None,
    busy_seconds: float = 30.0,
) -> RunLog[Any]:
    """The run log in a file that `qbitopt run` writes. It is read anew by every call and property.

    frames        what views come as: "pandas", with units and descriptions in .attrs, or "polars"
    program       the `qbitopt` program, for tables; default: see Table
    busy_seconds  how long to wait for a program that has locked the file

    Raises DatabaseError if the file is not a run log, SchemaError if it is of another version.
    """
    return RunLog(Path(database), frame_maker(frames), program, busy_seconds)


class RunLog(Generic[Frame]):
    """Made by read()."""

    def __init__(
        self,
        file: Path,
        make_frame: FrameMaker,
        program: PathLike | None = None,
        busy_seconds: float = 30.0,
    ) -> None:
        check_file(file)
        self.file = file
        self._make_frame = make_frame
        self._program = program
        self.busy_seconds = busy_seconds

    def __repr__(self) -> str:
        return f"qbitopt.read({str(self.file)!r})"

    # Views. `describe(VIEW)` tells what their columns mean.

    @property
    def allocations(self) -> Frame:
        """Every choice of bits: how good it is, how far from the bound, how long it took."""
        return self.view("allocations")

    @property
    def bits(self) -> Frame:
        """Final bits of every quantizer of every finished run."""
        return self.view("bits")

    @property
    def bits_history(self) -> Frame:
        """Bits of every quantizer from each reallocation on."""
        return self.view("bits_history")

    @property
    def curves(self) -> Frame:
        """Points of the curves of every run."""
        return self.view("curves")

    @property
    def failures(self) -> Frame:
        """Every attempt that failed, the latest first."""
        return self.view("failures")

    @property
    def parameters(self) -> Frame:
        """One row per job and parameter."""
        return self.view("parameters")

    @property
    def pareto(self) -> Frame:
        """Configurations that no other of the same training and checkpoint beats."""
        return self.view("pareto")

    @property
    def progress(self) -> Frame:
        """One row per sweep: how far it is."""
        return self.view("progress")

    @property
    def published(self) -> Frame:
        """Numbers of others, each with its source."""
        return self.view("published")

    @property
    def results(self) -> Frame:
        """One row per configuration: its seeds taken together."""
        return self.view("results")

    @property
    def runs(self) -> Frame:
        """One row per job: parameters, results, bits, times and environment."""
        return self.view("runs")

    @property
    def sensitivities(self) -> Frame:
        """What each choice of bits knew: the cost of every quantizer at every candidate."""
        return self.view("sensitivities")

    @property
    def sweep_runs(self) -> Frame:
        """Which runs a sweep has."""
        return self.view("sweep_runs")

    @property
    def views(self) -> list[str]:
        """Names of the views that the file has."""
        return self._read(_views)

    def view(self, name: str, where: str = "", arguments: Arguments = ()) -> Frame:
        """Rows of a view; `where` is a condition in SQL: view("curves", "key = ?", [key]).

        Claims such as `counts` become bool, times become UTC timestamps.
        """
        return self._view(name, f" WHERE ({where}\n)" if where else "", arguments)

    def _view(self, name: str, rest: str, arguments: Arguments) -> Frame:
        def action(connection: sqlite3.Connection) -> Frame:
            known = _views(connection)
            if name not in known:
                raise QbitoptError(
                    f"unknown view '{name}' of {self.file}; known: {', '.join(known)}"
                )
            docs = _docs(connection, name)
            cursor = connection.execute(f'SELECT * FROM "{name}"{rest}', arguments)
            attributes = {"view": name, "description": docs.pop("", ColumnDoc()).meaning}
            return self._frame(cursor, docs, attributes)

        return self._read(action)

    def sql(self, query: str, arguments: Arguments = ()) -> Frame:
        """The rows of one SELECT over the views. The file is opened for reading only."""
        return self._read(lambda c: self._frame(c.execute(query, arguments), {}, {"query": query}))

    def describe(self, relation: str = "") -> Frame:
        """Columns of a view with unit and meaning; without a name: the views."""

        def action(connection: sqlite3.Connection) -> Frame:
            if relation:
                cursor = connection.execute(
                    'SELECT column_name AS "column", unit, meaning FROM schema_doc'
                    " WHERE relation = ? AND position > 0 ORDER BY position",
                    [relation],
                )
            else:
                cursor = connection.execute(
                    "SELECT relation AS view, meaning FROM schema_doc"
                    " JOIN sqlite_master ON sqlite_master.name = relation AND type = 'view'"
                    " WHERE position = 0 ORDER BY relation"
                )
            return self._frame(cursor, {}, {})

        return self._read(action)

    # Jobs, named by the first digits of their keys.

    def find_key(self, job: str) -> str:
        """The whole key of the one job whose key begins with `job`."""
        return self._read(lambda connection: _find_key(connection, self.file, job))

    def allocation(self, job: str) -> Frame:
        """Final bits of every quantizer of a finished job; empty in full precision."""
        key = self.find_key(job)
        self._read(lambda connection: _check_finished(connection, self.file, key))
        return self._view("bits", " WHERE key = ? ORDER BY position", [key])

    def network(self, job: str) -> Network:
        """Where the files of a finished job are. Raises QbitoptError if they are gone."""

        def action(connection: sqlite3.Connection) -> tuple[str, Path, dict[str, Path]]:
            key = _find_key(connection, self.file, job)
            _check_finished(connection, self.file, key)
            rows = connection.execute(
                "SELECT attempt.folder, artifact.name, artifact.path FROM job"
                " JOIN attempt ON attempt.id = job.attempt_id"
                " JOIN artifact ON artifact.attempt_id = attempt.id"
                " WHERE job.key = ? ORDER BY artifact.name",
                [key],
            ).fetchall()
            # Relative folders start at the database's.
            place = Path(os.path.realpath(self.file)).parent
            folder = place / (rows[0][0] if rows else "")
            return key, folder, {name: place / folder / path for folder, name, path in rows}

        key, folder, files = self._read(action)
        if "model" not in files:
            raise QbitoptError(f"job {key[:10]} left no network; {_anew(key)}")
        for file in files.values():
            if not file.exists():
                raise QbitoptError(
                    f"{file}: gone, job {key[:10]} left it. Copy it to this machine together with "
                    f"the database, or {_anew(key)}"
                )
        checkpoint = files.pop("model")
        return Network(key, folder, checkpoint, files)

    # For other programs.

    def table(self, name: str, sweep: str | None = None) -> Table[Frame]:
        """The comparison that `qbitopt table NAME` prints: a definition in results/, or a sweep.

        The program makes it, so that there is one place where tables are made. See Table.
        """
        return make_table(self.file, name, sweep, self._program, self._make_frame)

    def to_mlflow(
        self,
        experiment: str | None = None,
        *,
        sweep: str | None = None,
        where: str = "",
        tracking_uri: str | None = None,
    ) -> list[str]:
        """Stores finished and failed runs in an experiment of MLflow; returns the ids of its runs.

        experiment    default: the sweep's name, else "qbitopt"
        sweep, where  which runs; `where` is a condition over `runs`: "method = 'qbitopt'"
        tracking_uri  default: MLflow's own

        Parameters, results, curves, bits ("allocation.json"), times and environment are stored.
        A run that the experiment has already is left as it is.
        """
        from qbitopt.to_mlflow import to_mlflow

        runs = export.runs_to_export(self, sweep, where)
        return to_mlflow(runs, experiment or sweep or "qbitopt", tracking_uri)

    def to_wandb(
        self,
        project: str | None = None,
        *,
        sweep: str | None = None,
        where: str = "",
        mode: Literal["online", "offline"] | None = None,
        directory: PathLike = ".",
        entity: str | None = None,
    ) -> list[str]:
        """Stores finished and failed runs in a project of Weights & Biases; returns the ids.

        project       default: the sweep's name, else "qbitopt"
        sweep, where  which runs; `where` is a condition over `runs`: "method = 'qbitopt'"
        mode          "offline" writes to `directory`/wandb, for `wandb sync`; default: wandb's own

        The id is made from the job's key: a run that is stored again takes its own place.
        """
        from qbitopt.to_wandb import to_wandb

        runs = export.runs_to_export(self, sweep, where)
        return to_wandb(runs, project or sweep or "qbitopt", mode, Path(directory), entity)

    def to_optuna(
        self,
        study: Any = None,
        *,
        sweep: str | None = None,
        where: str = "",
        objective: str | Sequence[str] = "top1",
        storage: Any = None,
        study_name: str | None = None,
    ) -> Any:
        """Adds finished and failed runs to a study of Optuna, as trials; returns the study.

        study         default: the one called `study_name` in `storage`, or a new one
        sweep, where  which runs; `where` is a condition over `runs`: "method = 'qbitopt'"
        objective     columns of `runs`; the metric's goal gives the direction, else "minimize"

        Parameters are those in which the runs differ. A run above its budget violates a constraint.
        A run that the study has already is left out.
        """
        from qbitopt.to_optuna import to_optuna

        names = [objective] if isinstance(objective, str) else list(objective)
        runs = list(export.runs_to_export(self, sweep, where))
        goals = self._read(_goals)
        return to_optuna(runs, names, goals, study, storage, study_name or sweep or "qbitopt")

    def _read(self, action: Callable[[sqlite3.Connection], Result]) -> Result:
        return read_database(self.file, self.busy_seconds, action)

    def _frame(
        self, cursor: sqlite3.Cursor, docs: Mapping[str, ColumnDoc], attributes: dict[str, Any]
    ) -> Frame:
        if cursor.description is None:
            raise QbitoptError("the query gives no rows; give one SELECT")
        names = unique_names([column[0] for column in cursor.description])
        rows = cursor.fetchall()
        values: list[Sequence[Any]] = list(zip(*rows)) if rows else [() for _ in names]
        columns = [
            column_of(name, value, docs.get(name, ColumnDoc()))
            for name, value in zip(names, values)
        ]
        attributes = dict(attributes, file=str(self.file))
        frame: Frame = self._make_frame(columns, attributes)
        return frame


def _views(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name")
    return [name for (name,) in rows]


def _docs(connection: sqlite3.Connection, relation: str) -> dict[str, ColumnDoc]:
    rows = connection.execute(
        "SELECT column_name, unit, meaning FROM schema_doc WHERE relation = ?", [relation]
    )
    return {name: ColumnDoc(unit, meaning) for name, unit, meaning in rows}


def _goals(connection: sqlite3.Connection) -> dict[str, str]:
    """Metric -> "max" or "min", where one of them is better."""
    return dict(connection.execute("SELECT name, goal FROM metric_definition WHERE goal NOTNULL"))


def _find_key(connection: sqlite3.Connection, file: Path, job: str) -> str:
    keys = [
        key
        for (key,) in connection.execute(
            "SELECT key FROM job WHERE substr(key, 1, ?) = ? ORDER BY key", [len(job), job]
        )
    ]
    if not job or not keys:
        raise QbitoptError(f"no job '{job}' in {file}; `log.runs.job` lists them")
    if len(keys) > 1:
        some = ", ".join(key[: len(job) + 4] for key in keys[:5])
        more = ", ..." if len(keys) > 5 else ""
        raise QbitoptError(
            f"'{job}' could be any of {len(keys)} jobs: {some}{more}; give more digits"
        )
    return str(keys[0])


def _check_finished(connection: sqlite3.Connection, file: Path, key: str) -> None:
    row = connection.execute("SELECT state FROM runs WHERE key = ?", [key]).fetchone()
    if row[0] != "finished":
        raise QbitoptError(f"job {key[:10]} in {file} is {row[0]}, expected a finished one")


def _anew(key: str) -> str:
    return f"`qbitopt retry {key[:10]}` makes it anew"
