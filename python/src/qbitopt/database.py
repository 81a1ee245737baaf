"""Opens a run log for reading.

A sweep may be writing to the file meanwhile, and the folder may be read-only. SQLite needs help
with the second: a reader of a file in write-ahead mode has to create "-wal" and "-shm" beside it,
and fails where it may not. `immutable=1` makes SQLite read the file alone, without locks; that is
right only if nothing has been left in a log or a journal, and nobody writes meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Callable, TypeVar
from urllib.parse import quote

from qbitopt.errors import DatabaseError, SchemaError

SCHEMA_VERSION = 6  # of the databases that this package reads; kSchemaVersion in migrations.h
APPLICATION_ID = 0x51424F50  # "QBOP"
OLDEST_SQLITE = (3, 37)  # the first that knows STRICT tables

Result = TypeVar("Result")

_MOST_TRIES = 5


def check_file(file: Path) -> None:
    """Raises DatabaseError unless the header says that it is a database of our version."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise DatabaseError(f"{file}: a folder, a device or a pipe; name the database's file")
        with open(file, "rb") as stream:
            header = stream.read(100)
    except FileNotFoundError:
        raise DatabaseError(f"{file}: no such database; `qbitopt run` creates one") from None
    except OSError as error:
        raise DatabaseError(f"{file}: {error.strerror}; name a file that you may read") from None
    if not header:
        raise DatabaseError(f"{file}: an empty file; `qbitopt run` fills it")
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise DatabaseError(f"{file}: not a SQLite database; expected one that `qbitopt run` wrote")
    application = int.from_bytes(header[68:72], "big")
    if application != APPLICATION_ID:
        raise DatabaseError(
            f"{file}: a database of another program (application id {application:#010x}, expected "
            f"{APPLICATION_ID:#010x}); name one that `qbitopt run` wrote"
        )
    version = int.from_bytes(header[60:64], "big")
    if version < SCHEMA_VERSION:
        raise SchemaError(
            f"{file}: written by an older qbitopt (schema {version}, this package reads "
            f"{SCHEMA_VERSION}); run `qbitopt db migrate --db {file}`"
        )
    if version > SCHEMA_VERSION:
        raise SchemaError(
            f"{file}: written by a newer qbitopt (schema {version}, this package reads "
            f"{SCHEMA_VERSION}); install the Python package of that qbitopt: `qbitopt db migrate` "
            "only leads to newer versions"
        )
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise DatabaseError(
            f"this Python has SQLite {sqlite3.sqlite_version}, expected at least "
            f"{'.'.join(map(str, OLDEST_SQLITE))}; use a newer Python, or read the output of "
            "`qbitopt export`"
        )


def read_database(
    file: Path, busy_seconds: float, action: Callable[[sqlite3.Connection], Result]
) -> Result:
    """Calls `action` with a connection that cannot write; all that it reads is of one moment.

    A locked file is waited for, `busy_seconds` at most. The connection lives no longer than the
    call, so that a reader never keeps a running sweep from emptying its write-ahead log.
    """
    for last in range(_MOST_TRIES):
        check_file(file)
        is_sealed = _is_sealed(file)
        before = _state(file)
        try:
            result = _read_once(file, is_sealed, busy_seconds, action)
        except sqlite3.Error as error:
            if is_sealed and _state(file) != before:
                continue
            raise _translated(file, error) from error
        # Without locks, what was read is of one moment only if nobody has written.
        if not is_sealed or _state(file) == before:
            return result
    raise DatabaseError(f"{file}: it changed while it was read, {_MOST_TRIES} times; read it again")


def _read_once(
    file: Path,
    is_sealed: bool,
    busy_seconds: float,
    action: Callable[[sqlite3.Connection], Result],
) -> Result:
    uri = _uri(file, "immutable=1" if is_sealed else "mode=ro")
    connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        return action(connection)
    finally:
        connection.close()


def _uri(file: Path, query: str) -> str:
    # An empty authority, so that a path may begin with two slashes.
    return "file://" + quote(os.fspath(file.absolute())) + "?" + query


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _is_sealed(file: Path) -> bool:
    """No file can be created beside it, and nothing waits there to be put into it."""
    return (
        not os.access(file.absolute().parent, os.W_OK)
        and _size(_beside(file, "-wal")) == 0
        and _size(_beside(file, "-journal")) == 0
    )


def _state(file: Path) -> tuple[int, ...] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    waiting = (_size(_beside(file, suffix)) for suffix in ("-wal", "-journal"))
    return (status.st_ino, status.st_size, status.st_mtime_ns, *waiting)


def _translated(file: Path, error: sqlite3.Error) -> DatabaseError:
    text = str(error)
    if "readonly database" in text:
        advice = (
            "a program was killed while it wrote to it. Someone who may write to its folder has to "
            f"open it once: `qbitopt ls --db {file}`"
        )
    elif "locked" in text or "busy" in text:
        advice = "another program is writing to it. Wait for it, or raise `busy_seconds`"
    elif "unable to open" in text:
        advice = (
            f"it cannot be opened in its folder. Copy it, with {file.name}-wal if there is one, "
            "to a folder where you may write"
        )
    elif "malformed" in text or "not a database" in text:
        advice = f"the file is damaged. `qbitopt db check --db {file}` says how far"
    else:
        advice = "`log.describe()` lists the views, `log.describe(VIEW)` their columns"
    return DatabaseError(f"{file}: {text}; {advice}")
