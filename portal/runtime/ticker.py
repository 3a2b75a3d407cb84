"""The tick: twice a second, whoever holds the lease wakes every kind of work that is due and not yet woken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from portal.core.ports import JobQueue
from portal.core.work import count_wakes
from portal.models.database import DatabaseBusyError

TICK_SECONDS = 0.5
LEASE_NAME = "ticker"
LEASE_SECONDS = 10.0

log = structlog.get_logger(__name__)


class Ticker:
    """One per worker process; one of them all is elected.

    Args:
        is_elected: asks for, or keeps, the lease.
        count_due: kind -> how many rows are due and unclaimed.
        queue: where the wake-ups go.
    """

    def __init__(
        self, *, is_elected: Callable[[], bool], count_due: Callable[[], Mapping[str, int]], queue: JobQueue
    ) -> None:
        self._is_elected = is_elected
        self._count_due = count_due
        self._queue = queue

    def tick(self) -> None:
        """One look. Wake-ups are never sent on top of one that still waits."""
        if not self._is_elected():
            return
        for kind, due in self._count_due().items():
            for _ in range(count_wakes(kind, due=due, waiting=not self._queue.is_empty(kind))):
                self._queue.wake(kind)

    def run(self, stopping: threading.Event) -> None:
        """Tick until told to stop."""
        while not stopping.wait(TICK_SECONDS):
            try:
                self.tick()
            except DatabaseBusyError:
                log.warning("the database is busy; this tick is left out")
            except Exception:  # without the ticker, lost wake-ups would stay lost
                log.exception("a tick failed")
