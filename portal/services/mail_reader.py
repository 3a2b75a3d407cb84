"""Reads a mail within a budget of time and memory.

Small mails are read here; larger ones in a process of their own that is started when one is needed, is ended when it
takes too long or too much, and ends itself when it is idle. No fork and no signals, so it works alike on Windows. What
the budget in `core/mail.py` bounds by counting (parts, depth, header lines), this bounds by watching.
"""

from __future__ import annotations

import atexit
import pickle
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from portal.core.errors import DomainError
from portal.core.mail import ParsedMail, parse_mail
from portal.services.sanitize import sanitize_html

_ROOT = Path(__file__).parents[2]
SMALL = 200_000  # bytes; below, a mail is read in the process that asks
_POLL = 0.02
# A process that grew is not kept: Python seldom gives memory back.
_KEEP_BELOW = 250_000_000


@dataclass(frozen=True)
class ReaderBudget:
    """What one mail may cost. `memory` is for the whole process, in bytes; `idle` is how long it is kept unused."""

    size: int = 60_000_000
    seconds: float = 60.0
    memory: int = 900_000_000
    idle: float = 60.0


@dataclass(frozen=True)
class ReadMail:
    """A mail as it was read, and its HTML made safe to show."""

    mail: ParsedMail
    html: str


class TooCostlyError(DomainError):
    """Reading a mail went over its budget: it will the next time too. The text says in which way."""


class MailReader:
    """Keeps at most one process; used by several threads it reads one large mail after the other."""

    def __init__(self, budget: ReaderBudget | None = None, *, small: int = SMALL) -> None:
        self._budget = budget or ReaderBudget()
        self._small = small
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def read(self, raw: bytes, *, apart: bool = False) -> ReadMail:
        """A small mail is read here, unless it is to be read `apart`.

        Raises TooCostlyError for a mail over the budget; RuntimeError where reading failed by a mistake of ours, or the
        process ended: of the mail or by somebody's hand, another try will tell.
        """
        if len(raw) <= self._small and not apart:
            return read_here(raw)
        if len(raw) > self._budget.size:
            raise TooCostlyError(f"it has {len(raw) / 1e6:.0f} MB, more than the {self._budget.size / 1e6:.0f} MB read")
        with self._lock:
            answer = self._ask(raw)
            if answer is None:  # it ended itself, idle, just as we asked
                answer = self._ask(raw)
        if answer is None:
            raise RuntimeError("the process that reads mails does not start")
        found: ReadMail | str = pickle.loads(answer)  # noqa: S301 - written by our own process
        if isinstance(found, str):
            raise RuntimeError(found)
        return found

    def close(self) -> None:
        """End the process, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                _close(pipe)

    def _ask(self, raw: bytes) -> bytes | None:
        child = self._living_child()
        answers: list[bytes] = []
        asking = threading.Thread(target=_exchange, args=(child, raw, answers), daemon=True)
        asking.start()
        trouble = self._watch(child, asking)
        if trouble:
            self.close()
            raise TooCostlyError(trouble)
        if not answers:
            ended = child.wait(timeout=10)
            self.close()
            if ended != 0:
                raise RuntimeError(f"reading it ended the process that reads mails (exit {ended})")
            return None
        if _memory(child.pid) > _KEEP_BELOW:
            self.close()
        return answers[0]

    def _watch(self, child: subprocess.Popen[bytes], asking: threading.Thread) -> str:
        """Wait for the answer; why it cannot be waited for any longer, else ""."""
        until = time.monotonic() + self._budget.seconds
        while asking.is_alive():
            asking.join(_POLL)
            if asking.is_alive() and time.monotonic() > until:
                return f"reading it took longer than {self._budget.seconds:g} seconds"
            if asking.is_alive() and _memory(child.pid) > self._budget.memory:
                return f"reading it took more than {self._budget.memory / 1e6:.0f} MB of memory"
        return ""

    def _living_child(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self.close()
            command = [sys.executable, "-m", "portal.services.mail_reader_child", str(self._budget.idle)]
            pipe, none = subprocess.PIPE, subprocess.DEVNULL
            self._child = subprocess.Popen(command, cwd=_ROOT, stdin=pipe, stdout=pipe, stderr=none)
        return self._child


def read_here(raw: bytes) -> ReadMail:
    """Read a mail in this process, without a budget."""
    mail = parse_mail(raw)
    return ReadMail(mail, sanitize_html(mail.html))


def read_frame(source: IO[bytes]) -> bytes | None:
    """The next message of a pipe: eight bytes of length, then as many. None at its end."""
    size = source.read(8)
    if len(size) < 8:
        return None
    data = source.read(int.from_bytes(size, "big"))
    return data if len(data) == int.from_bytes(size, "big") else None


def write_frame(sink: IO[bytes], data: bytes) -> None:
    """One message into a pipe."""
    sink.write(len(data).to_bytes(8, "big"))
    sink.write(data)
    sink.flush()


def _exchange(child: subprocess.Popen[bytes], raw: bytes, answers: list[bytes]) -> None:
    assert child.stdin is not None and child.stdout is not None
    try:
        write_frame(child.stdin, raw)
        answer = read_frame(child.stdout)
    except (OSError, ValueError):
        return  # it was ended, by itself or by us: whoever watches says why
    if answer is not None:
        answers.append(answer)


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:
        pass  # what was not written yet has nobody to read it


READER = MailReader()


def read_mail(raw: bytes, *, apart: bool = False) -> ReadMail:
    """Read a mail with the one reader of this process. See MailReader.read."""
    return READER.read(raw, apart=apart)
