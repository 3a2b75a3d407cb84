"""The two sessions: one writer at a time, readers that cannot write."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, OperationalError

from portal.models import DatabaseBusyError, Lease, Queue, is_unavailable, is_writing
from portal.models import database as module

AT = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)


def test_what_a_unit_of_work_wrote_is_there_afterwards(database):
    with database.unit_of_work() as uow:
        uow.session.add(Queue(name="Night"))
    with database.read_session() as session:
        assert session.scalar(select(Queue.name).where(Queue.name == "Night")) == "Night"


def test_an_error_inside_leaves_nothing_and_wakes_nobody(database):
    woken = []
    database.wake = woken.append

    def fail():
        with database.unit_of_work() as uow:
            uow.session.add(Queue(name="Night"))
            uow.wake("triage")
            uow.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read_session() as session:
        assert session.scalar(select(Queue.id).where(Queue.name == "Night")) is None
    assert woken == []


def test_an_error_of_the_database_does_not_say_what_was_to_be_written(database):
    with pytest.raises(DatabaseError) as caught, database.unit_of_work() as uow:
        uow.session.execute(text("INSERT INTO nowhere (number) VALUES (:number)"), {"number": "+15550101"})
    assert "nowhere" in str(caught.value) and "+15550101" not in str(caught.value)


def test_wake_ups_follow_the_commit_once_a_kind(database):
    woken = []

    def wake(kind):
        with database.read_session() as session:
            woken.append((kind, session.scalar(select(Queue.id).where(Queue.name == "Night")) is not None))

    database.wake = wake
    with database.unit_of_work() as uow:
        uow.session.add(Queue(name="Night"))
        uow.wake("triage")
        uow.wake("triage")
    assert woken == [("triage", True)]


def test_a_read_session_refuses_to_flush(database):
    with database.read_session() as session:
        session.add(Queue(name="Night"))
        with pytest.raises(RuntimeError, match="read session"):
            session.commit()


def test_the_database_itself_refuses_a_write_by_a_reader(database):
    with database.read_session() as session, pytest.raises((OperationalError, DatabaseError)):
        session.execute(text("DELETE FROM queue"))


def test_a_second_unit_of_work_in_the_same_thread_is_a_mistake(database):
    with database.unit_of_work(), pytest.raises(RuntimeError, match="already open"), database.unit_of_work():
        pass
    assert not is_writing()


def test_what_is_read_inside_may_be_decided_on(database):
    """Two threads each add one to what they read: nothing is lost, whichever engine."""
    with database.unit_of_work() as uow:
        uow.session.add(Lease(name="n", owner="0", until=AT))

    def add_many():
        for _ in range(25):
            with database.unit_of_work() as uow:
                row = uow.session.get_one(Lease, "n")
                row.owner = str(int(row.owner) + 1)

    threads = [threading.Thread(target=add_many) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read_session() as session:
        assert session.get_one(Lease, "n").owner == "75"


def test_a_locked_database_gives_up_with_a_sentence(database, monkeypatch):
    monkeypatch.setattr(module, "_BUSY_SECONDS", 1.0)
    caught = []

    def write():
        try:
            with database.unit_of_work():
                pass
        except DatabaseBusyError as error:
            caught.append(str(error))

    with database.unit_of_work():
        other = threading.Thread(target=write)
        other.start()
        other.join()
    assert caught == ["The database is busy. Please try again in a moment."]


def test_times_come_back_as_they_went(database):
    at = datetime(2026, 12, 25, 2, 10, 0, 123456, tzinfo=UTC)
    with database.unit_of_work() as uow:
        uow.session.add(Lease(name="n", owner="a", until=at))
    with database.read_session() as session:
        assert session.scalar(select(Lease.until).where(Lease.until <= at)) == at


def test_a_time_without_a_zone_is_refused(database):
    with pytest.raises(Exception, match="zone"), database.unit_of_work() as uow:
        uow.session.add(Lease(name="n", owner="a", until=datetime(2026, 1, 1)))


def test_a_statement_over_a_limit_is_its_own_trouble_and_a_full_disk_the_databases(database):
    deep = {"sqlite": "SELECT " + "1+" * 2000 + "1", "postgresql": "SELECT repeat('x', 3000)::tsvector"}
    with pytest.raises(OperationalError) as caught, database.unit_of_work() as uow:
        uow.session.execute(text(deep[uow.session.get_bind().dialect.name]))
    assert not is_unavailable(caught.value)
    full = OperationalError("INSERT", {}, Exception("disk is full"))
    assert is_unavailable(full) and is_unavailable(DatabaseBusyError("busy")) and not is_unavailable(KeyError("x"))


@pytest.mark.sqlite
def test_a_full_or_locked_file_is_the_databases_trouble(database):
    with database.writer.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={connection.exec_driver_sql('PRAGMA page_count').scalar()}")
    with pytest.raises(OperationalError, match="full") as caught, database.unit_of_work() as uow:
        uow.session.add_all(Queue(name=f"{n} {'x' * 90}") for n in range(500))
    assert is_unavailable(caught.value)
