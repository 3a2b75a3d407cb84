"""How the mailboxes are, for the pages; and the alarms about them: banner and mail at once, a text when nobody looks.

An alarm belongs to one incident, named in its key: told once, and not again after somebody has seen it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core import mail_health as health
from portal.core.mail_health import ReadState
from portal.core.schedule import find_job
from portal.core.settings import SiteSettings
from portal.models import Alarm, Job, JobRun, MailboxRow, MailLedger, MailToken, UnitOfWork
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.context import Context
from portal.services.mail_intake import count_unexplained
from portal.services.mailboxes import GRAPH, READ_KINDS, is_started
from portal.services.page_texts import INFO, Text, add_text
from portal.services.paging_rules import load_paging_rules
from portal.services.recipients import load_managers
from portal.services.settings import load_settings

AUDIT = "mail_audit"
UNEXPLAINED, UNREAD, EXPIRY = "mail-unexplained:", "mail-unread:", "mail-expiry:"
_ADMIN = "admin"


@dataclass(frozen=True)
class Expiry:
    """A secret or a sign-in that ends. `words` say so once it is near, "" before."""

    ends_on: date
    stage: int | None
    words: str


@dataclass(frozen=True)
class MailboxHealth:
    """One mailbox as the pages show it. `state` is one of core/mail_health.py; `today` counts what came in since
    midnight on the site's clock."""

    row: MailboxRow
    state: str
    unread_since: datetime | None
    today: int
    expiry: Expiry | None

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to look at."""
        return self.state in (health.GOOD, health.OFF, health.NEW) and not (self.expiry and self.expiry.words)

    @property
    def advice(self) -> str:
        """What to do about the error that is shown, "" for none."""
        return health.advise(self.row.last_error) if self.row.last_error else ""


def load_mailbox_health(
    session: Session, settings: SiteSettings, *, now: datetime, counts_today: bool = False
) -> list[MailboxHealth]:
    """Every mailbox that is read, by name. One statement; another one where what came in today is counted."""
    query = select(MailboxRow, MailToken).outerjoin(MailToken, MailToken.mailbox_id == MailboxRow.id)
    found = session.execute(query.where(MailboxRow.kind.in_(READ_KINDS)).order_by(MailboxRow.name)).all()
    today = _count_today(session, settings.zone, now) if found and counts_today else {}
    limit = timedelta(minutes=settings.mail_unread_minutes)
    local = now.astimezone(settings.zone).date()
    return [
        MailboxHealth(
            row,
            health.decide_state(_read_state(row), now=now, limit=limit),
            health.unread_since(_read_state(row), now=now, limit=limit),
            today.get(row.id, 0),
            _expiry(row, token, settings.zone, local),
        )
        for row, token in found
    ]


def audit_mail(context: Context) -> str:
    """Has every stored mail its verdict, is every mailbox being read, does a secret end? Returns a line about it."""
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        settings = load_settings(uow.session)
        found = load_mailbox_health(uow.session, settings, now=now)
        is_back = not _was_watching(uow.session, now)
        unexplained = _alarm_unexplained(uow, now, is_back=is_back)
        unread = _alarm_unread(uow, found, now, is_back=is_back)
        _alarm_expiry(uow, found, now.astimezone(settings.zone), now)
        texts = text_admins(uow, settings, now=now)
    texted = f" {texts} text{'' if texts == 1 else 's'} to administrators." if texts else ""
    return f"{unexplained} mails without a verdict, {unread} mailboxes not read.{texted}"


def text_admins(uow: UnitOfWork, settings: SiteSettings, *, now: datetime) -> int:
    """Text what has stood on the banner for too long unseen. Each alarm and person once. Returns how many are new.

    Administrators, whom watch mode does not hold back; managers where no administrator has a phone.
    """
    if not settings.mail_text_minutes:
        return 0
    since = now - timedelta(minutes=settings.mail_text_minutes)
    waiting = select(Alarm).where(Alarm.ended_at.is_(None), Alarm.raised_at <= since, Alarm.key.like("mail-%"))
    alarms = [alarm for alarm in uow.session.scalars(waiting.order_by(Alarm.id)) if _is_texted(alarm.key)]
    if not alarms:
        return 0
    rules = load_paging_rules(uow.session, now=now)
    people = [person for person in load_managers(uow.session) if person.numbers]
    admins = [person for person in people if person.role == _ADMIN]
    count = 0
    for alarm in alarms:
        for person in admins or people:
            words = f"{settings.site_name}: {alarm.text}"
            count += add_text(
                uow, rules, person, Text(f"alarm:{alarm.id}:{person.user_id}", INFO, person.numbers[0], words)
            )
    return count


def _is_texted(key: str) -> bool:
    """Of the warnings before a secret ends only the last ones."""
    return not key.startswith(EXPIRY) or int(key.rpartition(":")[2]) in health.LAST_STAGES


def _read_state(row: MailboxRow) -> ReadState:
    return ReadState(
        row.is_enabled, is_started(row), row.next_at, row.last_ok_at, row.failing_since_at, row.last_error
    )  # fmt: skip


def _count_today(session: Session, zone: ZoneInfo, now: datetime) -> dict[int, int]:
    midnight = datetime.combine(now.astimezone(zone).date(), time(), tzinfo=zone).astimezone(UTC)
    query = select(MailLedger.mailbox_id, func.count()).where(MailLedger.listed_at >= midnight)
    return {row[0]: row[1] for row in session.execute(query.group_by(MailLedger.mailbox_id))}


def _expiry(row: MailboxRow, token: MailToken | None, zone: ZoneInfo, today: date) -> Expiry | None:
    """What ends first: the secret somebody entered a date for, or a sign-in that was not renewed."""
    ends: list[tuple[date, str]] = []
    if row.secret_expires_on:
        is_app = row.kind == GRAPH or bool(row.options.get("oauth"))
        ends.append((row.secret_expires_on, "The client secret" if is_app else "The password"))
    if token is not None and token.authorized_at is not None:
        renewed = token.changed_at + timedelta(days=health.REFRESH_TOKEN_DAYS)
        ends.append((renewed.astimezone(zone).date(), "The sign-in"))
    if not ends:
        return None
    ends_on, what = min(ends)
    stage = health.expiry_stage(ends_on, today=today) if row.is_enabled else None
    words = "" if stage is None else health.expiry_words(row.name, what, ends_on, today=today)
    return Expiry(ends_on, stage, words)


def _alarm_unexplained(uow: UnitOfWork, now: datetime, *, is_back: bool) -> int:
    """One incident from the first mail without a verdict until there is none. At ten minutes (core/intake.py), so that
    somebody is told well within the hour of promise 1."""
    count = count_unexplained(uow.session, now=now)
    if not count:
        _end_others(uow, UNEXPLAINED, set(), now)
    elif not is_back and _open_key(uow.session, UNEXPLAINED) is None:
        oldest = uow.session.scalar(select(func.min(MailLedger.id)).where(MailLedger.state == "stored"))
        words = "1 mail has" if count == 1 else f"{count} mails have"
        text = f"{words} no verdict yet. The mail page shows them, the jobs page and the log say more."
        _raise_once(uow, f"{UNEXPLAINED}{oldest}", text, now)
    return count


def _alarm_unread(uow: UnitOfWork, found: Sequence[MailboxHealth], now: datetime, *, is_back: bool) -> int:
    """`is_back`: nothing ran until now, so that a mailbox nobody tried to read says nothing yet."""
    keys: set[str] = set()
    for one in found:
        if one.unread_since is None:
            continue
        key = f"{UNREAD}{one.row.id}:{int(one.unread_since.timestamp())}"
        keys.add(key)
        if is_back and one.row.failing_since_at is None:
            continue
        minutes = int((now - one.unread_since).total_seconds() // 60)
        reason = f": {one.row.last_error}" if one.row.last_error else "."
        _raise_once(uow, key, f"The mailbox {one.row.name} has not been read for {minutes} minutes{reason}", now)
    _end_others(uow, UNREAD, keys, now)
    return len(keys)


def _alarm_expiry(uow: UnitOfWork, found: Sequence[MailboxHealth], local: datetime, now: datetime) -> None:
    keys: set[str] = set()
    for one in found:
        if one.expiry is not None and one.expiry.stage is not None:
            key = f"{EXPIRY}{one.row.id}:{one.expiry.ends_on}:{one.expiry.stage}"
            keys.add(key)
            if local.hour >= health.WARN_FROM_HOUR:
                _raise_once(uow, key, one.expiry.words, now)
    _end_others(uow, EXPIRY, keys, now)


def _raise_once(uow: UnitOfWork, key: str, text: str, now: datetime) -> None:
    """Not again once it was shown, also when a person has ended it."""
    if uow.session.scalar(select(Alarm.id).where(Alarm.key == key).limit(1)) is None:
        raise_alarm(uow, key, text, now=now)


def _open_key(session: Session, prefix: str) -> str | None:
    return session.scalar(select(Alarm.key).where(Alarm.ended_at.is_(None), Alarm.key.like(f"{prefix}%")).limit(1))


def _end_others(uow: UnitOfWork, prefix: str, keys: set[str], now: datetime) -> None:
    open_keys = select(Alarm.key).where(Alarm.ended_at.is_(None), Alarm.key.like(f"{prefix}%"))
    for key in uow.session.scalars(open_keys).all():
        if key not in keys:
            end_alarm(uow, key, now=now)


def _was_watching(session: Session, now: datetime) -> bool:
    """Whether this audit ran lately: after an outage the mailboxes get their chance before anybody is alarmed."""
    last = session.scalar(select(func.max(JobRun.finished_at)).where(JobRun.job == AUDIT))
    interval = session.scalar(select(Job.interval_s).where(Job.name == AUDIT)) or find_job(AUDIT).interval_s
    return last is not None and last >= now - timedelta(seconds=3 * interval)
