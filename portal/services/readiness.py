"""What is still missing before Nightdesk can wake somebody: the dashboard's panel and the steps of the first run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, String, cast, literal_column, select, union_all
from sqlalchemy.orm import Session

from portal.core.calendars import BusinessHours
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, coverage_gaps, make_roster
from portal.core.settings import SiteSettings
from portal.core.wallclock import wall_of
from portal.models import MailboxRow, Page, Phone, SettingRow, User
from portal.services.calendars import load_hours
from portal.services.mailboxes import READ_KINDS, can_send
from portal.services.schedules import load_schedule

DONE, MISSING, WARN = "done", "missing", "warn"
AHEAD = timedelta(days=14)
# No zone is further than 15 hours from UTC, no change of the clock longer than a day.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class ReadyItem:
    """One thing to have. `state` is done, missing, or warn (there, but needs a look). `help` says what is the matter or
    what it is for; `endpoint` and `values` are for url_for."""

    key: str
    text: str
    help: str
    state: str
    endpoint: str
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.state == DONE


@dataclass(frozen=True)
class Readiness:
    """All of it, in the order a shop sets it up."""

    items: tuple[ReadyItem, ...]

    @property
    def missing(self) -> int:
        """How many are not done."""
        return sum(not item.is_done for item in self.items)

    def state_of(self, key: str) -> str:
        """The state of one item."""
        return next(item.state for item in self.items if item.key == key)


@dataclass
class _Found:
    """What the database says."""

    hours: BusinessHours
    duties: tuple[RosterDuty, ...]
    names: dict[int, str] = field(default_factory=dict)
    with_phone: set[int] = field(default_factory=set)
    mailboxes: list[tuple[str, dict[str, Any], bool, str]] = field(default_factory=list)
    is_tested: bool = False
    chosen: set[str] = field(default_factory=set)


def load_readiness(session: Session, settings: SiteSettings, *, now: datetime) -> Readiness:
    """Two statements, whatever there is. That an administrator exists needs no asking: somebody looks at the
    panel."""
    ahead = Interval(now, now + AHEAD)
    found = _Found(load_hours(session), make_roster(load_schedule(session).roster, ahead))
    _sort(found, session.execute(union_all(*_queries())).all())
    return _judge(found, settings, now=now)


def _judge(found: _Found, settings: SiteSettings, *, now: datetime) -> Readiness:
    """The panel from what was found."""
    return Readiness(
        (
            _item("zone", "Name and time zone", *_zone(found, settings), step="site"),
            _item("hours", "Business hours", *_hours(found), step="hours"),
            _item("wake", "What to wake for", *_wake(found), step="wake"),
            _item("sms", "A way to send texts", *_sms(settings), step="sms"),
            _item("phone", "A phone for everybody on call", *_phones(found, now), step="technician"),
            _item("shift", "Somebody on call, now and for two weeks", *_cover(found, settings, now), step="shift"),
            ReadyItem(
                "fallback", "A fallback person", *_fallback(found, settings), "settings.show", {"group": "paging"}
            ),
            _item("test", "A test page that was answered", *_tested(found), step="test"),
            ReadyItem("mailbox", "A mailbox to read", *_mailbox(found), "mailboxes.index"),
            ReadyItem("sender", "A way to send mail", *_sender(found), "mailboxes.index"),
            ReadyItem("live", "Live", *_live(settings), "settings.ask_live"),
        )
    )


def _item(key: str, text: str, help: str, state: str, *, step: str) -> ReadyItem:
    return ReadyItem(key, text, help, state, "setup.step", {"name": step})


def _queries() -> list[Any]:
    """Each gives (kind, number, text, text)."""
    none: Any = literal_column("''")
    zero: Any = literal_column("0")
    return [
        select(
            literal_column("'member'").label("kind"), User.id.label("n"), User.name.label("a"), none.label("b")
        ).where(User.is_active),
        select(literal_column("'phone'"), Phone.user_id, none, none)
        .join(User, User.id == Phone.user_id)
        .where(User.is_active, ~Phone.is_stopped),
        select(literal_column("'read'"), MailboxRow.id, MailboxRow.name, none).where(
            MailboxRow.last_ok_at.is_not(None)
        ),
        select(
            literal_column("'mailbox'"), MailboxRow.id, cast(MailboxRow.options, String), MailboxRow.last_error
        ).where(MailboxRow.is_enabled, MailboxRow.kind.in_(READ_KINDS)),
        select(literal_column("'test'"), Page.id, none, none).where(
            Page.kind == "test", Page.acknowledged_at.is_not(None)
        ),
        select(literal_column("'chosen'"), zero, SettingRow.key, none).where(
            SettingRow.key.in_(("site.zone", "paging.wake_for"))
        ),
    ]


def _sort(found: _Found, rows: Iterable[Row[Any]]) -> None:
    read: set[int] = set()
    for kind, n, a, b in map(tuple, rows):
        if kind == "member":
            found.names[n] = a
        elif kind == "phone":
            found.with_phone.add(n)
        elif kind == "read":
            read.add(n)
        elif kind == "mailbox":
            found.mailboxes.append((str(n), json.loads(a), n in read, b))
        elif kind == "test":
            found.is_tested = True
        else:
            found.chosen.add(a)


def _zone(found: _Found, settings: SiteSettings) -> tuple[str, str]:
    if "site.zone" not in found.chosen:
        return "Shifts and hours need the clock on your wall.", MISSING
    return f"{settings.site_name}, {settings.site_zone}.", DONE


def _hours(found: _Found) -> tuple[str, str]:
    return (
        ("Set.", DONE)
        if not found.hours.week.is_closed
        else ("Outside of them Nightdesk wakes whoever is on call.", MISSING)
    )


def _wake(found: _Found) -> tuple[str, str]:
    return ("Chosen.", DONE) if "paging.wake_for" in found.chosen else ("Everything, unless you say so.", MISSING)


def _sms(settings: SiteSettings) -> tuple[str, str]:
    if settings.sms_provider == "sandbox":
        return "The sandbox: phones on a page. No real phone rings.", WARN
    return ("Set.", DONE) if settings.sms_provider else ("Twilio, or the sandbox to try it out.", MISSING)


def _phones(found: _Found, now: datetime) -> tuple[str, str]:
    lacking = sorted({found.names[duty.person_id] for duty in found.duties if duty.person_id not in found.with_phone})
    if lacking:
        return f"No number for {', '.join(lacking)}.", WARN
    return ("Set.", DONE) if found.with_phone else ("A text needs a number to go to.", MISSING)


def _cover(found: _Found, settings: SiteSettings, now: datetime) -> tuple[str, str]:
    if not found.duties:
        return "Nobody is on call.", MISSING
    gaps = coverage_gaps(found.duties, span=Interval(now, now + AHEAD), hours=found.hours)
    if not gaps:
        return "Covered for two weeks.", DONE
    start = wall_of(gaps[0].starts_at, zone=settings.zone)
    more = f", and {len(gaps) - 1} more times in two weeks" if len(gaps) > 1 else ""
    is_covered_now = gaps[0].starts_at > now
    when = f"from {start:%a} {start.day} {start:%b} {start:%H:%M}" if is_covered_now else "now"
    return f"Nobody is on call {when}{more}.", WARN


def _fallback(found: _Found, settings: SiteSettings) -> tuple[str, str]:
    person = settings.paging_fallback
    if person not in found.names:
        return "Is paged when nobody is on call.", MISSING
    if person not in found.with_phone:
        return f"{found.names[person]} has no phone.", WARN
    return f"{found.names[person]}.", DONE


def _tested(found: _Found) -> tuple[str, str]:
    return ("Answered.", DONE) if found.is_tested else ("Shows that all of it works, from here to a pocket.", MISSING)


def _mailbox(found: _Found) -> tuple[str, str]:
    if not found.mailboxes:
        return "Mail to the help desk becomes tickets.", MISSING
    wrong = [error for _, _, is_read, error in found.mailboxes if error or not is_read]
    if wrong:
        return f"Not read yet. {wrong[0]}".strip(), WARN
    return "Read without trouble.", DONE


def _sender(found: _Found) -> tuple[str, str]:
    if any(can_send(options) for _, options, _, _ in found.mailboxes):
        return "Set.", DONE
    return "Confirmations and answers need an SMTP server, or a mailbox at Microsoft 365.", MISSING


def _live(settings: SiteSettings) -> tuple[str, str]:
    if settings.site_live:
        return "Mails and texts go out.", DONE
    return "Watch mode: nothing leaves the house yet. Go live when the list above is done.", MISSING
