"""Opening: what is refused, and what is read beside a writer and where nothing can be written."""

import os
import re
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from conftest import ROOT

import qbitopt
from qbitopt import database

NOBODY = 65534


def with_version(file, version):
    with open(file, "r+b") as stream:
        stream.seek(60)
        stream.write(version.to_bytes(4, "big"))
    return file


def refusal(file):
    with pytest.raises(qbitopt.DatabaseError) as error:
        qbitopt.read(file)
    return str(error.value)


def test_an_older_schema_is_refused_with_both_versions_and_the_remedy(example):
    with pytest.raises(qbitopt.SchemaError) as error:
        qbitopt.read(with_version(example, 3))
    text = str(error.value)
    assert f"older qbitopt (schema 3, this package reads {database.SCHEMA_VERSION})" in text
    assert f"qbitopt db migrate --db {example}" in text


def test_a_newer_schema_is_refused_with_both_versions(example):
    text = refusal(with_version(example, 99))
    assert f"newer qbitopt (schema 99, this package reads {database.SCHEMA_VERSION})" in text
    assert "install the Python package" in text


def test_a_database_that_is_migrated_meanwhile_is_refused_too(example):
    log = qbitopt.read(example)
    with_version(example, database.SCHEMA_VERSION + 1)
    with pytest.raises(qbitopt.SchemaError):
        log.runs


def test_the_schema_is_the_one_that_the_program_writes():
    source = (ROOT / "src/qbitopt/runlog/migrations.h").read_text()
    assert int(re.search(r"kSchemaVersion = (\d+)", source)[1]) == database.SCHEMA_VERSION


def test_what_is_no_run_log_is_refused(tmp_path):
    file = tmp_path / "a.db"
    assert "no such database; `qbitopt run` creates one" in refusal(file)
    file.touch()
    assert "an empty file" in refusal(file)
    file.write_text("not a database" * 100)
    assert "not a SQLite database" in refusal(file)
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE other (x)")
    connection.close()
    assert "another program (application id 0x00000000, expected 0x51424f50)" in refusal(file)
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        assert "a folder, a device or a pipe" in refusal(other)


def test_a_damaged_file_is_named(example):
    with open(example, "r+b") as stream:
        stream.seek(100)
        stream.write(b"\xff" * 4000)
    with pytest.raises(qbitopt.DatabaseError, match="damaged.*qbitopt db check"):
        qbitopt.read(example).runs


def test_names_with_signs_of_uris_are_read(example):
    file = example.with_name("a b%?#.db")
    example.rename(file)
    assert len(qbitopt.read(file).runs) > 0


def test_nothing_can_be_changed(example):
    log = qbitopt.read(example)
    before = example.read_bytes()
    for change in ("DELETE FROM job", "DROP VIEW runs", "CREATE TABLE x (y)"):
        with pytest.raises(qbitopt.DatabaseError, match="readonly|read-only|query_only"):
            log.sql(change)
    other = example.with_name("other.db")
    shutil.copy(example, other)
    with pytest.raises(qbitopt.QbitoptError):
        log.sql(f"ATTACH '{other}' AS other")
    assert example.read_bytes() == before


def test_runs_are_read_while_a_sweep_runs(sweep):
    driver = sweep.start('[{"do": "finish", "steps": 10, "step_seconds": 0.1}]')
    while not sweep.database.exists() or sweep.database.stat().st_size == 0:
        time.sleep(0.02)
    log = qbitopt.read(sweep.database)
    finished = []
    while driver.poll() is None:
        finished.append(int((log.runs.state == "finished").sum()))
        time.sleep(0.02)
    assert driver.wait() == 0, driver.stdout.read()
    assert set(log.runs.state) == {"finished"}
    assert finished == sorted(finished)
    jobs = len(log.runs)
    assert [n for n in finished if 0 < n < jobs], "nothing was read in the middle of the run"


