"""A child's line to its supervisor.

Down comes one JSON object a line on standard input: `go`, `stop`, notes. Up go log lines on standard output, and
messages, which begin with MARK. The end of standard input means that the supervisor is gone: the child stops too.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

MARK = "\x1e"
# How long a child may take to finish what it has begun (decisions.md 4); after that it ends itself.
STOP_SECONDS = 5.0


class LineOut:
    """Standard output, one whole line at a time from whichever thread."""

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Nothing is lost on our side; a supervisor that is gone reads nothing any more."""
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            while data:
                try:
                    data = data[os.write(self._fd, data) :]
                except BrokenPipeError:
                    break
        return len(text)

    def flush(self) -> None:
        """Every write is complete already."""


class Parent:
    """The supervisor, as its child sees it."""

    def __init__(self) -> None:
        self.out = LineOut()
        self.stopping = threading.Event()
        self.orders: dict[str, Any] = {}
        self._go = threading.Event()
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {}

    def attach(self) -> None:
        """Begin to listen. Ctrl-C is the supervisor's to answer; SIGTERM asks for the same as its `stop`."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # In a thread: a handler that sets an event may find the main thread holding the event's own lock.
        signal.signal(signal.SIGTERM, lambda number, frame: threading.Thread(target=self._stop).start())
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        threading.Thread(target=self._listen, name="supervisor", daemon=True).start()

    def on(self, order: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Have `handler` called, in the listening thread, with each order of this name."""
        self._handlers[order] = handler

    def tell(self, said: str, **details: Any) -> None:
        """Send a message up."""
        self.out.write(MARK + json.dumps({"said": said, **details}) + "\n")

    def wait_for_go(self) -> bool:
        """Say that all is loaded, and wait until the database is ready. False: we are to stop instead."""
        self.tell("warm")
        self._go.wait()
        return not self.stopping.is_set()

    def _listen(self) -> None:
        # Not sys.stdin: a thread waiting in it makes the interpreter abort at its end (the buffer's lock is taken).
        rest = b""
        while data := os.read(0, 65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._obey(json.loads(line))
        self._stop()

    def _obey(self, order: dict[str, Any]) -> None:
        name = order["do"]
        if name == "go":
            self.orders = order
            self._go.set()
        elif name == "stop":
            self._stop()
        elif name in self._handlers:
            self._handlers[name](order)

    def _stop(self) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        self._go.set()
        last_resort = threading.Timer(STOP_SECONDS, os._exit, args=(1,))
        last_resort.daemon = True
        last_resort.start()
