"""A database with people but without queues and categories, for the tests of triage's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import delete

from portal.models import Category, Database, Queue
from tests.services.ticket_world import make_database


@contextmanager
def bare_database(folder: Path) -> Iterator[Database]:
    """Alice and Bob are there; nothing to sort tickets into."""
    database = make_database(folder)
    with database.unit_of_work() as uow:
        uow.session.execute(delete(Category))
        uow.session.execute(delete(Queue))
    yield database
    database.dispose()
