"""`drain(kind)`: the one job there is. It does due work of a kind, one item at a time, for at most five seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import structlog

from portal.core.ports import JobQueue
from portal.models.database import DatabaseBusyError

MAX_SECONDS = 5.0
# After an error the next item gets its chance; after several in a row the trouble is not the item's.
_MAX_ERRORS = 3

log = structlog.get_logger(__name__)

Step = Callable[[], bool]


class Drainer:
    """Does the work of this process.

    Args:
        steps: kind -> a function that claims and does one due item; False when there is none.
        queue: where a drain that ran out of time asks for the next one.
        stopping: set when the process is to end: the item in hand is finished, no other begun.
    """

    def __init__(self, steps: Mapping[str, Step], *, queue: JobQueue, stopping: threading.Event) -> None:
        self._steps = steps
        self._queue = queue
        self._stopping = stopping

    def drain(self, kind: str) -> bool:
        """Returns True when time ran out before the work did. Errors of items are logged and never raised.

        Raises KeyError for a kind without a step.
        """
        step = self._steps[kind]
        until = time.monotonic() + MAX_SECONDS
        errors = 0
        with structlog.contextvars.bound_contextvars(kind=kind):
            while errors < _MAX_ERRORS and not self._stopping.is_set():
                if time.monotonic() >= until:
                    self._queue.wake(kind)
                    return True
                try:
                    if not step():
                        return False
                    errors = 0
                except DatabaseBusyError:
                    log.warning("the database is busy; the ticker will ask again")
                    return False
                except Exception:  # one item, or one bug, must not end the lane for all the others
                    errors += 1
                    log.exception("an item failed")
        return False


_drainer: Drainer | None = None


def install(drainer: Drainer) -> None:
    """Make this the drainer that RQ's jobs reach: a job carries a name and nothing else."""
    global _drainer  # RQ calls a function by its dotted path
    _drainer = drainer


def drain(kind: str) -> None:
    """What RQ calls. A kind this version does not know (a job from before an update) is dropped."""
    if _drainer is None:
        raise RuntimeError("no drainer is installed in this process")
    try:
        _drainer.drain(kind)
    except KeyError:
        log.warning("unknown kind of work", kind=kind)
