"""The threads of a worker. A lane listens to its RQ queues, or looks for itself twice a second.

Looking for itself is the base on every system; RQ only makes it faster. So a lane whose Redis is away looks for itself
until it is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from portal.core.work import Lane, plan_lanes

POLL_SECONDS = 0.5

Drain = Callable[[str], bool]
Listen = Callable[[Sequence[str], threading.Event], None]


class Lanes:
    """All lanes of one worker process.

    Args:
        role: urgent or outside.
        drain: does the due work of one kind; True when more is left.
        listen: works on the job queues of these kinds until the event is set or Redis is away; None: polled mode.
        stopping: ends every lane after the item it has in hand.
    """

    def __init__(self, role: str, *, drain: Drain, listen: Listen | None, stopping: threading.Event) -> None:
        self._role = role
        self._drain = drain
        self._listen = listen
        self._stopping = stopping
        self._threads: list[tuple[Lane, threading.Thread]] = []
        self._nudges: dict[str, threading.Event] = {}

    def ensure(self, *, accounts: int) -> None:
        """Start the lanes that are missing. One too many, after a mailbox was removed, costs nothing and stays."""
        running = [lane for lane, _ in self._threads]
        for lane in plan_lanes(self._role, accounts=accounts):
            if lane in running:
                running.remove(lane)
                continue
            nudged = threading.Event()
            self._nudges.update(dict.fromkeys(lane.kinds, nudged))
            thread = threading.Thread(target=self._run, args=(lane, nudged), name=f"lane-{lane.name}", daemon=True)
            self._threads.append((lane, thread))
            thread.start()

    def nudge(self, kind: str) -> None:
        """Work of this kind became due in this process: its lane need not wait for its next look."""
        if kind in self._nudges:
            self._nudges[kind].set()

    def join(self, seconds: float) -> bool:
        """Wait for the items in hand. False when some lane is still busy."""
        give_up = time.monotonic() + seconds
        for _, thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))
        return not any(thread.is_alive() for _, thread in self._threads)

    def _run(self, lane: Lane, nudged: threading.Event) -> None:
        while not self._stopping.is_set():
            if self._listen is not None:
                self._listen(lane.kinds, self._stopping)
            if self._stopping.is_set():
                break
            nudged.clear()
            has_more = [self._drain(kind) for kind in lane.kinds]
            if not any(has_more):
                nudged.wait(POLL_SECONDS)
