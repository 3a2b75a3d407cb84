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


def test_the_promise_is_made_in_the_readers_language() -> None:
    night = datetime(2026, 11, 21, 2, tzinfo=UTC)
    said = [promise_answer(HOURS, now=night, is_paged=False, language=one) for one in ("de", "fr", "es", "nl", "xx")]
    assert said == [
        "Wir haben gerade geschlossen und sehen es uns am Montag, dem 23. November ab 08:00 Uhr an.",
        "Nous sommes fermés pour le moment et regarderons cela le lundi 23 novembre à partir de 08:00.",
        "Ahora está cerrado; lo veremos el lunes 23 de noviembre a partir de las 08:00.",
        "We zijn nu gesloten en kijken er op maandag 23 november vanaf 08:00 uur naar.",
        "We are closed now and will look at it on Monday, 23 November from 08:00.",
    ]
    assert promise_answer(HOURS, now=night, is_paged=True, language="nl").startswith("De dienstdoende collega")


def test_a_shop_that_never_opens_promises_nothing() -> None:
    hours = BusinessHours(BERLIN, parse_week({}))
    assert promise_answer(hours, now=datetime(2026, 11, 21, 2, tzinfo=UTC), is_paged=False) == ""


def test_the_opening_is_named_alone() -> None:
    night = datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert format_opening(HOURS, now=night) == "on Monday, 23 November from 08:00"
    assert format_opening(BusinessHours(BERLIN, parse_week({})), now=night) == ""
