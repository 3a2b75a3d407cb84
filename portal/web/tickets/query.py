"""The address of a list page, read and written: filters, sort, and where the page begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import url_for

from portal.core.tickets import SOURCES, STATUSES
from portal.services.ticket_list import ACTIVE, FIRST, SORTS, Key, Place, TicketFilter, filter_conditions

ANY, NONE, MINE = "any", "none", "me"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = ("status", "queue", "category", "priority", "assignee", "customer", "source", "q", "sort")


@dataclass(frozen=True)
class ListQuery:
    """What was asked for, as words (for the form and the links) and as values (for the service)."""

    words: Mapping[str, str]
    wanted: TicketFilter
    place: Place

    def url(self, way: str = "", key: Key | None = None, **changes: str) -> str:
        """The address of this list, at another place or with other filters."""
        kept = {name: value for name, value in {**self.words, **changes}.items() if value}
        if kept.get("status") == ACTIVE and "q" not in kept:
            del kept["status"]  # what the list shows anyway
        place = {"older": {"after": _write_key(key)}, "newer": {"before": _write_key(key)}, "last": {"last": "1"}}
        values: dict[str, Any] = {**kept, **place.get(way, {})}
        return url_for("tickets.index", **values)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the words narrows the list."""
        return bool(filter_conditions(self.wanted))

    @property
    def here(self) -> str:
        """The address of this very page, without the filters that were left empty."""
        return self.url(self.place.way, self.place.key)


def read_query(args: Mapping[str, str], *, user_id: int) -> ListQuery:
    """Nothing here is refused: what cannot be read counts as not asked for."""
    words = {name: args.get(name, "").strip()[:200] for name in _NAMES}
    wanted = TicketFilter(
        status=_status(words["status"], has_words=bool(words["q"])),
        queue_id=_id(words["queue"]),
        category_id=_id(words["category"]),
        priority=int(words["priority"]) if words["priority"] in ("1", "2", "3", "4") else None,
        assignee_id=user_id if words["assignee"] == MINE else _id(words["assignee"]),
        customer_id=_id(words["customer"]),
        source=words["source"] if words["source"] in SOURCES else "",
        requester_id=_id(args.get("requester", "")) or None,
        words=words["q"],
        sort=words["sort"] if words["sort"] in SORTS else SORTS[0],
    )
    if wanted.requester_id:
        words["requester"] = str(wanted.requester_id)
    return ListQuery(words, wanted, _place(args, wanted))


def _status(word: str, *, has_words: bool) -> str:
    """Without a word: what is still to be done; a search looks everywhere."""
    if word in STATUSES or word == ACTIVE:
        return word
    return "" if word == ANY or has_words else ACTIVE


def _id(word: str) -> int | None:
    if word == NONE:
        return 0
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None


def _place(args: Mapping[str, str], wanted: TicketFilter) -> Place:
    for name, way in (("after", "older"), ("before", "newer")):
        key = _read_key(args.get(name, ""), by_change=wanted.sort == "changed" and not wanted.words)
        if key:
            return Place(way, key)
    return Place("last") if args.get("last") else FIRST


def _read_key(word: str, *, by_change: bool) -> Key:
    parts = word.split("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 18 for part in parts):
        return ()
    if by_change and len(parts) == 2:
        return (_EPOCH + timedelta(microseconds=int(parts[0])), int(parts[1]))
    return (int(parts[0]),) if len(parts) == 1 and not by_change else ()


def _write_key(key: Key | None) -> str:
    return "-".join(
        str((p - _EPOCH) // timedelta(microseconds=1)) if isinstance(p, datetime) else str(p) for p in key or ()
    )
