"""kill -9 at chosen steps of a program's own work: SQL statements, commits, commands to mail servers.

A step is what is about to happen or has just happened, with the functions of the program that asked for it, such as
`before INSERT ticket < create_ticket < _open < apply_plan`. Each distinct step ends the process when it is seen for the
1st time, then for the 4th, and so on as the schedule says, so that rare steps are hit as surely as common ones.
"""

from __future__ import annotations

import imaplib
import mmap
import os
import re
import signal
import smtplib
import struct
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

_SLOTS = 2**21
_HEADER = 64
_TABLE = re.compile(r'(?:FROM|INTO|UPDATE)\s+"?(\w+)')
_PRODUCT = os.sep + "portal" + os.sep
_DEPTH = 4
# Finishes items one by one. Putting a mail aside that ended the program several times is right, so nobody dies of the
# same one for ever.
FINISHING = ("mail_intake", "mail_out")
MAX_DEATHS_IN_A_ROW = 3


@dataclass(frozen=True)
class Plan:
    """Which steps kill, and when.

    Args:
        schedule: at which occurrences a step kills, rising.
        of: a sample is every so-maniest step, chosen by its name.
    """

    schedule: Sequence[int]
    of: int = 1

    def is_due(self, name: str, *, count: int, deaths: int) -> bool:
        """Whether a step that is met for the `count`th time and has killed `deaths` times kills now."""
        if deaths >= len(self.schedule) or count < self.schedule[deaths]:
            return False
        return zlib.crc32(name.encode()) // _SLOTS % self.of == 0


class Board:
    """Memory that all processes of a run share, and that a killed one leaves behind."""

    def __init__(self) -> None:
        self._map = mmap.mmap(-1, _HEADER + 2 * _SLOTS * 4)
        view = memoryview(self._map)
        self._numbers = view[:_HEADER].cast("Q")
        self.counts = view[_HEADER:].cast("I")

    @property
    def seconds(self) -> float:
        """How far both clocks of the children are ahead."""
        return float(struct.unpack_from("d", self._map, 0)[0])

    def move(self, seconds: float) -> None:
        """Let time pass for the children."""
        struct.pack_into("d", self._map, 0, self.seconds + seconds)

    @property
    def deaths_in_a_row(self) -> int:
        """Without a finished item in between."""
        return self._numbers[1]

    @deaths_in_a_row.setter
    def deaths_in_a_row(self, number: int) -> None:
        self._numbers[1] = number

    def slot(self, name: str) -> int:
        """Where a step is counted; the number of deaths there lies behind it."""
        return 2 * (zlib.crc32(name.encode()) % _SLOTS)


class Killer:
    """In a child: counts steps, and ends the process at those the schedule names.

    Args:
        plan: which steps kill, and when.
        tell: where the step's name is written just before the end.
        seen: where the name of each step is written that is met.
    """

    def __init__(self, board: Board, *, plan: Plan, tell: int, seen: int) -> None:
        self._board = board
        self._plan = plan
        self._tell = tell
        self._seen = seen
        self.kind = ""  # the kind of work in hand

    def step(self, what: str) -> None:
        """Something is about to happen, or just did."""
        name = " < ".join((what, *_callers()))
        slot, counts = self._board.slot(name), self._board.counts
        counts[slot] += 1
        os.write(self._seen, f"{name}\n".encode())
        is_due = self._plan.is_due(name, count=counts[slot], deaths=counts[slot + 1])
        if is_due and self._may_die():
            counts[slot + 1] += 1
            os.write(self._tell, f"{name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def _may_die(self) -> bool:
        if self.kind not in FINISHING:
            return True
        self._board.deaths_in_a_row += 1
        return self._board.deaths_in_a_row <= MAX_DEATHS_IN_A_ROW

    def watch_database(self, *engines: Engine) -> None:
        """Every statement and every commit, before and after."""
        for engine in engines:
            event.listen(engine, "before_cursor_execute", lambda *args: self.step(f"before {_head(args[2])}"))
            event.listen(engine, "after_cursor_execute", lambda *args: self.step(f"after {_head(args[2])}"))
            commit = engine.dialect.do_commit
            engine.dialect.do_commit = self._around(commit, lambda *args: "COMMIT")  # type: ignore[method-assign]

    def watch_imap(self) -> None:
        """Before a command is sent, and when its answer is complete."""
        imaplib.IMAP4._command = self._around(imaplib.IMAP4._command, lambda self, name, *args: f"IMAP {name}")
        complete = imaplib.IMAP4._command_complete
        imaplib.IMAP4._command_complete = self._around(complete, lambda self, name, tag: f"IMAP answer to {name}")

    def watch_smtp(self) -> None:
        """Before and after each command and each answer: the answer to the mail itself says that the server took it."""
        said = ["the connection"]

        def name(connection: smtplib.SMTP, data: bytes | str) -> str:
            said[0] = _command(data)
            return f"SMTP {said[0]}"

        smtplib.SMTP.send = self._around(smtplib.SMTP.send, name)  # type: ignore[method-assign]
        answer = self._around(smtplib.SMTP.getreply, lambda connection: f"SMTP answer to {said[0]}")
        smtplib.SMTP.getreply = answer  # type: ignore[method-assign]

    def _around(self, call: Callable[..., Any], name: Callable[..., str]) -> Any:
        def inner(*args: Any, **options: Any) -> Any:
            what = name(*args, **options)
            self.step(f"before {what}")
            answer = call(*args, **options)
            self.step(f"after {what}")
            return answer

        return inner


def _callers() -> list[str]:
    """The innermost functions of the program, nearest first."""
    names: list[str] = []
    frame = sys._getframe(2)
    while frame is not None and len(names) < _DEPTH:
        if _PRODUCT in frame.f_code.co_filename:
            names.append(frame.f_code.co_name)
        frame = frame.f_back  # type: ignore[assignment]
    return names


def _head(statement: str) -> str:
    table = _TABLE.search(statement)
    return f"{statement.split(None, 1)[0]} {table.group(1) if table else ''}".strip()


def _command(data: bytes | str) -> str:
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    word = text.split(None, 1)[0] if text.strip() else ""
    return word.strip() if word.strip().isalpha() and word.isupper() and len(word) < 9 else "the mail itself"
