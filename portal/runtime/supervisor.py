"""The process that stays: it holds the data folder and the listening socket, and keeps the others alive.

It imports neither Flask nor SQLAlchemy: what needs the database (migrations, the setup token) is done by a short-lived
child, `prepare`.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from portal.runtime import listener
from portal.runtime.child import STOP_SECONDS
from portal.runtime.children import EXITED, Child, Event
from portal.runtime.fleet import Fleet, Slot
from portal.runtime.lockfile import DataFolderLock
from portal.runtime.logfile import LogFile
from portal.runtime.runfile import RunFile, RunningProcess, is_alive, read_run_file, remove_run_file, write_run_file
from portal.runtime.valkey import Valkey, ValkeyError, stop_left_over

_WARM_SECONDS = 60.0
_PREPARE_SECONDS = 600.0
_PREPARE_TRIES = 3
_READY_SECONDS = 30.0
_QUEUE_RETRY_SECONDS = 30.0
# On Windows a waiting main thread does not notice Ctrl-C, so it never waits longer than this.
_GLANCE_SECONDS = 0.5


class StartError(Exception):
    """Nightdesk cannot start. One sentence for the person who tried."""


@dataclass(frozen=True)
class RunPlan:
    """What to run.

    Attributes:
        data_dir: the data folder.
        host: where to listen.
        port: where to listen; 0 picks a free one.
        site_url: the address to print instead of host and port; may be empty.
        path_prefix: what stands in front of every path.
        prepare: the command that migrates and reports.
        commands: role -> command, web roles beginning with `web`.
        embedded_queue: whether to run a Valkey of our own.
        env: the children's environment.
    """

    data_dir: Path
    host: str
    port: int
    prepare: Sequence[str]
    commands: Mapping[str, Sequence[str]]
    env: Mapping[str, str]
    site_url: str = ""
    path_prefix: str = ""
    embedded_queue: bool = False


@dataclass
class _Outcome:
    """What `prepare` reported."""

    is_over: bool = False
    is_killed: bool = False
    error: str = ""
    details: dict[str, Any] = field(default_factory=dict)


class Supervisor:
    """Run with `run()`, from the main thread."""

    def __init__(self, plan: RunPlan, *, say: Callable[[str], None] = print) -> None:
        self._plan = plan
        self._say = say
        self._env = dict(plan.env)
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._started_at = datetime.now(UTC).isoformat()
        self._is_stopping = False
        self._restart_asked = 0
        self._restart_seen = 0
        self._last_note: dict[str, Any] = {}
        self._prepare: tuple[Child, _Outcome] | None = None
        self._fleet: Fleet | None = None
        self._coming: Fleet | None = None
        self._valkey: Valkey | None = None
        self._log: LogFile
        self._socket: socket.socket

    def run(self) -> None:
        """Serve until a signal. Raises StartError, AddressError or AlreadyRunningError when there is no start."""
        lock = DataFolderLock(self._plan.data_dir)
        lock.acquire()
        try:
            self._log = LogFile(self._plan.data_dir)
            self._catch_signals()
            was_killed = self._clear_left_overs()
            self._socket = listener.listen_on(
                self._plan.host, self._plan.port, wait=STOP_SECONDS + 1 if was_killed else 0
            )
            try:
                self._serve()
            finally:
                self._shut_down()
        finally:
            lock.release()

    # --- start ---------------------------------------------------------------------------------------------------

    def _clear_left_overs(self) -> bool:
        """Whether the last run was killed. Its children end by themselves; its Valkey has to be told."""
        left_over = read_run_file(self._plan.data_dir)
        if left_over is None:
            return False
        if left_over.queue_socket:
            stop_left_over(Path(left_over.queue_socket))
        give_up = time.monotonic() + STOP_SECONDS + 1
        while any(is_alive(process.pid) for process in left_over.processes) and time.monotonic() < give_up:
            time.sleep(0.05)
        return True

    def _serve(self) -> None:
        if self._plan.embedded_queue:
            self._start_queue()
        # What the first page needs loads first; the workers follow while it is served.
        roles = list(self._plan.commands)
        self._fleet = self._new_fleet([role for role in roles if role.startswith("web")])
        outcome = self._prepare_database()
        if self._is_stopping:
            return
        if outcome.error or not outcome.is_over:
            raise StartError(outcome.error or "The database was not ready in ten minutes.")
        self._restart_seen = int(outcome.details.get("restart_seen", 0))
        self._fleet.add([role for role in roles if not role.startswith("web")])
        self._release(self._fleet)
        self._announce(outcome.details)
        while not self._is_stopping:
            self._wait(lambda: bool(self._restart_asked))
            if self._restart_asked and not self._is_stopping:
                self._restart()

    def _announce(self, details: Mapping[str, str]) -> None:
        """One line: where it runs, and how to get in when nobody can know."""
        fleet = self._fleet
        if fleet is None or not self._wait(lambda: fleet.is_ready("web"), _READY_SECONDS):
            if not self._is_stopping:
                self._say(f"The web pages do not come up yet. The log says why: {self._log.path}")
            return
        if self._is_stopping:
            return
        address = self._plan.site_url or listener.address_of(self._socket) + self._plan.path_prefix
        if setup_path := details.get("setup_path"):
            self._say(f"Nightdesk runs at {address} - set it up here: {address}{setup_path}")
        elif sign_in := details.get("sign_in"):
            self._say(f"Nightdesk runs at {address} - {sign_in}")
        else:
            self._say(f"Nightdesk runs at {address}")

    def _start_queue(self) -> None:
        self._valkey = Valkey(
            self._plan.data_dir / "valkey", on_exit=lambda: self._events.put(Event(None, "queue gone"))
        )
        try:
            self._valkey.start()
            self._env["NIGHTDESK_REDIS_URL"] = self._valkey.url
        except (ValkeyError, OSError) as error:
            self._log.note(f"{error} The workers look into the database twice a second instead.", level="warning")
            self._valkey.stop()
            self._valkey = None
            self._env["NIGHTDESK_QUEUE"] = "polled"

    # --- children ------------------------------------------------------------------------------------------------

    def _spawn(self, role: str) -> Child:
        keep_fd = self._socket.fileno() if role.startswith("web") else None
        command = self._plan.commands[role]
        return Child(role, command, env=self._env, events=self._events, log=self._log.write, keep_fd=keep_fd)

    def _new_fleet(self, roles: list[str]) -> Fleet:
        return Fleet(roles, self._spawn)

    def _release(self, fleet: Fleet) -> None:
        fleet.release(self._orders_for)
        self._write_run_file()

    def _orders_for(self, child: Child) -> dict[str, Any]:
        orders: dict[str, Any] = {"restart_seen": self._restart_seen}
        if child.role.startswith("web"):
            orders["listener"] = listener.hand_over(self._socket, pid=child.pid)
        return orders

    def _prepare_database(self) -> _Outcome:
        """What it says itself is believed at once; killed by somebody, it is tried again."""
        for _ in range(_PREPARE_TRIES):
            outcome = self._start_prepare()
            self._tell_prepare(is_first=True)
            self._wait(partial(getattr, outcome, "is_over"), _PREPARE_SECONDS)
            if self._is_stopping or not outcome.is_killed:
                break
            self._log.note("the preparation of the database was killed", level="warning")
        return outcome

    def _start_prepare(self) -> _Outcome:
        child = Child("prepare", self._plan.prepare, env=self._env, events=self._events, log=self._log.write)
        outcome = _Outcome()
        self._prepare = (child, outcome)
        return outcome

    def _tell_prepare(self, *, is_first: bool) -> None:
        if self._prepare:
            self._prepare[0].tell("go", is_first=is_first)

    def _end(self, children: list[Child]) -> None:
        """Ask them to stop; whoever takes longer than five seconds is killed."""
        for child in children:
            child.tell("stop")
        give_up = time.monotonic() + STOP_SECONDS + 0.5
        while any(child.is_alive for child in children) and time.monotonic() < give_up:
            self._take_event(0.02)
        for child in children:
            child.kill()

    def _shut_down(self) -> None:
        self._is_stopping = True
        children = [child for fleet in (self._fleet, self._coming) if fleet for child in fleet.children]
        if self._prepare:
            children.append(self._prepare[0])
        self._end(children)
        self._socket.close()
        if self._valkey:
            self._valkey.stop()
        remove_run_file(self._plan.data_dir)
        self._log.note("stopped")
        self._log.close()

    # --- events --------------------------------------------------------------------------------------------------

    def _catch_signals(self) -> None:
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda number, frame: self._events.put(Event(None, "stop")))
        if sys.platform == "win32":
            from portal.runtime.windows import on_console_close

            on_console_close(lambda: self._events.put(Event(None, "stop")))

    def _wait(self, is_so: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Handle events until it is so (True), until we are to stop (True) or until time is up (False)."""
        give_up = time.monotonic() + seconds
        while not (is_so() or self._is_stopping):
            now = time.monotonic()
            if now > give_up:
                return False
            due = self._fleet.next_due() if self._fleet and self._fleet.is_released else None
            self._take_event(max(0.0, min(_GLANCE_SECONDS, give_up - now, (due or now + 1) - now)))
            if self._fleet and self._fleet.is_released and self._fleet.revive():
                self._write_run_file()
        return True

    def _take_event(self, seconds: float) -> None:
        try:
            event = self._events.get(timeout=seconds)
        except Empty:
            return
        if event.said == "stop":
            self._is_stopping = True
        elif event.said == "queue gone":
            self._revive_queue()
        elif self._prepare and event.child is self._prepare[0]:
            self._hear_prepare(self._prepare[1], event)
        else:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        for fleet in (self._fleet, self._coming):
            slot = fleet.slot_of(event.child) if fleet else None
            if fleet and slot and slot.child:
                break
        else:
            return  # a child of the last generation
        if event.said == EXITED:
            wait = fleet.bury(slot)
            if not self._is_stopping:
                self._log.note(f"{slot.role} ended ({event.details['code']}), again in {wait} s", level="warning")
                self._write_run_file()
        elif event.said == "warm":
            slot.child.is_warm = True
            fleet.start(slot.child)
        elif event.said == "ready":
            slot.is_ready = True
            self._pass_on_note(slot)
        elif event.said == "restart":
            self._restart_asked = max(self._restart_asked, int(event.details["id"]))

    def _hear_prepare(self, outcome: _Outcome, event: Event) -> None:
        if event.said == "warm" and event.child:
            event.child.is_warm = True
        elif event.said == "prepared":
            outcome.details = event.details
        elif event.said == "failed":
            outcome.error = str(event.details["sentence"])
        elif event.said == EXITED:
            outcome.is_over = True
            outcome.is_killed = event.details["code"] < 0  # by a signal; Windows does not say
            if not outcome.error and (event.details["code"] or not outcome.details):
                outcome.error = f"The database could not be prepared. The log says why: {self._log.path}"

    def _revive_queue(self) -> None:
        """Work goes on without it: the workers poll while the queue does not answer."""
        if self._is_stopping or self._valkey is None:
            return
        self._log.note("the embedded queue ended and is started again", level="warning")
        try:
            self._valkey.start()
        except (ValkeyError, OSError) as error:
            self._log.note(str(error), level="warning")
            self._later(_QUEUE_RETRY_SECONDS, Event(None, "queue gone"))
        self._write_run_file()

    def _later(self, seconds: float, event: Event) -> None:
        timer = threading.Timer(seconds, self._events.put, args=(event,))
        timer.daemon = True
        timer.start()

    def _write_run_file(self) -> None:
        processes = [
            RunningProcess(slot.role, slot.child.pid, slot.child.started_at.isoformat(), slot.restarts)
            for slot in self._fleet or ()
            if slot.child
        ]
        if self._valkey:
            processes.append(RunningProcess("queue", self._valkey.pid, self._started_at))
        run = RunFile(
            pid=os.getpid(),
            address=listener.address_of(self._socket),
            started_at=self._started_at,
            queue_socket=str(self._valkey.socket_path) if self._valkey else "",
            processes=processes,
        )
        write_run_file(self._plan.data_dir, run)

    # --- web restart ---------------------------------------------------------------------------------------------

    def _restart(self) -> None:
        """Replace web and workers. The new ones load while the old ones serve; only then the old ones stop, so that
        code that does not even load changes nothing. New connections wait in the listening socket meanwhile."""
        request, self._restart_asked = self._restart_asked, 0
        if request <= self._restart_seen or self._fleet is None:
            return
        self._restart_seen = request
        self._note(request, "running", "The new processes are loading.")
        coming = self._coming = self._new_fleet(list(self._plan.commands))
        outcome = self._start_prepare()
        self._wait(lambda: coming.has_lost_one or outcome.is_over or self._all_warm(coming), _WARM_SECONDS)
        if self._is_stopping:
            return
        if not self._all_warm(coming):
            self._abandon(coming, request)
            return
        self._note(request, "running", "The old processes are stopping.")
        old, self._fleet, self._coming = self._fleet, coming, None
        self._end(old.children)
        self._tell_prepare(is_first=False)
        self._wait(lambda: outcome.is_over, _PREPARE_SECONDS)
        self._release(coming)
        is_up = self._wait(lambda: coming.is_ready(""), _READY_SECONDS) and not outcome.error
        error = outcome.error or "The new processes do not come up. The log says why."
        self._note(request, "done" if is_up else "failed", "" if is_up else error)

    def _all_warm(self, fleet: Fleet) -> bool:
        return fleet.is_warm and bool(self._prepare and self._prepare[0].is_warm)

    def _abandon(self, coming: Fleet, request: int) -> None:
        """The new code does not load. The old processes have not noticed anything."""
        self._coming = None
        self._end([*coming.children, *([self._prepare[0]] if self._prepare else [])])
        error = "The new processes do not start, so the old ones go on. The log says why."
        self._log.note(error, level="error")
        self._note(request, "failed", error)

    def _note(self, request: int, state: str, text: str) -> None:
        """Have a worker write into the row of the request how far it is."""
        self._log.note(f"restart {request}: {state} {text}".rstrip())
        self._last_note = {"id": request, "state": state, "text": text}
        for fleet in (self._fleet, self._coming):
            for slot in fleet or ():
                if slot.is_ready:
                    self._pass_on_note(slot)

    def _pass_on_note(self, slot: Slot) -> None:
        """To every worker, and again to each that gets ready: a note must not be lost with the one who was to write."""
        if self._last_note and slot.child and slot.role.startswith("worker"):
            slot.child.tell("note_restart", **self._last_note)
