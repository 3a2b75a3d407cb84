"""A worker child: its lanes, its ticker, and an eye on requests to restart."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from portal.config import Config, load_config
from portal.integrations.rq.adapter import PolledJobQueue
from portal.models import DatabaseBusyError
from portal.runtime.child import STOP_SECONDS, Parent
from portal.runtime.lanes import Lanes, Listen
from portal.runtime.logs import set_up_logging
from portal.runtime.ticker import LEASE_NAME, LEASE_SECONDS, Ticker
from portal.services.context import Context
from portal.services.leases import hold_lease, release_lease
from portal.services.restarts import newest_restart_id, note_restart
from portal.wiring import build

_LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Shop(Protocol):
    """The work, as the runtime sees it."""

    def drain(self, kind: str) -> bool: ...
    def count_due(self) -> Mapping[str, int]: ...
    def count_accounts(self) -> int: ...


OpenShop = Callable[[Context, threading.Event], Shop]


def work(parent: Parent, process_role: str, open_shop: OpenShop) -> None:
    """Run until told to stop; then finish the items in hand. `process_role` is `worker-urgent` or `worker-outside`."""
    config = load_config()
    set_up_logging(config.log_level, role=process_role, stream=parent.out)
    context = build(config)  # opens no connection: that waits for the database to be ready
    if not parent.wait_for_go():
        return
    parent.on("note_restart", lambda order: _start_note(context, order))
    worker = _Worker(config, context, process_role.removeprefix("worker-"), parent=parent)
    worker.run(open_shop(context, parent.stopping))


def _start_note(context: Context, order: Mapping[str, Any]) -> None:
    """In a thread: the one that listens to the supervisor must not wait for the database."""
    threading.Thread(target=_note_restart, args=(context, order), name="note", daemon=True).start()


def _note_restart(context: Context, order: Mapping[str, Any]) -> None:
    try:
        note_restart(context, order["id"], state=order["state"], text=order["text"])
    except DatabaseBusyError:
        log.warning("the database is busy; how far the restart is was not noted")


class _Worker:
    def __init__(self, config: Config, context: Context, role: str, *, parent: Parent) -> None:
        self._context = context
        self._role = role
        self._parent = parent
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._redis_url = config.redis_url if config.queue == "rq" else ""
        self._restart_seen = int(parent.orders.get("restart_seen", 0))

    def run(self, shop: Shop) -> None:
        stopping = self._parent.stopping
        listen = self._listen() if self._redis_url else None
        lanes = Lanes(self._role, drain=shop.drain, listen=listen, stopping=stopping)
        if isinstance(self._context.queue, PolledJobQueue):
            self._context.queue.on_wake = lanes.nudge
        lanes.ensure(accounts=shop.count_accounts())
        ticker = threading.Thread(target=self._tick, args=(shop,), name="ticker", daemon=True)
        ticker.start()
        self._parent.tell("ready")
        while not stopping.wait(_LOOK_SECONDS):
            self._look(lanes, shop)
        lanes.join(STOP_SECONDS - 0.5)
        ticker.join(0.5)

    def _listen(self) -> Listen:
        from portal.runtime.rq_lane import listen_with_rq  # polled mode needs neither Redis nor RQ

        return listen_with_rq(self._redis_url)

    def _tick(self, shop: Shop) -> None:
        if not self._redis_url:
            return  # polled lanes need nobody to wake them
        ticker = Ticker(
            is_elected=lambda: hold_lease(self._context, LEASE_NAME, owner=self._owner, seconds=LEASE_SECONDS),
            count_due=shop.count_due,
            queue=self._context.queue,
        )
        ticker.run(self._parent.stopping)
        release_lease(self._context, LEASE_NAME, owner=self._owner)

    def _look(self, lanes: Lanes, shop: Shop) -> None:
        """Twice a second: a new mailbox gets a lane, a new request to restart goes to the supervisor."""
        try:
            lanes.ensure(accounts=shop.count_accounts())
            newest = newest_restart_id(self._context)
        except Exception:  # a database that is away for a moment must not end the worker
            log.exception("a look at the database failed")
            return
        if newest > self._restart_seen:
            self._restart_seen = newest
            self._parent.tell("restart", id=newest)
