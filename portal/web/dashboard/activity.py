"""Recent events of tickets in a few words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.services.dashboard import Activity

_WORDS = {
    "created": ("New", "inbox", "info"),
    "sorted": ("Sorted", "tag", ""),
    "assigned": ("Assigned", "user-check", ""),
    "answered": ("Answered", "reply", "info"),
    "acknowledged": ("Page taken", "bell-ring", "good"),
    "undone": ("Taken back", "undo-2", "warn"),
    "time": ("Time noted", "clock", ""),
    "may_belong": ("May belong elsewhere", "link", "warn"),
    "follows": ("Follow-up", "link", ""),
    "address_suspended": ("Mail came back", "mail-warning", "bad"),
    "held_back": ("Mail held back", "mail-warning", "bad"),
}


@dataclass(frozen=True)
class ActivityLine:
    """One line, ready for the `event` macro."""

    ticket_id: int
    subject: str
    at: datetime
    words: str
    icon: str
    tone: str


def describe(activity: Activity) -> ActivityLine:
    """What happened, and by whom where a person did it."""
    words, icon, tone = _WORDS.get(activity.kind, (activity.kind.capitalize(), "circle-dot", ""))
    if activity.kind == "status":
        after = str(activity.data.get("after", ""))
        words, icon = after.capitalize(), "circle-check" if after == "resolved" else "circle-dot"
        tone = "good" if after == "resolved" else ""
    who = (
        f" by {activity.actor}" if activity.actor and activity.kind not in ("created", "may_belong", "follows") else ""
    )
    return ActivityLine(activity.ticket_id, activity.subject, activity.at, words + who, icon, tone)
