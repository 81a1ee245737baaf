"""Runs as runs of Weights & Biases, through wandb.init() and Run.log()."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable

from qbitopt.export import ExportedRun
from qbitopt.frames import need

_DIGITS_OF_ID = 32


def to_wandb(
    runs: Iterable[ExportedRun],
    project: str,
    mode: str | None,
    directory: Path,
    entity: str | None,
) -> list[str]:
    wandb = need("wandb")
    return [_store(wandb, run, project, mode, directory, entity) for run in runs]


def _store(
    wandb: Any,
    run: ExportedRun,
    project: str,
    mode: str | None,
    directory: Path,
    entity: str | None,
) -> str:
    # This process is not the one that trained: its output, machine and repository say nothing.
    settings = wandb.Settings(
        console="off",
        silent=True,
        disable_git=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
    )
    stored = wandb.init(
        project=project,
        entity=entity,
        dir=directory,
        id=run.key[:_DIGITS_OF_ID],
        name=run.name,
        group=run.config_key[:_DIGITS_OF_ID],
        job_type=run.method,
        tags=run.texts.get("sweeps", "").split(),
        config=dict(run.parameters),
        mode=mode,
        reinit="create_new",
        settings=settings,
    )
    try:
        for step, values in run.curves.items():
            stored.log(dict(values), step=step)
        if run.bits:
            table = wandb.Table(columns=["quantizer", "bits"], data=list(run.bits.items()))
            stored.log({"allocation": table}, step=max(run.curves, default=0))
        stored.summary.update(dict(run.results))
        stored.summary.update({"qbitopt": dict(run.texts, key=run.key)})
    finally:
        stored.finish(exit_code=0 if run.is_finished else 1)
    return str(stored.id)
