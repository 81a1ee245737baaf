"""What `qbitopt export` writes, read back by the programs that it is for: TensorBoard and DuckDB."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import qbitopt


def export(program, database, *words, path=None):
    environment = os.environ if path is None else dict(os.environ, PATH=path)
    return subprocess.run(
        [program, "export", "--db", database, *words],
        env=environment,
        capture_output=True,
        text=True,
    )


def folders(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


@pytest.fixture
def read_events():
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )

    def read(folder):
        events = event_accumulator.EventAccumulator(str(folder), {"scalars": 0, "tensors": 0})
        events.Reload()
        return events

    return read


def folder_of(run):
    """Other letters than these never reach a folder's name."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", f"{run.method}-{run.job}")


def hparams_of(events, tag):
    """Data of the plugin, as it reads them itself."""
    metadata = pytest.importorskip("tensorboard.plugins.hparams.metadata")
    content = events.SummaryMetadata(f"_hparams_/{tag}").plugin_data.content
    parse = {
        "experiment": metadata.parse_experiment_plugin_data,
        "session_start_info": metadata.parse_session_start_info_plugin_data,
        "session_end_info": metadata.parse_session_end_info_plugin_data,
    }[tag]
    return parse(content)


def test_tensorboard_reads_curves_results_and_parameters_of_every_run(
    example, program, tmp_path, read_events
):
    done = export(program, example, "--format", "tensorboard", "-o", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    log = qbitopt.read(example)
    runs = log.runs[log.runs.state != "new"]
    runs = runs[runs.started_at.notna()]
    assert folders(tmp_path / "runs") == sorted(folder_of(run) for _, run in runs.iterrows())
    for _, run in runs.iterrows():
        events = read_events(tmp_path / "runs" / folder_of(run))
        found = {
            (tag, event.step): event.value
            for tag in events.Tags()["scalars"]
            for event in events.Scalars(tag)
        }
        curves = log.view("curves", "key = ? AND value IS NOT NULL", [run.key])
        for _, point in curves.iterrows():
            tag = f"{point.split}/{point.metric}"
            assert math.isclose(found[tag, point.step], point.value, rel_tol=1e-6)
        names = {tag for tag, _ in found if not tag.startswith("result/")}
        assert names == set(curves.split + "/" + curves.metric)
        if run.state == "finished":
            assert math.isclose(found["result/top1", run.steps], run.top1, rel_tol=1e-6)
        start = hparams_of(events, "session_start_info")
        assert start.group_name == run.config_key
        assert start.hparams["method"].string_value == run.method
        assert start.hparams["seed"].number_value == run.seed
        if run.state in ("finished", "failed"):
            end = hparams_of(events, "session_end_info")
            assert end.status == {"finished": 1, "failed": 2}[run.state]


def test_the_experiment_names_axes_and_results(example, program, tmp_path, read_events):
    export(program, example, "--format", "tensorboard", "-o", tmp_path / "runs")
    experiment = hparams_of(read_events(tmp_path / "runs"), "experiment")
    parameters = {info.name: info for info in experiment.hparam_infos}
    assert {"method", "seed"} <= set(parameters)
    methods = {value.string_value for value in parameters["method"].domain_discrete.values}
    assert methods == set(qbitopt.read(example).runs.method)
    assert "model" not in parameters, "all runs have one network"
    assert "result/top1" in {info.name.tag for info in experiment.metric_infos}


def test_the_hparams_table_of_tensorboard_lists_the_runs(example, program, tmp_path):
    """Through the plugin itself, as its web page asks."""
    pytest.importorskip("tensorboard")
    export(program, example, "--format", "tensorboard", "-o", tmp_path / "runs")
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import (
        api_pb2,
        backend_context,
        get_experiment,
        list_session_groups,
    )

    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(tmp_path / "runs"))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(tmp_path / "runs"))
    context = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = RequestContext()
    ask = api_pb2.GetExperimentRequest()
    experiment = get_experiment.Handler(request, context, "", ask).run()
    assert {info.name.tag for info in experiment.metric_infos} >= {"result/top1"}
    ask = api_pb2.ListSessionGroupsRequest(
        start_index=0,
        slice_size=1000,
        allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_UNKNOWN],
        col_params=[api_pb2.ColParams(metric=info.name) for info in experiment.metric_infos],
    )
    groups = list_session_groups.Handler(request, context, "", ask).run().session_groups
    runs = qbitopt.read(example).view("runs", "started_at IS NOT NULL")
    assert {group.name for group in groups} == set(runs.config_key)
    assert sum(len(group.sessions) for group in groups) == len(runs)


