"""What is still missing before Nightdesk can wake somebody: the panel on the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.core.settings import SiteSettings
from portal.core.wallclock import wall_of
from portal.models import BusinessPeriod, MailboxRow, Page, Phone, ShiftRow, User

_ITEMS = (
    ("hours", "Business hours", "Outside of them Nightdesk pages."),
    ("mailbox", "A mailbox to read", "Mail to the help desk becomes tickets."),
    ("sms", "A way to send texts", "Twilio, or the sandbox phones to try it out."),
    ("phone", "Somebody with a phone", "A text needs a number to go to."),
    ("shift", "A shift now or later", "Says whom to wake, and when."),
    ("fallback", "A fallback person", "Is paged when nobody is on call."),
    ("test", "A test page that was answered", "Shows that all of it works, from here to a pocket."),
)


@dataclass(frozen=True)
class ReadyItem:
    """One thing to have. `key` names it for links; `help` says what it is for."""

    key: str
    text: str
    help: str
    is_done: bool


@dataclass(frozen=True)
class Readiness:
    """All of it, in the order a shop sets it up."""

    items: tuple[ReadyItem, ...]

    @property
    def missing(self) -> int:
        """How many are not done."""
        return sum(not item.is_done for item in self.items)


def load_readiness(session: Session, settings: SiteSettings, *, now: datetime) -> Readiness:
    """One statement. Being live is not asked here: watch mode has a banner of its own."""
    active = (User.id == Phone.user_id) & User.is_active
    found = session.execute(
        select(
            exists().where(BusinessPeriod.id.is_not(None)).label("hours"),
            exists().where(MailboxRow.is_enabled, MailboxRow.kind != "files").label("mailbox"),
            exists().where(active, ~Phone.is_stopped).label("phone"),
            exists().where(ShiftRow.ends > wall_of(now, zone=settings.zone)).label("shift"),
            exists().where(Page.kind == "test", Page.acknowledged_at.is_not(None)).label("test"),
        )
    ).one()
    done = {**found._mapping, "sms": bool(settings.sms_provider), "fallback": bool(settings.paging_fallback)}
    return Readiness(tuple(ReadyItem(key, text, help, bool(done[key])) for key, text, help in _ITEMS))
