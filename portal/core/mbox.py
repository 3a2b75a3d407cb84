"""Mbox files (RFC 4155 and the mboxrd habit) to single mails, however large the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_FROM_LINE = re.compile(rb"From \S.{0,300}\d\d:\d\d.{0,60}\d{4}\s*$|From \S+\s+\w{3} \w{3} .*\d{4}")
_QUOTED_FROM = re.compile(rb">+From ")


def split_mbox(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The mails of an mbox, given as its lines with their ends.

    A line that begins with "From " and holds a date, after an empty line or at the start, begins a mail. Quoted
    ">From " lines lose one ">". What stands before the first such line is a mail too if it is not blank.
    """
    current: list[bytes] = []
    is_after_empty = True
    for line in lines:
        if is_after_empty and line.startswith(b"From ") and _FROM_LINE.match(line):
            yield from _finished(current)
            current = []
        else:
            current.append(line[1:] if _QUOTED_FROM.match(line) else line)
        is_after_empty = not line.strip()
    yield from _finished(current)


def is_mbox(start: bytes) -> bool:
    """Whether a file that begins so is an mbox rather than a single mail."""
    return start.startswith(b"From ") and _FROM_LINE.match(start.split(b"\n", 1)[0]) is not None


def _finished(lines: list[bytes]) -> Iterator[bytes]:
    """The empty line before the next "From " belongs to the mbox."""
    if lines and not lines[-1].strip():
        lines = lines[:-1]
    raw = b"".join(lines)
    if raw.strip():
        yield raw
