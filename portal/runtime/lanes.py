"""The threads of a worker. A lane listens to its RQ queues, or looks for itself twice a second.

Looking for itself is the base on every system; RQ only makes it faster. So a lane whose Redis is away looks for itself
until it is back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from portal.core.work import Lane, plan_lanes

POLL_SECONDS = 0.5
CONNECT_SECONDS = 2.0

log = structlog.get_logger(__name__)

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

    def ensure(self, *, accounts: int) -> None:
        """Start the lanes that are missing. One too many, after a mailbox was removed, costs nothing and stays."""
        running = [lane for lane, _ in self._threads]
        for lane in plan_lanes(self._role, accounts=accounts):
            if lane in running:
                running.remove(lane)
                continue
            thread = threading.Thread(target=self._run, args=(lane,), name=f"lane-{lane.name}", daemon=True)
            self._threads.append((lane, thread))
            thread.start()

    def join(self, seconds: float) -> bool:
        """Wait for the items in hand. False when some lane is still busy."""
        give_up = time.monotonic() + seconds
        for _, thread in self._threads:
            thread.join(max(0.0, give_up - time.monotonic()))
        return not any(thread.is_alive() for _, thread in self._threads)

    def _run(self, lane: Lane) -> None:
        while not self._stopping.is_set():
            if self._listen is not None:
                self._listen(lane.kinds, self._stopping)
            if self._stopping.is_set():
                break
            has_more = [self._drain(kind) for kind in lane.kinds]
            if not any(has_more):
                self._stopping.wait(POLL_SECONDS)


def listen_with_rq(url: str) -> Listen:
    """Work on RQ queues in a thread (decisions.md 4). RQ is loaded only where it is used."""
    import redis
    from rq import SimpleWorker
    from rq.timeouts import TimerDeathPenalty
    from rq.worker.base import DequeueStrategy

    from portal.integrations.rq.adapter import queue_for

    class LaneWorker(SimpleWorker):
        """RQ's simple worker, made for a thread that is told to stop by an event."""

        death_penalty_class = TimerDeathPenalty
        log_result_lifespan = False
        stopping: threading.Event
        _next_beat = 0.0

        @property
        def dequeue_timeout(self) -> int:
            return 1

        def _install_signal_handlers(self) -> None:
            """Only the main thread may."""

        def subscribe(self) -> None:
            """No commands through Redis: who can write there could otherwise stop us. Saves a thread, too."""

        def unsubscribe(self) -> None:
            """Nothing to end."""

        def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
            """RQ's own would wait for a Redis that is away; we return None, which ends `work()`, and poll."""
            while not self.stopping.is_set():
                if time.monotonic() > self._next_beat:
                    self.heartbeat()
                    self._next_beat = time.monotonic() + 15
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
                found = self._dequeue_one()
                if found:
                    return found
            return None

        def _dequeue_one(self) -> Any:
            from rq.exceptions import DequeueTimeout

            try:
                return self.queue_class.dequeue_any(
                    self._ordered_queues,
                    self.dequeue_timeout,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                return None

    is_away = threading.Event()

    def listen(kinds: Sequence[str], stopping: threading.Event) -> None:
        try:
            connection = redis.Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS)
            connection.ping()
            is_away.clear()
            queues = [queue_for(kind, connection) for kind in kinds]
            worker = LaneWorker(
                queues, connection=connection, serializer="json", worker_ttl=60, maintenance_interval=30
            )
            worker.stopping = stopping
            worker.work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
        except redis.RedisError as error:
            if not is_away.is_set() and not stopping.is_set():
                log.warning("the job queue does not answer; looking for work directly", error=type(error).__name__)
            is_away.set()

    return listen
