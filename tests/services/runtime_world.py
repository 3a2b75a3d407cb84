"""A database, a clock that stands still until it is moved, and a queue that remembers: for jobs, leases, restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from portal.services.audit import Change
from tests.services.ticket_world import ALICE, make_database

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)


class Times:
    """Product and machine time move together unless told otherwise."""

    def __init__(self) -> None:
        self.product = self.machine = NOW
        self.is_settled = True

    def now(self) -> datetime:
        return self.product

    def lease_now(self) -> datetime:
        return self.machine

    def may_take_over(self) -> bool:
        return self.is_settled

    def move(self, seconds: float) -> None:
        self.product += timedelta(seconds=seconds)
        self.machine += timedelta(seconds=seconds)


class Fixed:
    """Randomness that counts."""

    def __init__(self) -> None:
        self.count = 0

    def token(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(size, "big")


def make_world(folder: Path) -> Any:
    """What services need of a Context; `woken` is what was asked for after commits."""
    database = make_database(folder)
    woken: list[str] = []
    database.wake = woken.append
    return SimpleNamespace(database=database, clock=Times(), random=Fixed(), woken=woken, data_dir=folder)


def by_alice(world: Any) -> Change:
    return Change(actor_id=ALICE, at=world.clock.now())


def read(world: Any, ask: Any, *arguments: Any) -> Any:
    """Call a service that reads."""
    with world.database.read_session() as session:
        return ask(session, *arguments)


def write(world: Any, act: Any, *arguments: Any, **options: Any) -> Any:
    """Call a service that writes, as Alice."""
    with world.database.unit_of_work() as uow:
        return act(uow, *arguments, change=by_alice(world), **options)
