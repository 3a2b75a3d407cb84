"""A lane that listens to RQ queues, in a thread (decisions.md 4). Loaded only where RQ is used."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import redis
import structlog
from rq import SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.timeouts import TimerDeathPenalty
from rq.worker.base import DequeueStrategy

from portal.integrations.rq.adapter import queue_for
from portal.runtime.lanes import Listen

_CONNECT_SECONDS = 2.0
_BEAT_SECONDS = 15.0

log = structlog.get_logger(__name__)


class LaneWorker(SimpleWorker):
    """RQ's simple worker, made for a thread that is told to stop by an event."""

    death_penalty_class = TimerDeathPenalty
    log_result_lifespan = False
    stopping: threading.Event
    _next_beat = 0.0

    @property
    def dequeue_timeout(self) -> float:  # type: ignore[override]
        """Seconds; RQ's own, 405, would be how long a stop takes. Redis takes fractions since 6.0."""
        return 0.5

    def _install_signal_handlers(self) -> None:
        """Only the main thread may."""

    def subscribe(self) -> None:
        """No commands through Redis: who can write there could otherwise stop us. Saves a thread, too."""

    def unsubscribe(self) -> None:
        """Nothing to end."""

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> Any:
        """RQ's own would wait for a Redis that is away; None ends `work()`, and the lane looks for itself."""
        while not self.stopping.is_set():
            try:
                self._keep_up()
                found = self._dequeue_one()
            except redis.RedisError:
                return None
            if found:
                return found
        return None

    def execute_job(self, job: Any, queue: Any) -> None:
        """The drain is done by then; that RQ could not note it down is no error of the drain's."""
        with contextlib.suppress(redis.RedisError):
            super().execute_job(job, queue)

    def _keep_up(self) -> None:
        if time.monotonic() > self._next_beat:
            self.heartbeat()
            self._next_beat = time.monotonic() + _BEAT_SECONDS
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def _dequeue_one(self) -> Any:
        try:
            return self.queue_class.dequeue_any(
                self._ordered_queues,
                self.dequeue_timeout,  # type: ignore[arg-type]
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return None


def listen_with_rq(url: str) -> Listen:
    """What a lane calls to work on its job queues until it is to stop, or Redis is away."""
    is_away = threading.Event()

    def listen(kinds: Sequence[str], stopping: threading.Event) -> None:
        try:
            connection = redis.Redis.from_url(url, socket_connect_timeout=_CONNECT_SECONDS)
            connection.ping()
            is_away.clear()
            _work(kinds, connection, stopping)
        except redis.RedisError as error:
            if not is_away.is_set() and not stopping.is_set():
                log.warning("the job queue does not answer; looking for work directly", error=type(error).__name__)
            is_away.set()

    return listen


def _work(kinds: Sequence[str], connection: redis.Redis, stopping: threading.Event) -> None:
    queues = [queue_for(kind, connection) for kind in kinds]
    worker = LaneWorker(queues, connection=connection, serializer="json", worker_ttl=60, maintenance_interval=30)
    worker.stopping = stopping
    worker.work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
