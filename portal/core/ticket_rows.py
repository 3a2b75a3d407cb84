"""Tickets from a file, CSV or one JSON object a line, each row checked and named when it cannot be taken."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MAX_TEXT = 200_000
_PRIORITIES = {
    "1": 1, "p1": 1, "critical": 1, "urgent": 1, "highest": 1, "emergency": 1, "very high": 1,
    "2": 2, "p2": 2, "high": 2,
    "3": 3, "p3": 3, "medium": 3, "normal": 3, "moderate": 3, "default": 3, "": 3,
    "4": 4, "p4": 4, "low": 4, "lowest": 4, "minor": 4, "5": 4, "very low": 4,
}  # fmt: skip
_STATUSES = {
    "": "new", "new": "new", "open": "open", "reopened": "open", "assigned": "open",
    "in progress": "in progress", "in_progress": "in progress", "working": "in progress", "active": "in progress",
    "waiting": "waiting for requester", "pending": "waiting for requester",
    "waiting for requester": "waiting for requester", "waiting for customer": "waiting for requester",
    "waiting for third party": "waiting for third party", "waiting for vendor": "waiting for third party",
    "on hold": "on hold", "hold": "on hold",
    "resolved": "resolved", "solved": "resolved", "done": "resolved", "fixed": "resolved",
    "closed": "closed", "cancelled": "closed", "canceled": "closed", "rejected": "closed",
}  # fmt: skip
_NAMES = {
    "title": ("title", "subject", "summary", "name"),
    "body": ("body", "description", "text", "details", "content"),
    "created": ("created", "created_at", "created at", "date", "opened", "opened_at", "submit_date"),
    "status": ("status", "state"),
    "priority": ("priority", "urgency"),
    "requester": ("requester", "email", "requester_email", "from", "submitter_email", "submitter", "reporter"),
    "reply": ("reply", "answer", "resolution", "response", "solution"),
}
_ADDRESS = re.compile(r"[^\s<>\"(),;:@]+@[^\s<>\"(),;:@]+\.?[^\s<>\"(),;:@]*")


@dataclass(frozen=True)
class TicketRow:
    """One ticket of the file. `requester` is an address, or a bare name in `requester_name`. `line` counts from 1."""

    line: int
    title: str
    body: str
    created_at: datetime | None
    status: str
    priority: int
    requester: str
    requester_name: str
    reply: str


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken, and why, for the person at the keyboard."""

    line: int
    reason: str


def parse_ticket_rows(lines: Iterable[str], *, is_json: bool, zone: ZoneInfo) -> Iterator[TicketRow | RefusedRow]:
    """Every row of the file in its order, taken or refused; nothing is left out silently.

    Args:
        lines: the text lines of the file.
        is_json: one JSON object a line instead of CSV with a header line.
        zone: the site's zone, for times without one.
    """
    rows = _json_rows(lines) if is_json else _csv_rows(lines)
    for line, values in rows:
        if isinstance(values, RefusedRow):
            yield values
        else:
            yield _read_row(line, values, zone)


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str] | RefusedRow]]:
    for line, text in enumerate(lines, 1):
        if not text.strip().strip("\ufeff"):
            continue
        try:
            found = json.loads(text.strip("\ufeff"))
        except (ValueError, RecursionError) as error:
            yield line, RefusedRow(line, f"not JSON: {str(error)[:100]}")
            continue
        if not isinstance(found, dict):
            yield line, RefusedRow(line, "not a JSON object")
            continue
        yield line, {str(name): _plain(value) for name, value in found.items()}


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return _plain(next((value[name] for name in ("email", "name", "value") if value.get(name)), ""))
    if isinstance(value, list):
        return "\n\n".join(filter(None, (_plain(one) for one in value)))
    return "" if value is None else str(value)


def _storable(text: str) -> str:
    """JSON can spell NUL and half a surrogate pair, which no database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, str] | RefusedRow]]:
    iterator = iter(lines)
    first = next(iterator, "").lstrip("\ufeff")
    header = next(csv.reader([first], delimiter=_delimiter(first)), [])
    reader = csv.reader(iterator, delimiter=_delimiter(first), strict=True)
    line = 1
    while True:
        start = line + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line = reader.line_num + 1
            yield start, RefusedRow(start, f"not CSV: {error}")
            continue
        line = reader.line_num + 1
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(header):
            yield start, RefusedRow(start, f"{len(values)} columns, but the header names {len(header)}")
            continue
        yield start, dict(zip(header, values, strict=False))


def _delimiter(header: str) -> str:
    return max((",", ";", "\t"), key=header.count)


def _read_row(line: int, values: Mapping[str, str], zone: ZoneInfo) -> TicketRow | RefusedRow:
    given = {name.strip().lower(): _storable(value).strip() for name, value in values.items() if name}
    found = {wanted: next((given[name] for name in names if given.get(name)), "") for wanted, names in _NAMES.items()}
    title = " ".join((found["title"] or found["body"][:200]).split())
    if not title:
        return RefusedRow(line, "neither a title nor a body")
    if max(len(found["body"]), len(found["reply"])) > MAX_TEXT:
        return RefusedRow(line, f"a text longer than {MAX_TEXT:,} characters")
    status, priority = _STATUSES.get(found["status"].lower()), _PRIORITIES.get(found["priority"].lower())
    if status is None:
        return RefusedRow(line, f"unknown status {found['status'][:40]!r}")
    if priority is None:
        return RefusedRow(line, f"unknown priority {found['priority'][:40]!r}")
    created_at = _read_time(found["created"], zone)
    if found["created"] and created_at is None:
        return RefusedRow(line, f"unreadable time {found['created'][:40]!r}")
    address = _ADDRESS.search(found["requester"])
    email = address.group() if address else ""
    name = found["requester"].replace(email, "").strip(" <>\"'()") if email else found["requester"]
    return TicketRow(
        line, title[:300], found["body"] or title, created_at, status, priority, email, name[:200], found["reply"]
    )


def _read_time(text: str, zone: ZoneInfo) -> datetime | None:
    """ISO 8601, seconds since 1970, or day.month.year and month/day/year, with or without a time."""
    for read in _TIMES:
        try:
            found = read(text)
            aware = found if found.tzinfo else found.replace(tzinfo=zone)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _from_seconds(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)


def _from_pattern(pattern: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is added by the caller


_PATTERNS = tuple(f"{day}{time}" for day in ("%d.%m.%Y", "%m/%d/%Y") for time in (" %H:%M:%S", " %H:%M", ""))
_TIMES = (datetime.fromisoformat, _from_seconds, *map(_from_pattern, _PATTERNS))
