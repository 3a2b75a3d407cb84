"""The last test page of a person, as the first run and the settings pages watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Notification, Page, User

_WORDS = {
    "pending": "It is about to be sent.",
    "sending": "It is being sent.",
    "accepted": "The provider has it. Answer A on the phone.",
    "delivered": "It is on the phone. Answer A.",
    "undelivered": "The carrier could not deliver it.",
    "failed": "It could not be sent.",
    "cancelled": "It was not sent.",
}


@dataclass(frozen=True)
class TestPage:
    """How a test page stands. `state` is that of its newest text, "" without one; `is_over` when nothing more comes."""

    __test__ = False  # for pytest this looks like a test

    page_id: int
    name: str
    number: str
    state: str
    words: str
    reason: str
    opened_at: datetime
    answered_at: datetime | None
    is_over: bool


def load_test_page(session: Session) -> TestPage | None:
    """The newest test page there is. Two statements."""
    query = select(Page, User.name).join(User, User.id == Page.user_id).where(Page.kind == "test")
    row = session.execute(query.order_by(Page.id.desc()).limit(1)).first()
    if row is None:
        return None
    page, name = row
    texts = select(Notification).where(Notification.page_id == page.id, Notification.kind == "page")
    text = session.scalar(texts.order_by(Notification.id.desc()).limit(1))
    state = text.state if text else ""
    is_stuck = state in ("failed", "undelivered", "cancelled", "")
    return TestPage(
        page_id=page.id,
        name=name,
        number=text.number if text else "",
        state=state,
        words=_WORDS.get(state, "There was no number to send it to."),
        reason=text.last_error if text else "",
        opened_at=page.opened_at,
        answered_at=page.acknowledged_at,
        is_over=page.acknowledged_at is not None or page.state != "open" or is_stuck,
    )