def test_filters_choose_runs_and_a_second_export_replaces_the_first(
    example, program, tmp_path, read_events
):
    words = ["--format", "tensorboard", "-o", tmp_path / "runs", "--sweep", "example"]
    words += ["--where", "method = 'qbitopt' AND state = 'finished'"]
    for _ in range(2):
        done = export(program, example, *words)
        assert done.returncode == 0, done.stderr
    chosen = qbitopt.read(example).view("runs", "method = 'qbitopt' AND state = 'finished'")
    assert folders(tmp_path / "runs") == sorted("qbitopt-" + chosen.job)
    folder = tmp_path / "runs" / f"qbitopt-{chosen.job.iloc[0]}"
    assert len(list(folder.iterdir())) == 1
    assert len(read_events(folder).Scalars("result/top1")) == 1
    wrong = export(program, example, *words[:-1], "methud = 1")
    assert wrong.returncode == 2 and "methud" in wrong.stderr
    unknown = export(program, example, *words[:-3], "nothing")
    assert unknown.returncode == 2 and "unknown sweep 'nothing'" in unknown.stderr


def duckdb():
    found = shutil.which("duckdb") or shutil.which("duckdb", path=Path(sys.executable).parent)
    if found is None:
        pytest.skip("no program duckdb (pip install duckdb-cli)")
    return found


def test_parquet_has_the_rows_and_their_types(example, program, tmp_path):
    program_folder = os.path.dirname(duckdb())
    folder = tmp_path / "it's here"
    done = export(
        program,
        example,
        *("runs", "bits", "--format", "parquet", "-o", folder),
        path=f"{program_folder}:{os.environ['PATH']}",
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["bits.parquet", "runs.parquet"]
    query = "SELECT key, top1, seed, error_text FROM 'runs.parquet' ORDER BY key"
    rows = json.loads(
        subprocess.run(
            [duckdb(), "-json", "-c", query], cwd=folder, check=True, capture_output=True, text=True
        ).stdout
    )
    runs = qbitopt.read(example).view("runs").sort_values("key")
    assert [row["key"] for row in rows] == list(runs.key)
    assert [row["seed"] for row in rows] == list(runs.seed)
    for row, top1 in zip(rows, runs.top1):
        assert (row["top1"] is None) == math.isnan(top1)
        assert row["top1"] is None or math.isclose(row["top1"], top1)
    described = subprocess.run(
        [duckdb(), "-csv", "-c", "SELECT typeof(key), typeof(top1) FROM 'runs.parquet' LIMIT 1"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert described.splitlines()[1] == "VARCHAR,DOUBLE"


def test_parquet_without_duckdb_prints_a_line_that_works(example, program, tmp_path):
    folder = tmp_path / "rows"
    done = export(program, example, "--format", "parquet", "-o", folder, path="/usr/bin:/bin")
    if done.returncode == 0:
        pytest.skip("duckdb is in /usr/bin")
    assert done.returncode == 2
    assert "there is no program `duckdb`" in done.stderr
    line = done.stderr.strip().splitlines()[-1].strip()
    environment = dict(os.environ, PATH=f"{os.path.dirname(duckdb())}:{os.environ['PATH']}")
    subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True)
    assert (folder / "runs.parquet").exists()
