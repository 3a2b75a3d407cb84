"""When a mailbox is in trouble, and when its secret is about to end: what is said, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

OFF, WAITING, NEW, GOOD, TROUBLE, UNREAD = "off", "waiting", "new", "good", "trouble", "unread"

# Warned once at each of these many days before a secret ends, and once more when it has.
EXPIRY_DAYS = (30, 14, 7, 1)
ENDED = 0
# The warnings that also go out as a text when nobody has looked at them.
LAST_STAGES = (1, ENDED)
# Microsoft's refresh tokens end 90 days after they were last renewed
# (https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens).
REFRESH_TOKEN_DAYS = 90
# Nobody can renew a secret at night: warnings begin at this hour of the site's clock.
WARN_FROM_HOUR = 8

_ADVICE = (
    (("key file",), "Put back the key file of this installation, or enter the password again below."),
    (("certificate",), "Ask whoever runs the server for a valid certificate, or correct the server’s name below."),
    (("starttls", "encryption"), "Choose port and encryption that belong together: 993 with TLS, 143 with STARTTLS."),
    (("login", "sign in", "sign-in", "password", "secret"), "Check how it signs in below and save, then test again."),
    (("folder",), "Correct the folder’s name below, or make the folder again in the mailbox."),
)
_WAIT = "It is tried again by itself. If it stays like this, ask whoever runs the mail server."


@dataclass(frozen=True)
class ReadState:
    """How reading of one mailbox goes. `failing_since` is the first failure after the last good read."""

    is_enabled: bool
    is_started: bool
    next_at: datetime
    last_ok_at: datetime | None
    failing_since: datetime | None
    error: str


def unread_since(state: ReadState, *, now: datetime, limit: timedelta) -> datetime | None:
    """Since when nobody could read it, once that is longer than `limit`; None while all is well.

    Either it fails, or nobody even tried: then it has been due since `next_at`.
    """
    if not state.is_enabled:
        return None
    since = [at for at in (state.failing_since, state.next_at) if at is not None and at <= now - limit]
    return min(since) if since else None


def decide_state(state: ReadState, *, now: datetime, limit: timedelta) -> str:
    """One of off, waiting (for "from when?"), new (not read yet), unread, trouble, good."""
    if not state.is_started:
        return WAITING
    if not state.is_enabled:
        return OFF
    if unread_since(state, now=now, limit=limit):
        return UNREAD
    if state.error:
        return TROUBLE
    return GOOD if state.last_ok_at else NEW


def advise(error: str) -> str:
    """What a person can do about an error of reading, and that no mail is lost by it. Goes by the adapters' words."""
    text = error.lower()
    found = next((advice for words, advice in _ADVICE if any(word in text for word in words)), _WAIT)
    return f"{found} Mail that arrives meanwhile is taken in as soon as reading works again."


def expiry_stage(ends_on: date, *, today: date) -> int | None:
    """Which warning is due: 30, 14, 7 or 1 (days before, each until the next), 0 once it has ended, None before."""
    left = (ends_on - today).days
    if left <= 0:
        return ENDED
    return min((days for days in EXPIRY_DAYS if left <= days), default=None)


def expiry_words(name: str, what: str, ends_on: date, *, today: date) -> str:
    """The warning. `what` is the password, the client secret, the sign-in."""
    left = (ends_on - today).days
    if left <= 0:
        return f"{what} of the mailbox {name} ended on {ends_on:%d %B %Y}. Renew it on the mailbox’s page."
    days = f"in {left} day{'' if left == 1 else 's'}"
    return f"{what} of the mailbox {name} ends {days}, on {ends_on:%d %B %Y}. Renew it on the mailbox’s page."
