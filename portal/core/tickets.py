"""The status table, which page, desk and report share (decisions.md 6), and how a ticket is named."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.core.errors import DomainError

NEW, OPEN, IN_PROGRESS = "new", "open", "in progress"
WAITING_REQUESTER, WAITING_THIRD, ON_HOLD = "waiting for requester", "waiting for third party", "on hold"
RESOLVED, CLOSED = "resolved", "closed"

_ENDED = frozenset({RESOLVED, CLOSED})
_ACTIVE = (OPEN, IN_PROGRESS, WAITING_REQUESTER, WAITING_THIRD, ON_HOLD)
STATUSES = (NEW, *_ACTIVE, RESOLVED, CLOSED)
SOURCES = ("form", "mail", "staff", "api", "import", "desk")
PRIORITIES = {1: "Critical", 2: "High", 3: "Normal", 4: "Low"}
DEFAULT_PRIORITY = 3

# What may follow what. Nothing goes back to new; what is closed is reopened first.
TRANSITIONS: dict[str, tuple[str, ...]] = {
    NEW: (*_ACTIVE, RESOLVED),
    **{status: (*(other for other in _ACTIVE if other != status), RESOLVED) for status in _ACTIVE},
    RESOLVED: (OPEN, CLOSED),
    CLOSED: (OPEN,),
}


@dataclass(frozen=True)
class StatusChange:
    """A change that the table allows. `is_reopened`: it was ended and is not any more."""

    before: str
    after: str
    is_reopened: bool
    is_resolved: bool


def is_open_status(status: str) -> bool:
    """Everything that is neither resolved nor closed."""
    return status not in _ENDED


def next_statuses(status: str) -> tuple[str, ...]:
    """What a ticket may become, in the order of the menu."""
    return TRANSITIONS[status]


def decide_status_change(before: str, after: str, *, resolution: str = "") -> StatusChange:
    """Check one change against the table. Resolving asks for a note, which goes out with the mail.

    Raises DomainError with a sentence for the person who asked.
    """
    if after not in STATUSES:
        raise DomainError(f"There is no status {after!r}.")
    if after not in TRANSITIONS[before]:
        raise DomainError(f"A ticket that is {before} cannot become {after}.")
    if after == RESOLVED and not resolution.strip():
        raise DomainError("Say in a few words how it was solved.")
    return StatusChange(before, after, before in _ENDED and after not in _ENDED, after == RESOLVED)


def status_after_reply(status: str) -> str:
    """What a requester's words make of a ticket: what waited for them, or had ended, is open again."""
    return OPEN if status in (*_ENDED, WAITING_REQUESTER) else status


def format_number(ticket_id: int, *, prefix: str = "#") -> str:
    """How people see a ticket's number."""
    return f"{prefix}{ticket_id}"


def check_priority(priority: int) -> int:
    """1 to 4. Raises DomainError."""
    if priority not in PRIORITIES:
        raise DomainError("A priority is P1, P2, P3 or P4.")
    return priority


_SPACE = re.compile(r"\s+")


def clean_subject(subject: str, *, body: str = "") -> str:
    """One line of at most 300 characters; the body's first line where there is no subject."""
    line = _SPACE.sub(" ", subject).strip()
    if not line:
        line = next((_SPACE.sub(" ", one).strip() for one in body.splitlines() if one.strip()), "")[:100]
    return line[:300] or "(no subject)"
