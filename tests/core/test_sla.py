from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import WEEKDAYS, BusinessHours, Holiday, Week, parse_week
from portal.core.sla import ResponseDeadline, plan_response

MONDAY = datetime(2026, 11, 16, 17, tzinfo=UTC)
TARGETS = {1: 60, 2: 240, 3: 0}
HOURS = BusinessHours(ZoneInfo("UTC"), parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")))
NEVER = BusinessHours(ZoneInfo("UTC"), Week(((),) * 7))


@pytest.mark.parametrize(
    ("priority", "due_at"), [(1, datetime(2026, 11, 16, 18, tzinfo=UTC)), (2, datetime(2026, 11, 17, 11, tzinfo=UTC))]
)
def test_the_first_answer_is_due_after_the_target_in_working_time(priority, due_at):
    assert plan_response(MONDAY, priority=priority, targets=TARGETS, hours=HOURS).due_at == due_at


def test_a_holiday_moves_it():
    hours = BusinessHours(HOURS.zone, HOURS.week, (Holiday(date(2026, 11, 17), "Day off"),))
    found = plan_response(MONDAY, priority=2, targets=TARGETS, hours=hours)
    assert found.due_at == datetime(2026, 11, 18, 11, tzinfo=UTC)


@pytest.mark.parametrize(("priority", "hours"), [(3, HOURS), (4, HOURS), (1, NEVER)])
def test_without_a_target_or_hours_there_is_no_deadline(priority, hours):
    assert plan_response(MONDAY, priority=priority, targets=TARGETS, hours=hours) is None


@pytest.mark.parametrize(
    ("answered", "now", "late"), [(None, 0, False), (None, 1, True), (0, 99, False), (1, 99, True), (-5, 99, False)]
)
def test_in_the_very_minute_is_in_time_and_an_answer_ends_the_wait(answered, now, late):
    answered_at = MONDAY + timedelta(minutes=answered) if answered is not None else None
    assert ResponseDeadline(MONDAY, answered_at).is_late(MONDAY + timedelta(minutes=now)) is late
