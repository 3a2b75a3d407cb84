"""The supervisor's side of a child process: start it, hear it, tell it, end it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

from portal.runtime.child import MARK

EXITED = "exited"


@dataclass(frozen=True)
class Event:
    """What a child said, or that it ended (`said` is EXITED). `child` is None for what came from elsewhere."""

    child: Child | None
    said: str
    details: dict[str, Any] = field(default_factory=dict)


class Child:
    """One running child. Its messages and its end arrive as events; its log lines go to `log`."""

    def __init__(
        self,
        role: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        events: SimpleQueue[Event],
        log: Callable[[str], None],
        keep_fd: int | None = None,
    ) -> None:
        self.role = role
        self.is_warm = False
        self.started_at = datetime.now(UTC)
        self._events = events
        self._log = log
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            **_isolated(keep_fd),
        )
        self.pid = self._process.pid
        threading.Thread(target=self._hear, name=f"hear-{role}", daemon=True).start()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def tell(self, do: str, **details: Any) -> None:
        """Send an order. One to a child that is gone is lost: its end is already on its way as an event."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **details}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass

    def kill(self) -> None:
        """End it now, whatever it does, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line.startswith(MARK):
                details = json.loads(line[len(MARK) :])
                self._events.put(Event(self, details.pop("said"), details))
            else:
                self._log(line)
        self._events.put(Event(self, EXITED, {"code": self._process.wait()}))


def _isolated(keep_fd: int | None) -> dict[str, Any]:
    """A process group of its own, so that Ctrl-C reaches the supervisor only, which then stops things in order."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True, "pass_fds": () if keep_fd is None else (keep_fd,)}