def test_a_log_that_was_read_does_not_keep_the_file(example):
    """A driver that ends makes one plain file of it, for which nobody else may have it open."""
    writer = sqlite3.connect(example, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    log = qbitopt.read(example)
    assert len(log.runs) > 0
    assert writer.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    writer.close()
    assert len(log.runs) > 0


def test_a_locked_file_is_waited_for_no_longer_than_allowed(example):
    writer = sqlite3.connect(example, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    log = qbitopt.read(example, busy_seconds=0.2)
    begun = time.monotonic()
    with pytest.raises(qbitopt.DatabaseError, match="another program is writing.*busy_seconds"):
        log.runs
    assert 0.15 < time.monotonic() - begun < 20
    writer.execute("ROLLBACK")
    assert len(log.runs) > 0
    writer.close()


def test_a_writer_in_write_ahead_mode_does_not_disturb(example):
    log = qbitopt.read(example, busy_seconds=0.2)
    jobs = len(log.runs)
    writer = sqlite3.connect(example, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE job SET state = 'failed'")
    assert (log.runs.state == "finished").any()
    assert len(log.runs) == jobs
    writer.execute("ROLLBACK")
    writer.close()


def as_nobody(action):
    """What `action` gives, as text, to one who may not write: to root, permissions mean nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            text = str(action())
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writing, text.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return text


@pytest.fixture
def shelf(example):
    """A folder to be sealed, which everyone may enter."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="qbitopt-"))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def seal(folder):
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    return sorted(file.name for file in folder.iterdir())


def count_of_failed(file):
    return int((qbitopt.read(file).runs.state == "failed").sum())


def left_open(example, shelf, names):
    """Files as a killed writer left them, a change of all jobs still in the log."""
    writer = sqlite3.connect(example, isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("UPDATE job SET state = 'failed', attempt_id = NULL")
    for name in names:
        shutil.copy(example.with_name(name), shelf)
    writer.close()
    return shelf / example.name


def test_a_file_in_write_ahead_mode_is_read_in_a_sealed_folder(example, shelf):
    with sqlite3.connect(example) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    file = Path(shutil.copy(example, shelf))
    names = seal(shelf)
    assert as_nobody(lambda: len(qbitopt.read(file).runs)) == str(len(qbitopt.read(example).runs))
    assert sorted(f.name for f in shelf.iterdir()) == names == ["qbitopt.db"]


def test_what_waits_in_a_log_is_read_in_a_sealed_folder_too(example, shelf):
    file = left_open(example, shelf, ["qbitopt.db", "qbitopt.db-wal", "qbitopt.db-shm"])
    seal(shelf)
    jobs = len(qbitopt.read(example).runs)
    assert as_nobody(lambda: count_of_failed(file)) == str(jobs)


def test_a_log_that_cannot_be_read_is_not_passed_over(example, shelf):
    file = left_open(example, shelf, ["qbitopt.db", "qbitopt.db-wal"])
    seal(shelf)
    text = as_nobody(lambda: count_of_failed(file))
    assert text.startswith("DatabaseError")
    assert "Copy it, with qbitopt.db-wal if there is one" in text


def test_what_a_killed_writer_left_is_not_shown(example, shelf):
    writer = sqlite3.connect(example, isolation_level=None)
    writer.execute("PRAGMA cache_size = 5")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("CREATE TABLE half (x)")
    for _ in range(1000):
        writer.execute("INSERT INTO half VALUES (randomblob(500))")
    for name in ("qbitopt.db", "qbitopt.db-journal"):
        shutil.copy(example.with_name(name), shelf)
    writer.execute("ROLLBACK")
    writer.close()
    seal(shelf)
    text = as_nobody(lambda: len(qbitopt.read(shelf / "qbitopt.db").runs))
    assert "Someone who may write to its folder has to open it once: `qbitopt ls --db" in text


def test_a_file_that_changes_while_it_is_read_without_locks_is_read_again(example, monkeypatch):
    monkeypatch.setattr(database, "_is_sealed", lambda file: True)
    counts = []

    def action(connection):
        counts.append(connection.execute("SELECT count(*) FROM job").fetchone()[0])
        if len(counts) == 1:
            with sqlite3.connect(example) as writer:
                writer.execute("PRAGMA foreign_keys = OFF")
                writer.execute("DELETE FROM job WHERE state = 'new'")
            writer.close()
        return counts[-1]

    assert database.read_database(example, 1, action) == counts[1] < counts[0]
