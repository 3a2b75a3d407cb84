"""The two sessions (decisions.md 5): one that only reads, and the unit of work, the only way to write."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.core.errors import DomainError

_BUSY_SECONDS = 10.0
_WRITER_LOCK = 7367  # any number: the name of our advisory lock on PostgreSQL
_LIMITS = "54"  # PostgreSQL's class "program limit exceeded"
_writing = threading.local()


class DatabaseBusyError(DomainError):
    """No write lock within ten seconds. What was asked for was not done, and can be asked again."""


def is_unavailable(error: Exception) -> bool:
    """Whether the database itself is in trouble (locked, full, gone), so that the same will work later. A statement it
    can never carry out, over one of its limits, is the trouble of whatever the statement was about."""
    if not isinstance(error, OperationalError):
        return isinstance(error, DatabaseBusyError)
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    return not str(getattr(error.orig, "sqlstate", None) or "").startswith(_LIMITS)


class ReadSession(Session):
    """Serves GETs and lookups. Anything that would write is a programming error."""

    def flush(self, objects: Any = None) -> None:
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("a read session was asked to write; use a unit of work")


class UnitOfWork:
    """One transaction. What was read inside it may be decided on: there is one writer at a time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._kinds: list[str] = []

    def wake(self, kind: str) -> None:
        """Wake the workers of this kind of work after the commit."""
        if kind not in self._kinds:
            self._kinds.append(kind)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._kinds)


class Database:
    """Engines and sessions for one URL.

    Args:
        url: an SQLAlchemy URL, `sqlite:///...` or `postgresql+psycopg://...`.
        wake: called after a commit, once for each kind of work that became due.
    """

    def __init__(self, url: str, *, wake: Callable[[str], None] = lambda kind: None) -> None:
        self.url = make_url(url)
        self.wake = wake
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.reader = self._engine(writes=False)
        self.writer = self._engine(writes=True)

    def _engine(self, *, writes: bool) -> Engine:
        """`hide_parameters`: what a statement carries is in no error, as errors are logged."""
        if not self.is_sqlite:
            options = "" if writes else "-c default_transaction_read_only=on"
            args: dict[str, Any] = {"options": options}
            engine = create_engine(self.url, pool_pre_ping=True, hide_parameters=True, connect_args=args)
            if writes:
                event.listen(engine, "begin", _take_writer_lock)
            return engine
        # timeout=0: the driver never waits; the writer's own short retry does (measured: 80 ms instead of 1 s at p95).
        # A reader waits only while another process opens the database first, or closes it last.
        args = {"timeout": 0 if writes else 5, "check_same_thread": False}
        engine = create_engine(self.url, hide_parameters=True, connect_args=args)
        event.listen(engine, "connect", _prepare_writer if writes else _prepare_reader)
        event.listen(engine, "begin", _begin_immediate if writes else _begin_deferred)
        return engine

    @contextmanager
    def read_session(self) -> Iterator[Session]:
        """A session that sees one consistent state and cannot write."""
        with ReadSession(self.reader, autoflush=False) as session:
            yield session

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """A transaction that commits at the end of the block and then wakes what became due.

        Raises DatabaseBusyError when another writer holds the database for ten seconds.
        """
        if is_writing():
            raise RuntimeError("a unit of work is already open in this thread")
        _writing.flag = True
        try:
            with Session(self.writer, autoflush=True, expire_on_commit=False) as session:
                unit = UnitOfWork(session)
                session.connection()  # BEGIN now: the lock comes before the first read
                yield unit
                session.commit()
        finally:
            _writing.flag = False
        for kind in unit.kinds:
            self.wake(kind)

    def dispose(self) -> None:
        """Close every connection."""
        self.reader.dispose()
        self.writer.dispose()


def is_writing() -> bool:
    """Whether this thread has a unit of work open. No outside call may be made while it is."""
    return bool(getattr(_writing, "flag", False))


def _prepare(connection: sqlite3.Connection) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-8000"):
        # Busy for a moment while another process opens the database first, or closes it last.
        _retry(lambda statement=f"PRAGMA {pragma}": connection.execute(statement))  # type: ignore[misc]


def _prepare_writer(connection: sqlite3.Connection, record: object) -> None:
    _retry(lambda: connection.execute("PRAGMA journal_mode=WAL"))
    _prepare(connection)


def _prepare_reader(connection: sqlite3.Connection, record: object) -> None:
    _prepare(connection)
    connection.execute("PRAGMA query_only=ON")


def _begin_deferred(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    _retry(lambda: connection.exec_driver_sql("BEGIN IMMEDIATE"))


def _take_writer_lock(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = '{int(_BUSY_SECONDS)}s'"))
    try:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})"))
    except OperationalError as error:
        raise DatabaseBusyError("The database is busy. Please try again in a moment.") from error


def _retry(begin: Callable[[], object]) -> None:
    """Ask again every 1-3 ms (decisions.md 5): SQLite's own busy handler backs off far too slowly."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            begin()
        except (sqlite3.OperationalError, OperationalError) as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise
            if time.monotonic() > give_up:
                raise DatabaseBusyError("The database is busy. Please try again in a moment.") from error
            time.sleep(0.001 + 0.002 * random.random())  # noqa: S311 - jitter, not a secret
        else:
            return
