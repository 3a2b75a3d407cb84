"""The requester is told when somebody will look."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import BusinessHours, Holiday, parse_week
from portal.core.promises import format_opening, promise_answer

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


def test_after_hours_the_word_for_an_emergency_is_told_where_it_counts() -> None:
    night, day = datetime(2026, 11, 16, 22, tzinfo=UTC), datetime(2026, 11, 16, 10, tzinfo=UTC)
    told = promise_answer(HOURS, now=night, is_paged=False, may_confirm=True)
    assert told.endswith("from 08:00. If it is an emergency, reply with the one word URGENT.")
    assert "URGENT" not in promise_answer(HOURS, now=day, is_paged=False, may_confirm=True)
    assert "URGENT" not in promise_answer(HOURS, now=night, is_paged=True, may_confirm=True)


def test_a_shop_that_never_opens_promises_nothing() -> None:
    hours = BusinessHours(BERLIN, parse_week({}))
    assert promise_answer(hours, now=datetime(2026, 11, 21, 2, tzinfo=UTC), is_paged=False) == ""


def test_the_opening_is_named_alone() -> None:
    night = datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert format_opening(HOURS, now=night) == "on Monday, 23 November from 08:00"
    assert format_opening(BusinessHours(BERLIN, parse_week({})), now=night) == ""
