"""The history of a ticket in words, for its page and for `portal explain`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.services.choices import Choices
from portal.services.ticket_view import EventView

_SOURCES = {
    "form": "came in by the web form",
    "mail": "came in by mail",
    "staff": "was entered for a caller",
    "api": "came in by the API",
    "import": "was imported",
    "desk": "came from another desk",
}


@dataclass(frozen=True)
class HistoryLine:
    """One line of the history, ready for the `event` macro."""

    at: datetime
    text: str
    detail: str
    icon: str
    tone: str


def describe_event(event: EventView, choices: Choices, *, number: Callable[[int], str]) -> HistoryLine:
    """An event as a sentence. `number` formats the number of another ticket. Unknown kinds show their name."""
    words = _WORDS.get(event.kind)
    text, icon, tone = words(event.data, choices, number) if words else (event.kind, "circle-dot", "")
    who = event.actor or "Nightdesk"
    detail = str(event.data.get("note") or event.data.get("reason") or "")
    return HistoryLine(event.at, f"{who}: {text}" if event.kind != "created" else text, detail, icon, tone)


_Words = tuple[str, str, str]
_Data = Mapping[str, Any]
_Number = Callable[[int], str]


def _created(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"The ticket {_SOURCES.get(str(data.get('source')), 'was opened')}", "inbox", "info"


def _status(data: _Data, choices: Choices, number: _Number) -> _Words:
    after = str(data.get("after"))
    icon, tone = {"resolved": ("circle-check", "good"), "closed": ("check-check", "")}.get(
        after, ("circle-dot", "info")
    )
    return f"{data.get('before')} → {after}", icon, tone


def _sorted(data: _Data, choices: Choices, number: _Number) -> _Words:
    names: dict[str, Callable[[Any], str]] = {
        "priority": lambda value: f"P{value}",
        "queue_id": lambda value: choices.queue(value) or "no queue",
        "category_id": lambda value: choices.category(value) or "no category",
        "customer_id": lambda value: choices.customer(value) or "no customer",
    }
    parts = [f"{name(data[key][0])} → {name(data[key][1])}" for key, name in names.items() if key in data]
    return ", ".join(parts), "tag", "bad" if data.get("priority", (0, 0))[1] == 1 else ""


def _assigned(data: _Data, choices: Choices, number: _Number) -> _Words:
    name = choices.person(data.get("after"))
    return (f"assigned to {name}" if name else "assigned to nobody"), "user-check", ""


def _answered(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"answered the requester{' by mail' if data.get('by') == 'mail' else ''}", "reply", "info"


def _acknowledged(data: _Data, choices: Choices, number: _Number) -> _Words:
    return "took the page", "bell-ring", "good"


def _undone(data: _Data, choices: Choices, number: _Number) -> _Words:
    return "took back the last answer by text", "undo-2", "warn"


def _time(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"noted {data.get('minutes')} minutes of work", "clock", ""


def _may_belong(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"this may belong to {number(int(data.get('other') or 0))}", "link", "warn"


def _follows(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"this follows {number(int(data.get('other') or 0))}", "link", ""


def _merged(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"merged this into {number(int(data.get('other') or 0))}", "link", "info"


def _merged_here(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"merged {number(int(data.get('other') or 0))} into this", "link", "info"


def _unmerged(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"took this and {number(int(data.get('other') or 0))} apart again", "undo-2", "warn"


def _kept_apart(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"said that this does not belong to {number(int(data.get('other') or 0))}", "link", ""


def _rated(data: _Data, choices: Choices, number: _Number) -> _Words:
    rating = int(data.get("rating") or 0)
    return f"rated this {rating} of 5", "message-square", "good" if rating > 3 else "bad" if rating < 3 else ""


def _link_revoked(data: _Data, choices: Choices, number: _Number) -> _Words:
    return "made the old private links invalid", "lock", "warn"


def _duplicate(data: _Data, choices: Choices, number: _Number) -> _Words:
    return f"the same mail also came to {data.get('mailbox')}", "inbox", ""


def _delivery(data: _Data, choices: Choices, number: _Number) -> _Words:
    is_late = data.get("action") == "delayed"
    what = "is late" if is_late else "came back"
    return f"the mail to {data.get('address')} {what}", "mail-warning", "warn" if is_late else "bad"


def _emergency(data: _Data, choices: Choices, number: _Number) -> _Words:
    price = f" and agreed to the price: {data['price']}" if data.get("price") else ""
    if data.get("answer") == "declared":
        return f"declared an emergency{price}", "siren", "bad"
    return "said that it is no emergency", "moon", ""


def _suspended(data: _Data, choices: Choices, number: _Number) -> _Words:
    return "mail came back, so nothing more is sent to this address", "mail-warning", "bad"


def _held_back(data: _Data, choices: Choices, number: _Number) -> _Words:
    return "an automatic mail to the requester was held back by the circuit breaker", "mail-warning", "bad"


_WORDS: dict[str, Callable[[_Data, Choices, _Number], _Words]] = {
    "created": _created,
    "status": _status,
    "sorted": _sorted,
    "assigned": _assigned,
    "answered": _answered,
    "acknowledged": _acknowledged,
    "undone": _undone,
    "time": _time,
    "may_belong": _may_belong,
    "follows": _follows,
    "merged": _merged,
    "merged_here": _merged_here,
    "unmerged": _unmerged,
    "kept_apart": _kept_apart,
    "rated": _rated,
    "link_revoked": _link_revoked,
    "duplicate": _duplicate,
    "delivery": _delivery,
    "emergency": _emergency,
    "address_suspended": _suspended,
    "held_back": _held_back,
}
