"""A fresh database for each test: SQLite, or PostgreSQL where NIGHTDESK_TEST_DATABASE_URL names a server."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

from sqlalchemy import Dialect, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from portal.models import Base, Database

_number = count(1)
_dialects: dict[str, Dialect] = {}
_statements: dict[object, object] = {}
_made: list[Database] = []


def fresh_database(folder: Path, fill) -> Database:
    """A database whose tables hold what `fill(uow)` writes: made once a run, copied for each test."""
    server = os.environ.get("NIGHTDESK_TEST_DATABASE_URL")
    if server:
        return _kept(Database(copy_of_postgresql(server, _postgresql_template(server, fill))))
    target = folder / "t.sqlite3"
    shutil.copy(_sqlite_template(fill), target)
    return _kept(Database(f"sqlite:///{target}"))


def _kept(database: Database) -> Database:
    if database.is_sqlite:
        event.listen(database.writer, "connect", _leave_the_disk_alone)
    # Each statement is compiled once a process and not once a database: that was a third of the time of most tests.
    for engine in (database.reader, database.writer):
        engine.dialect = _dialects[engine.dialect.name]
        engine.update_execution_options(compiled_cache=_statements)
    _made.append(database)
    return database


def _leave_the_disk_alone(connection, record) -> None:
    """No test pulls the plug of the machine, and waiting for the disk at each commit is most of what many take."""
    connection.execute("PRAGMA synchronous=OFF")


def close_databases() -> None:
    """Drop the connections of every database a test was given, and what is a database of a server's."""
    while _made:
        database = _made.pop()
        database.dispose()
        server = os.environ.get("NIGHTDESK_TEST_DATABASE_URL")
        if server and not database.is_sqlite:
            _run(server, f"DROP DATABASE {database.url.database} WITH (FORCE)")


def empty_database_url(folder: Path) -> str:
    """The URL of a database without tables."""
    server = os.environ.get("NIGHTDESK_TEST_DATABASE_URL")
    if not server:
        return f"sqlite:///{folder / 'nightdesk.sqlite3'}"
    return copy_of_postgresql(server)


@cache
def _sqlite_template(fill) -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / "template.sqlite3"
    database = Database(f"sqlite:///{target}")
    event.listen(database.writer, "connect", _leave_the_disk_alone)
    _make(database, fill)
    with database.writer.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return target


@cache
def _postgresql_template(server: str, fill) -> str:
    name = f"t{os.getpid()}_{next(_number)}"
    _run(server, f"CREATE DATABASE {name}")
    database = Database(_url(server, name))
    _make(database, fill)
    _move_sequences(database)
    database.dispose()
    return name


def _make(database: Database, fill) -> None:
    Base.metadata.create_all(database.writer)
    with database.unit_of_work() as uow:
        fill(uow)
    _dialects.setdefault(database.writer.dialect.name, database.writer.dialect)


def _move_sequences(database: Database) -> None:
    """Rows that came with an id of their own do not move PostgreSQL's sequences: let them follow, as SQLite does."""
    with database.writer.connect() as connection:
        for table in Base.metadata.tables.values():
            if "id" in table.c:
                last = f'(SELECT coalesce(max(id), 0) + 1 FROM "{table.name}")'
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('\"{table.name}\"', 'id'), {last}, false)")
                )
        connection.commit()


def copy_of_postgresql(server: str, template: str = "template1") -> str:
    """The URL of a new database on this server, empty unless copied from another."""
    name = f"c{os.getpid()}_{next(_number)}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {template}{_by_copying(server)}")
    return _url(server, name)


@cache
def _by_copying(server: str) -> str:
    """Where there is a choice, copying the files is the faster way, as nothing waits for the disk."""
    with _administrator(server).connect() as connection:
        version = connection.dialect.server_version_info
    return " STRATEGY FILE_COPY" if version and version >= (15,) else ""


def _url(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _run(server: str, statement: str) -> None:
    with _administrator(server).connect() as connection:
        connection.execute(text(statement))


@cache
def _administrator(server: str) -> Engine:
    return create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
