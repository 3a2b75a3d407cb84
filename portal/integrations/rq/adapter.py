"""Wake-ups through RQ on Redis or Valkey, or through nothing at all (decisions.md 3)."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from rq import Queue

DRAIN = "portal.jobs.drain.drain"
# A drain ends by itself after 5 s and the item in hand; RQ's own limit is a backstop, as long as a job's lease.
JOB_TIMEOUT_S = 900
FAILURE_TTL_S = 86400
_NETWORK_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


def connect(url: str) -> redis.Redis:
    """A client that gives up after two seconds, so that a web request never hangs on the queue."""
    return redis.Redis.from_url(url, socket_timeout=_NETWORK_TIMEOUT_S, socket_connect_timeout=_NETWORK_TIMEOUT_S)


def queue_for(kind: str, connection: redis.Redis) -> Queue:
    """The job queue of one kind of work. JSON: with RQ's default, who can write to Redis could run code here."""
    return Queue(f"nightdesk-{kind}", connection=connection, serializer="json")


class RqJobQueue:
    """One RQ queue per kind of work; every job is `drain(kind)`."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self._queues: dict[str, Queue] = {}

    def wake(self, kind: str) -> None:
        """Enqueue `drain(kind)`, never under a fixed job id (decisions.md 3: one blocks recovery after a crash)."""
        try:
            self._queue(kind).enqueue_call(
                DRAIN, args=(kind,), timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=FAILURE_TTL_S
            )
        except redis.RedisError as error:
            log.warning("no wake-up for %s, the ticker will see to it: %s", kind, type(error).__name__)

    def is_empty(self, kind: str) -> bool:
        """Also True when Redis does not answer: then a wake-up is worth trying."""
        try:
            return bool(self._queue(kind).count == 0)
        except redis.RedisError:
            return True

    def _queue(self, kind: str) -> Queue:
        if kind not in self._queues:
            self._queues[kind] = queue_for(kind, self._connection)
        return self._queues[kind]


class PolledJobQueue:
    """No queue: the workers look into the database twice a second.

    `on_wake` may be set by a worker, whose own lanes then need not wait for their next look; nobody else hears of it.
    """

    def __init__(self) -> None:
        self.on_wake: Callable[[str], None] | None = None

    def wake(self, kind: str) -> None:
        """Tell the lanes of this process, where there are any."""
        if self.on_wake is not None:
            self.on_wake(kind)

    def is_empty(self, kind: str) -> bool:
        """Always: nobody waits in a queue that does not exist."""
        return True
