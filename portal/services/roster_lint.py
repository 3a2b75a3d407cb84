"""Twelve months ahead: what each roster lacks, for its pages and, once a week, by mail to managers and admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from portal.core.calendars import year_to_review
from portal.core.findings import (
    Finding,
    FindingGroup,
    Limits,
    LintFacts,
    PhoneState,
    Worker,
    group_findings,
    select_news,
)
from portal.core.roster_lint import AHEAD, lint_roster
from portal.core.settings import SiteSettings
from portal.core.wallclock import instant_of, wall_of
from portal.models import SITE_CALENDAR, HolidayRow, Notification, OutgoingMail, Phone, RotationRow, User
from portal.models.versions import Head, Versioned, load_site_state
from portal.services.calendars import load_hours
from portal.services.context import Context
from portal.services.holidays import PROPOSED, list_reviewed_years
from portal.services.recipients import MANAGER_ROLES
from portal.services.schedules import ROLES, list_schedules, load_schedule
from portal.services.settings import load_settings
from portal.services.staff_mail import StaffMail, add_staff_mail

# How long findings are shown again while nothing changes: what was found keeps its words when the time moves on.
_KEEP = timedelta(minutes=10)
EVENT = "roster_check"
_MONDAY_AT = time(8)
_known: Versioned[tuple[Finding, ...]] = Versioned()


@dataclass(frozen=True)
class RosterCheck:
    """One schedule and what was found in it, grouped."""

    head: Head
    groups: tuple[FindingGroup, ...]

    @property
    def count(self) -> int:
        """How many findings there are."""
        return sum(len(group.shown) + len(group.more) for group in self.groups)


def load_check(session: Session, schedule_id: int, *, now: datetime) -> RosterCheck:
    """A schedule's findings from `now` on. Two statements while nothing in it changes. Raises DomainError when it is
    gone."""
    stored = load_schedule(session, schedule_id)
    return RosterCheck(stored.head, group_findings(find_in_roster(session, schedule_id, now=now)))


def find_in_roster(session: Session, schedule_id: int, *, now: datetime) -> tuple[Finding, ...]:
    """Everything found in the twelve months from `now`, in order of time. Raises DomainError when it is gone."""
    stored, settings, people = load_schedule(session, schedule_id), load_settings(session), _load_people(session)
    head, calendar_id = stored.head, stored.head.calendar_id or SITE_CALENDAR
    calendar = load_site_state(session).calendars[calendar_id]
    limits = Limits(settings.oncall_long_days, settings.oncall_long_hours)
    slot = int(now.timestamp() // _KEEP.total_seconds())
    version = (head.version, head.zone.key, calendar.id, calendar.version, calendar.zone.key, people, limits, slot)

    def look() -> tuple[Finding, ...]:
        rotations = select(RotationRow.id, RotationRow.name).where(RotationRow.schedule_id == schedule_id)
        today = wall_of(now, zone=head.zone).date()
        facts = LintFacts(
            stored.roster,
            load_hours(session, calendar_id),
            dict(people),
            {row.id: row.name for row in session.execute(rotations)},
            _load_proposals(session, calendar_id, now=now),
            year_to_review(today, list_reviewed_years(session, calendar_id)),
            limits,
        )
        return lint_roster(facts, now=now)

    return tuple(one for one in _known.get(session, schedule_id, version, look) if one.span.ends_at > now)


def mail_roster_checks(context: Context) -> str:
    """Once a week, from Monday 08:00 on the site's clock: one mail to each manager and administrator, when there is
    something to say. None in watch mode, nor in the week in which a site is set up. Returns a line about it."""
    now = context.clock.now()
    with context.database.read_session() as session:
        settings = load_settings(session)
        week = _week_of(session, settings, now=now)
        if not settings.site_live or week is None or not _lacks(session, week):
            return "The mail of this week is written, or not due yet."
        checks = [_news(session, head, now=now) for head in list_schedules(session)]
    found = [check for check in checks if check.groups]
    if not found:
        return "Nothing to say about the rosters."
    mail = _write(found, settings, site_url=context.site_url)
    with context.database.unit_of_work() as uow:
        people = uow.session.scalars(_managers()).all()
        written = sum(
            add_staff_mail(context, uow, person, StaffMail(EVENT, f"{week}:{person.id}", *mail)) for person in people
        )
    return f"{sum(check.count for check in found)} findings, {written} mails."


def _load_people(session: Session) -> tuple[tuple[int, Worker], ...]:
    has_any = exists().where(Phone.user_id == User.id)
    may_text = exists().where(Phone.user_id == User.id, ~Phone.is_stopped)
    # Nobody is asked for a code yet: whoever ever answered a page has a phone that works.
    is_proven = exists().where(Phone.user_id == User.id, Phone.verified_at.is_not(None))
    has_answered = exists().where(Notification.user_id == User.id, Notification.answered_at.is_not(None))
    columns = (User.id, User.name, User.role, User.is_active, has_any, may_text, is_proven | has_answered)
    found = []
    for id, name, role, is_active, has_phone, is_textable, is_ready in session.execute(
        select(*columns).order_by(User.id)
    ):
        state = PhoneState.READY if is_ready else PhoneState.UNPROVEN
        if not is_textable:
            state = PhoneState.STOPPED if has_phone else PhoneState.NONE
        found.append((id, Worker(name, is_active, role in ROLES, state)))
    return tuple(found)


def _load_proposals(session: Session, calendar_id: int, *, now: datetime) -> tuple[tuple[date, str], ...]:
    first = now.date() - timedelta(days=1)
    within = HolidayRow.observed_on.between(first, first + AHEAD + timedelta(days=2))
    query = select(HolidayRow.observed_on, HolidayRow.name).where(
        HolidayRow.calendar_id == calendar_id, HolidayRow.state == PROPOSED, within
    )
    return tuple((row.observed_on, row.name) for row in session.execute(query.order_by(HolidayRow.observed_on)))


def _news(session: Session, head: Head, *, now: datetime) -> RosterCheck:
    return RosterCheck(head, group_findings(select_news(find_in_roster(session, head.id, now=now), now=now)))


def _week_of(session: Session, settings: SiteSettings, *, now: datetime) -> str | None:
    """`roster-check:2026-48` once its Monday morning has come, and somebody was here to see it come; else None."""
    wall = wall_of(now, zone=settings.zone)
    monday = instant_of(datetime.combine(wall.date() - timedelta(days=wall.weekday()), _MONDAY_AT), zone=settings.zone)
    first = session.scalar(select(func.min(User.created_at)))
    if now < monday or first is None or first > monday:
        return None
    year, week, _ = wall.isocalendar()
    return f"roster-check:{year}-{week:02}"


def _managers() -> Select[User]:
    return select(User).where(User.role.in_(MANAGER_ROLES), User.is_active).order_by(User.id)


def _lacks(session: Session, week: str) -> bool:
    """Whether somebody who should have the mail of this week has none."""
    written = set(session.scalars(select(OutgoingMail.dedupe_key).where(OutgoingMail.dedupe_key.like(f"{week}:%"))))
    return any(f"{week}:{person.id}" not in written for person in session.scalars(_managers()))


def _write(checks: Sequence[RosterCheck], settings: SiteSettings, *, site_url: str) -> tuple[str, str]:
    """Subject and text."""
    count = sum(check.count for check in checks)
    subject = f"Roster check of {settings.site_name}: {count} finding{'' if count == 1 else 's'}"
    parts = ["This is what the rosters lack in the next twelve months."]
    for check in checks:
        parts.append(check.head.name)
        for group in check.groups:
            lines = [f"  - {one.text}" for one in group.shown]
            lines += [f"  - and {len(group.more)} more"] if group.more else []
            parts.append("\n".join([group.title, *lines]))
    parts.append(f"{site_url}/oncall/report" if site_url else "The On call pages show it all, under Check and report.")
    return subject, "\n\n".join(parts) + "\n"
