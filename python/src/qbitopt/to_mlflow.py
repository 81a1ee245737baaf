"""Runs as runs of MLflow, through mlflow.MlflowClient."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Sequence

from qbitopt.export import ExportedRun
from qbitopt.frames import need

# What MLflow accepts in one call.
_METRICS_PER_CALL = 1000
_PARAMETERS_PER_CALL = 100


def to_mlflow(runs: Iterable[ExportedRun], experiment: str, tracking_uri: str | None) -> list[str]:
    mlflow = need("mlflow")
    client = mlflow.MlflowClient(tracking_uri=tracking_uri)
    found = client.get_experiment_by_name(experiment)
    place = client.create_experiment(experiment) if found is None else found.experiment_id
    return [_stored(client, place, run) or _store(mlflow, client, place, run) for run in runs]


def _stored(client: Any, experiment: str, run: ExportedRun) -> str:
    """The run that was stored completely; one that was cut short is deleted. Empty: none."""
    for stored in client.search_runs([experiment], f"tags.`qbitopt.key` = '{run.key}'"):
        if stored.info.status in ("FINISHED", "FAILED"):
            return str(stored.info.run_id)
        client.delete_run(stored.info.run_id)
    return ""


def _store(mlflow: Any, client: Any, experiment: str, run: ExportedRun) -> str:
    entities = mlflow.entities
    tags = {f"qbitopt.{name}": text for name, text in run.texts.items()}
    tags["qbitopt.key"] = run.key
    started, ended = _milliseconds(run.started), _milliseconds(run.ended)
    stored = client.create_run(experiment, start_time=started, tags=tags, run_name=run.name)
    run_id = str(stored.info.run_id)
    parameters = [
        entities.Param(name, str(value))
        for name, value in run.parameters.items()
        if value is not None
    ]
    for part in _parts(parameters, _PARAMETERS_PER_CALL):
        client.log_batch(run_id, params=part)
    # A view does not say when a point was measured.
    time = ended or 0
    last = max(run.curves, default=0)
    metrics = [
        entities.Metric(name, value, time, step)
        for step, values in run.curves.items()
        for name, value in values.items()
    ]
    metrics += [entities.Metric(name, value, time, last) for name, value in run.results.items()]
    for part in _parts(metrics, _METRICS_PER_CALL):
        client.log_batch(run_id, metrics=part)
    if run.bits:
        client.log_dict(run_id, dict(run.bits), "allocation.json")
    client.set_terminated(run_id, "FINISHED" if run.is_finished else "FAILED", end_time=ended)
    return run_id


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
