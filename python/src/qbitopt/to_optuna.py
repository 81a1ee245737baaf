"""Runs as trials of Optuna, through Study.add_trial()."""

from __future__ import annotations

import datetime
from typing import Any, Mapping, Sequence

from qbitopt.errors import QbitoptError
from qbitopt.export import ExportedRun, Parameter
from qbitopt.frames import need

_KEY = "qbitopt_key"


def to_optuna(
    runs: Sequence[ExportedRun],
    objectives: Sequence[str],
    goals: Mapping[str, str],
    study: Any,
    storage: Any,
    study_name: str,
) -> Any:
    optuna = need("optuna")
    if study is None:
        study = optuna.create_study(
            storage=storage,
            study_name=study_name,
            directions=[_direction(goals.get(name, "min")) for name in objectives],
            load_if_exists=True,
        )
    elif len(study.directions) != len(objectives):
        raise QbitoptError(
            f"the study has {len(study.directions)} objectives, expected {len(objectives)}: "
            + ", ".join(objectives)
        )
    present = {trial.user_attrs.get(_KEY) for trial in study.get_trials(deepcopy=False)}
    distributions = _distributions(optuna.distributions, runs)
    for run in runs:
        if run.key not in present:
            _add(optuna, study, _trial(optuna, run, objectives, distributions))
    return study


def _direction(goal: str) -> str:
    return "maximize" if goal == "max" else "minimize"


def _distributions(kinds: Any, runs: Sequence[ExportedRun]) -> dict[str, Any]:
    """Parameters in which the runs differ, the seed included, with the range that they span."""
    values: dict[str, list[Any]] = {}
    for run in runs:
        for name, value in run.parameters.items():
            if value is not None:
                values.setdefault(name, []).append(value)
    distributions = {}
    for name, of_runs in sorted(values.items()):
        distinct = set(of_runs)
        if len(distinct) < 2:
            continue
        types = {type(value) for value in distinct}
        if types == {int}:
            distributions[name] = kinds.IntDistribution(min(distinct), max(distinct))
        elif types <= {int, float}:
            low, high = float(min(distinct)), float(max(distinct))
            distributions[name] = kinds.FloatDistribution(low, high)
        else:
            distributions[name] = kinds.CategoricalDistribution(sorted(distinct, key=str))
    return distributions


def _trial(
    optuna: Any, run: ExportedRun, objectives: Sequence[str], distributions: Mapping[str, Any]
) -> Any:
    own = {
        name: distribution
        for name, distribution in distributions.items()
        if run.parameters.get(name) is not None
    }
    values: list[float] | None = None
    if run.is_finished:
        missing = [name for name in objectives if name not in run.results]
        if missing:
            raise QbitoptError(
                f"run {run.key[:10]} ({run.name}) has no '{missing[0]}', expected one of: "
                + ", ".join(run.results)
            )
        values = [run.results[name] for name in objectives]
    states = optuna.trial.TrialState
    trial = optuna.trial.create_trial(
        state=states.COMPLETE if run.is_finished else states.FAIL,
        values=values,
        params={name: _number(run.parameters[name], own[name]) for name in own},
        distributions=own,
        user_attrs={_KEY: run.key, "name": run.name, **run.texts, **run.results},
        # Above 0: violated. A study's best trials are then chosen from those within their budgets.
        system_attrs={"constraints": [0.0 if run.is_within_budget else 1.0]},
        intermediate_values=_intermediate(run, objectives),
    )
    trial.datetime_start = _time(run.started)
    trial.datetime_complete = _time(run.ended)
    return trial


def _number(value: Parameter, distribution: Any) -> Parameter:
    is_real = type(distribution).__name__ == "FloatDistribution"
    return float(value) if is_real and isinstance(value, int) else value


def _intermediate(run: ExportedRun, objectives: Sequence[str]) -> dict[int, float]:
    """The curve of a single objective, on held-out images where there is one."""
    for split in ("validation", "test"):
        name = f"{split}/{objectives[0]}"
        curve = {step: values[name] for step, values in run.curves.items() if name in values}
        if curve and len(objectives) == 1:
            return curve
    return {}


def _time(seconds: float | None) -> datetime.datetime | None:
    # Optuna's times are local and have no zone.
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds)


def _add(optuna: Any, study: Any, trial: Any) -> None:
    try:
        study.add_trial(trial)
    except ValueError as error:
        raise QbitoptError(
            f"study '{study.study_name}' refuses run {trial.user_attrs[_KEY][:10]}: {error}; "
            "the categories of a study must stay the same: name another study"
        ) from error
