"""The address of the ledger, read and written: filters, and where the page begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from portal.core import mail_kinds
from portal.core.wallclock import instant_of, wall_of
from portal.services.mail_ledger import FILTERS, Key, LedgerFilter, LedgerPlace

KINDS = {
    mail_kinds.PERSON: "A person",
    mail_kinds.AUTOMATIC: "A machine",
    mail_kinds.BOUNCE: "A bounce",
    mail_kinds.LIST: "A mailing list",
    mail_kinds.CALENDAR: "A calendar",
    mail_kinds.OWN: "Ourselves",
}
_NAMES = ("verdict", "mailbox", "kind", "late", "rule", "from", "q", "day")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LedgerQuery:
    """What was asked for, as words (for the form and the links) and as values (for the service)."""

    words: Mapping[str, str]
    wanted: LedgerFilter
    place: LedgerPlace

    def url(self, way: str = "", key: Key | None = None, **changes: str) -> str:
        """The address of this list, at another place or with other filters."""
        kept: dict[str, Any] = {name: value for name, value in {**self.words, **changes}.items() if value}
        if way and key:
            kept["after" if way == "older" else "before"] = _write_key(key)
        return url_for("mail.index", **kept)

    @property
    def here(self) -> str:
        """The address of this very page."""
        return self.url(self.place.way, self.place.key)

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any(self.words.values())


def read_query(args: Mapping[str, str], *, zone: ZoneInfo) -> LedgerQuery:
    """Nothing here is refused: what cannot be read counts as not asked for."""
    words = {name: args.get(name, "").strip()[:200] for name in _NAMES}
    words["verdict"] = words["verdict"] if words["verdict"] in FILTERS else ""
    words["kind"] = words["kind"] if words["kind"] in KINDS else ""
    day = _day(words["day"])
    since, until = day_bounds(day, zone=zone) if day else (None, None)
    wanted = LedgerFilter(
        verdict=words["verdict"],
        mailbox_id=_id(words["mailbox"]),
        kind=words["kind"],
        is_late=bool(words["late"]),
        rule_id=_id(words["rule"]),
        sender=words["from"],
        words=words["q"],
        since=since,
        until=until,
    )
    return LedgerQuery(words, wanted, _place(args))


def day_bounds(day: date, *, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a day of the site begins and ends."""
    return tuple(instant_of(datetime.combine(one, time()), zone=zone) for one in (day, day + timedelta(days=1)))  # type: ignore[return-value]


def last_days(now: datetime, *, zone: ZoneInfo, number: int) -> list[date]:
    """Today and the days before it, today first."""
    today = wall_of(now, zone=zone).date()
    return [today - timedelta(days=back) for back in range(number)]


def _day(word: str) -> date | None:
    try:
        found = date.fromisoformat(word)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _id(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None


def _place(args: Mapping[str, str]) -> LedgerPlace:
    for name, way in (("after", "older"), ("before", "newer")):
        key = _read_key(args.get(name, ""))
        if key:
            return LedgerPlace(way, key)
    return LedgerPlace()


def _read_key(word: str) -> Key:
    parts = word.split("-")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) < 18 for part in parts):
        return ()
    if len(parts) == 2:
        return (_EPOCH + timedelta(microseconds=int(parts[0])), int(parts[1]))
    return (int(parts[0]),)


def _write_key(key: Key) -> str:
    return "-".join(
        str((part - _EPOCH) // timedelta(microseconds=1)) if isinstance(part, datetime) else str(part) for part in key
    )
