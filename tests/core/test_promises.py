"""The requester is told when somebody will look."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import BusinessHours, Holiday, parse_week
from portal.core.promises import promise_answer

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = BusinessHours(
    BERLIN,
    parse_week({day: ["08:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}),
    (Holiday(date(2026, 11, 18), "Repentance Day"),),
)


@pytest.mark.parametrize(
    ("day", "hour", "sentence"),
    [
        (16, 9, "We are open and will look at it soon."),
        (16, 5, "We are closed now and will look at it today from 08:00."),
        (16, 18, "We are closed now and will look at it tomorrow from 08:00."),
        (17, 18, "We are closed now and will look at it on Thursday, 19 November from 08:00."),
        (20, 23, "We are closed now and will look at it on Monday, 23 November from 08:00."),
    ],
)
def test_the_next_opening_is_promised(day: int, hour: int, sentence: str) -> None:
    now = datetime(2026, 11, day, hour, tzinfo=BERLIN).astimezone(UTC)
    assert promise_answer(HOURS, now=now, is_paged=False) == sentence


def test_a_page_is_told_whatever_the_hour() -> None:
    assert "on call" in promise_answer(HOURS, now=datetime(2026, 11, 21, 2, tzinfo=UTC), is_paged=True)


def test_a_shop_that_never_opens_promises_nothing() -> None:
    hours = BusinessHours(BERLIN, parse_week({}))
    assert promise_answer(hours, now=datetime(2026, 11, 21, 2, tzinfo=UTC), is_paged=False) == ""
