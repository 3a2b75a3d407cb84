"""What the shop has set about paging, read once a transaction and handed to every step of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from portal.core.calendars import holiday_at, is_open
from portal.core.escalation import EscalationPolicy
from portal.core.paging import HoursFacts, PagePolicy, WakeFor
from portal.services.calendars import load_hours
from portal.services.escalation_steps import load_policy
from portal.services.schedules import on_call_at
from portal.services.settings import load_settings

SANDBOX = "sandbox"


@dataclass(frozen=True)
class PagingRules:
    """Settings and calendar at one moment.

    Attributes:
        now: product time.
        on_call: ids of everyone on call now.
        fallback: who is asked when nobody is on call; None when nobody was named.
        provider: the SMS provider in force; empty when none is set up.
        is_live: False in watch mode.
    """

    now: datetime
    policy: PagePolicy
    escalation: EscalationPolicy
    hours: HoursFacts
    on_call: tuple[int, ...]
    fallback: int | None
    site_name: str
    number_prefix: str
    zone: ZoneInfo
    provider: str
    is_live: bool

    def holds_back(self, role: str, *, is_requested: bool) -> bool:
        """Watch mode: only the sandbox, the admins' own phones and what was asked for by hand get texts."""
        return not (self.is_live or is_requested or self.provider == SANDBOX or role == "admin")

    def clock_time(self, at: datetime) -> str:
        """A time on the site's wall clock, for texts."""
        return f"{at.astimezone(self.zone):%H:%M}"


def load_paging_rules(session: Session, *, now: datetime) -> PagingRules:
    """Read settings, calendar, roster and escalation: five statements."""
    settings = load_settings(session)
    zone = settings.zone
    hours = load_hours(session)
    holiday = holiday_at(hours, now)
    return PagingRules(
        now=now,
        policy=PagePolicy(WakeFor(settings.paging_wake_for), timedelta(minutes=settings.paging_late_minutes)),
        escalation=load_policy(session),
        hours=HoursFacts(is_open(hours, now), holiday.name if holiday else ""),
        on_call=tuple(duty.person_id for duty in on_call_at(session, now)),
        fallback=settings.paging_fallback or None,
        site_name=settings.site_name,
        number_prefix=settings.site_prefix,
        zone=zone,
        provider=settings.sms_provider,
        is_live=settings.site_live,
    )


def provider_of(session: Session) -> str:
    """The SMS provider in force; empty when none is set up."""
    return load_settings(session).sms_provider
