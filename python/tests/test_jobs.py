"""A job's bits and files."""

import hashlib
import json

import pytest

import qbitopt


def test_the_allocation_is_the_final_bits_in_the_network_s_order(sweep):
    log = qbitopt.read(sweep.run())
    runs = log.runs
    run = runs[runs.budget_average_bits == 3].iloc[0]
    bits = log.allocation(run.job)
    assert dict(zip(bits.quantizer, bits.bits)) == {
        "stem.weight": 8,
        "stem.input": 8,
        "conv.weight": 3,
        "conv.input": 3,
    }
    assert bits.attrs["units"]["bits"] == "bits"
    assert len(log.allocation(runs[runs.method == "fp32"].job.iloc[0])) == 0


def test_the_network_s_files_are_those_that_the_job_left(sweep):
    log = qbitopt.read(sweep.run())
    run = log.view("runs", "method = 'fixed_precision' AND budget_limit = 4").iloc[0]
    network = log.network(run.job)
    assert network.key == run.key
    assert network.checkpoint.read_text() == f"weights of {run.key}"
    assert network.checkpoint.parent == network.folder
    assert json.loads(network.exports["allocation"].read_text()) == {"conv.weight": 4}
    content = network.checkpoint.read_bytes()
    stored = log.sql("SELECT sha256 FROM artifact WHERE name = 'model'").sha256
    assert hashlib.sha256(content).hexdigest() in set(stored)


def test_files_that_are_gone_are_named_with_the_remedy(sweep):
    log = qbitopt.read(sweep.run())
    job = log.runs.job[0]
    log.network(job).checkpoint.unlink()
    with pytest.raises(qbitopt.QbitoptError, match=f"model: gone, job {job} left it.*retry {job}"):
        log.network(job)


def test_a_moved_database_finds_its_files(sweep):
    sweep.run()
    moved = sweep.folder.with_name("moved")
    sweep.folder.rename(moved)
    log = qbitopt.read(moved / "qbitopt.db")
    assert moved in log.network(log.runs.job[0]).checkpoint.parents


def test_jobs_are_named_by_the_first_digits_of_their_keys(example):
    log = qbitopt.read(example)
    key = log.runs.key[3]
    assert log.find_key(key[:10]) == key
    with pytest.raises(qbitopt.QbitoptError, match="no job 'xyz'.*log.runs.job"):
        log.find_key("xyz")
    with pytest.raises(qbitopt.QbitoptError, match="no job ''"):
        log.find_key("")
    digits = log.runs.key.str[0]
    digit = digits[digits.duplicated()].iloc[0]
    with pytest.raises(qbitopt.QbitoptError, match=f"'{digit}' could be any of .* more digits"):
        log.find_key(digit)


def test_a_job_that_is_not_finished_has_neither_bits_nor_files(example):
    log = qbitopt.read(example)
    runs = log.runs
    for state in ("failed", "running", "new"):
        job = runs[runs.state == state].job.iloc[0]
        for ask in (log.allocation, log.network):
            with pytest.raises(qbitopt.QbitoptError, match=f"is {state}, expected a finished one"):
                ask(job)


def test_a_job_that_left_no_files_says_so(example):
    log = qbitopt.read(example)
    runs = log.runs
    job = runs[runs.state == "finished"].job.iloc[0]
    with pytest.raises(qbitopt.QbitoptError, match=f"job {job} left no network.*retry {job}"):
        log.network(job)
