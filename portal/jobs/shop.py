"""A worker's shop: everything a worker process needs to know of the work, in one place."""

from __future__ import annotations

import threading

from portal.jobs.drain import Drainer, install
from portal.jobs.steps import WORK, count_due
from portal.services.context import Context
from portal.services.mailboxes import list_mailboxes


class Shop:
    """Handed to the runtime, which knows threads and processes but no work.

    Args:
        context: database, clock and ports.
        stopping: set when the process is to end.
    """

    def __init__(self, context: Context, stopping: threading.Event) -> None:
        self.context = context
        steps = {kind: (lambda entry=entry: entry.step(context)) for kind, entry in WORK.items()}
        self._drainer = Drainer(steps, queue=context.queue, stopping=stopping)
        install(self._drainer)

    def drain(self, kind: str) -> bool:
        """Do the due work of one kind; True when more is left."""
        return self._drainer.drain(kind)

    def count_due(self) -> dict[str, int]:
        """Kind -> due, unclaimed rows."""
        return count_due(self.context)

    def count_accounts(self) -> int:
        """How many mailboxes are read: each gets a lane."""
        with self.context.database.read_session() as session:
            return sum(row.is_enabled for row in list_mailboxes(session))
