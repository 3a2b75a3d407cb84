"""Deadlines: until when somebody should have answered a ticket for the first time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from portal.core.calendars import BusinessHours, add_working_time
from portal.core.errors import DomainError


@dataclass(frozen=True)
class ResponseDeadline:
    """When the first answer is due, and when it came. All times are UTC."""

    due_at: datetime
    answered_at: datetime | None = None

    def is_late(self, now: datetime) -> bool:
        """Whether the answer came, or is still awaited, after the deadline. In the very minute is in time."""
        return (self.answered_at or now) > self.due_at


def plan_response(
    received_at: datetime,
    *,
    priority: int,
    targets: Mapping[int, int],
    hours: BusinessHours,
    answered_at: datetime | None = None,
) -> ResponseDeadline | None:
    """The deadline of a ticket; None where its priority has no target, or its hours never hold so much time. `targets`:
    minutes of working time by priority, 0 for none."""
    minutes = targets.get(priority, 0)
    if minutes <= 0:
        return None
    try:
        due_at = add_working_time(hours, received_at, minutes=minutes)
    except DomainError:
        return None
    return ResponseDeadline(due_at, answered_at)
