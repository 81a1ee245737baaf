"""Runs in MLflow, Weights & Biases and Optuna, read back through each package."""

import json
import math
import struct

import pytest

import qbitopt


@pytest.fixture
def log(example):
    return qbitopt.read(example)


def exported(log, where=""):
    runs = log.view("runs", where)
    return runs[runs.state.isin(["finished", "failed"])].set_index("key")


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # MLflow puts artifacts into ./mlruns
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    pytest.importorskip("sqlalchemy")
    return pytest.importorskip("mlflow")


def test_mlflow_has_every_run_with_parameters_results_curves_and_bits(log, mlflow, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    where = "method IN ('fp32', 'qbitopt', 'random_allocation')"
    ids = log.to_mlflow("mine", sweep="example", where=where, tracking_uri=uri)
    runs = exported(log, where)
    assert len(ids) == len(set(ids)) == len(runs) == 11
    assert set(runs.state) == {"finished", "failed"}
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("mine").experiment_id
    stored = {run.data.tags["qbitopt.key"]: run for run in client.search_runs([experiment])}
    assert set(stored) == set(runs.index)
    for key, run in stored.items():
        row = runs.loc[key]
        assert run.info.status == ("FINISHED" if row.state == "finished" else "FAILED")
        assert run.info.start_time == pytest.approx(row.started_at.timestamp() * 1000, abs=1)
        assert run.info.end_time == pytest.approx(row.ended_at.timestamp() * 1000, abs=1)
        assert run.data.params["method"] == row.method
        assert run.data.params["training.learning_rate"] == "0.02"
        assert run.data.tags["qbitopt.cpu"] == "AMD EPYC 9R14"
        if row.state == "finished":
            assert run.data.metrics["top1"] == row.top1
            assert run.data.metrics["weight_bits"] == row.weight_bits
            assert run.data.metrics["seconds"] == row.seconds
        else:
            assert run.data.tags["qbitopt.error_text"] == row.error_text
    key = runs[(runs.method == "qbitopt")].index[0]
    points = client.get_metric_history(stored[key].info.run_id, "train/loss")
    curve = log.view("curves", "key = ? AND metric = 'loss' AND split = 'train'", [key])
    assert [(p.step, p.value) for p in points] == list(zip(curve.step, curve.value))
    file = client.download_artifacts(stored[key].info.run_id, "allocation.json", tmp_path)
    bits = log.allocation(key)
    assert json.load(open(file)) == dict(zip(bits.quantizer, bits.bits))


def test_mlflow_takes_a_run_once_and_completes_what_was_cut_short(log, mlflow, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    where = "method = 'fixed_precision' AND budget_limit > 2"
    first = log.to_mlflow("mine", where=where, tracking_uri=uri)
    client = mlflow.MlflowClient(tracking_uri=uri)
    client.update_run(first[0], status="RUNNING")
    second = log.to_mlflow("mine", where=where, tracking_uri=uri)
    assert second[1:] == first[1:] and second[0] != first[0]
    experiment = client.get_experiment_by_name("mine").experiment_id
    assert len(client.search_runs([experiment])) == len(first) == 4


@pytest.fixture
def wandb(monkeypatch, tmp_path):
    for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return pytest.importorskip("wandb")


def messages_of(data):
    """Of a log in LevelDB's format: blocks of 32 KiB with parts of messages, after 7 bytes."""
    size, place, message = 32768, 7, b""
    while place + 7 <= len(data):
        if size - place % size < 7:  # what is too short for a part is padding
            place += size - place % size
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        message += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield message
            message = b""


def records_of(folder):
    """What a run left for `wandb sync`."""
    from wandb.proto import wandb_internal_pb2

    (file,) = folder.glob("*.wandb")
    return [wandb_internal_pb2.Record.FromString(m) for m in messages_of(file.read_bytes())]


def name_of(item):
    return item.key or ".".join(item.nested_key)


def test_wandb_has_every_run_with_config_history_and_summary(log, wandb, tmp_path):
    where = "method IN ('qbitopt', 'random_allocation') AND budget_limit = 2.5"
    ids = log.to_wandb("mine", where=where, mode="offline", directory=tmp_path)
    runs = log.view("runs", where).set_index("key")
    assert sorted(ids) == sorted(key[:32] for key in runs.index) and len(ids) == 4
    for key, row in runs.iterrows():
        (folder,) = (tmp_path / "wandb").glob(f"offline-run-*-{key[:32]}")
        records = records_of(folder)
        (run,) = [r.run for r in records if r.WhichOneof("record_type") == "run"]
        assert run.project == "mine" and run.job_type == row.method
        assert run.run_group == row.config_key[:32]
        assert list(run.tags) == ["example"]
        config = {name_of(u): json.loads(u.value_json) for u in run.config.update}
        assert config["seed"] == row.seed and config["budget.average_bits"] == 2.5
        history = {}
        for record in records:
            if record.WhichOneof("record_type") == "history":
                values = {name_of(item): item.value_json for item in record.history.item}
                if "train/loss" in values:
                    history[int(values["_step"])] = float(values["train/loss"])
        curve = log.view("curves", "key = ? AND metric = 'loss' AND split = 'train'", [key])
        assert history == dict(zip(curve.step, curve.value))
        summary = {}
        for record in records:
            if record.WhichOneof("record_type") == "summary":
                summary.update({name_of(u): u.value_json for u in record.summary.update})
        (exit_code,) = [r.exit.exit_code for r in records if r.WhichOneof("record_type") == "exit"]
        assert (exit_code == 0) == (row.state == "finished")
        if row.state == "finished":
            assert float(summary["top1"]) == row.top1
            assert int(summary["allocation.nrows"]) == len(log.allocation(key))


def test_optuna_has_every_run_as_a_trial(log):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = log.to_optuna(sweep="example")
    runs = exported(log)
    trials = {trial.user_attrs["qbitopt_key"]: trial for trial in study.trials}
    assert set(trials) == set(runs.index)
    for key, trial in trials.items():
        row = runs.loc[key]
        assert trial.state.name == ("COMPLETE" if row.state == "finished" else "FAIL")
        assert trial.params["method"] == row.method and trial.params["seed"] == row.seed
        if math.isnan(row.budget_average_bits):
            assert "budget.average_bits" not in trial.params
        else:
            assert trial.params["budget.average_bits"] == row.budget_average_bits
        if row.state == "finished":
            assert trial.value == row.top1
            assert trial.duration.total_seconds() == pytest.approx(
                (row.ended_at - row.started_at).total_seconds(), abs=1e-3
            )
    # All runs agree in the first, and those that have the second: they are no axes.
    for name in ("training.learning_rate", "reallocation.tau"):
        assert not [trial for trial in study.trials if name in trial.params]
    assert study.direction.name == "MAXIMIZE"
    within = runs[(runs.state == "finished") & (runs.budget_met.fillna(True))]
    assert study.best_trial.user_attrs["qbitopt_key"] == within.top1.idxmax()


def test_optuna_s_best_trial_is_within_its_budget(log):
    pytest.importorskip("optuna")
    where = "method = 'penalty' AND (seed = 0 OR budget_limit = 3)"
    study = log.to_optuna(where=where)
    runs = log.view("runs", where).set_index("key")
    met = runs[runs.budget_met.fillna(False).astype(bool)]
    assert 0 < len(met) < len(runs), "the example has runs above their budget"
    assert study.best_trial.user_attrs["qbitopt_key"] == met.top1.idxmax()
    assert study.best_trial.value < runs.top1.max()


def test_optuna_goes_on_from_the_runs(log, tmp_path):
    """A stored study takes a run once, has several objectives, and takes a sampler's own trials."""
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = f"sqlite:///{tmp_path}/optuna.db"
    arguments = dict(where="method = 'qbitopt'", objective=["top1", "weight_bytes"])
    study = log.to_optuna(storage=storage, study_name="mine", **arguments)
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    again = log.to_optuna(storage=storage, study_name="mine", **arguments)
    assert len(again.trials) == len(study.trials) == 6
    assert log.to_optuna(again, **arguments) is again
    again.optimize(
        lambda trial: (trial.suggest_float("budget.average_bits", 2.5, 4), 1), n_trials=2
    )
    assert len(again.trials) == 8
    with pytest.raises(qbitopt.QbitoptError, match="has 2 objectives, expected 1: top1"):
        log.to_optuna(again, where="method = 'qbitopt'")


def test_an_objective_that_a_run_has_not_lists_what_it_has(log):
    pytest.importorskip("optuna")
    with pytest.raises(qbitopt.QbitoptError, match="has no 'accuracy', expected one of: .*top1"):
        log.to_optuna(objective="accuracy")


def test_an_unknown_sweep_lists_the_known_ones(log):
    pytest.importorskip("optuna")
    with pytest.raises(qbitopt.QbitoptError, match="unknown sweep 'quick'.*known: example"):
        log.to_optuna(sweep="quick")


def test_a_missing_tracker_is_named_with_its_remedy(log, monkeypatch):
    for package in ("mlflow", "wandb", "optuna"):
        monkeypatch.setitem(__import__("sys").modules, package, None)
        with pytest.raises(qbitopt.QbitoptError, match=f"pip install {package}"):
            getattr(log, f"to_{package}")()
