from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.calendars import BusinessHours, Holiday, parse_week
from portal.core.fairness import Night, Stretch, split_time
from portal.core.intervals import Interval
from portal.core.pay_sheet import PaySheet, list_totals, make_pay_sheet
from tests.core.xlsx import day_of, read_xlsx

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL = 2, 3
HOURS = BusinessHours(
    BERLIN,
    parse_week(dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "9-17")),
    (Holiday(date(2026, 12, 25), "Christmas"),),
)


def wall(year, month, day, hour=0):
    return (datetime(year, month, day) + timedelta(hours=hour)).replace(tzinfo=BERLIN).astimezone(UTC)


def make_pay(*stretches, span=None, **changes):
    span = span or Interval(wall(2026, 1, 1), wall(2027, 1, 1))
    parts = split_time(span, hours=HOURS, zone=BERLIN, night=Night())
    pay = PaySheet(
        "Acme IT", "On call", "Business hours", BERLIN, span, Night(), {BOB: "Bob", CAROL: "Carol"},
        [Stretch(person, Interval(starts, ends)) for person, starts, ends in stretches], parts, wall(2027, 1, 4, 9),
    )  # fmt: skip
    return replace(pay, **changes)


def sheets(pay):
    return read_xlsx(make_pay_sheet(pay))


def test_a_row_for_each_person_and_month_and_one_for_all():
    pay = make_pay(
        (CAROL, wall(2026, 11, 30, 17), wall(2026, 12, 1, 9)),
        (BOB, wall(2026, 12, 24, 17), wall(2026, 12, 26, 9)),
    )
    totals = sheets(pay)["Totals"]
    assert totals[0] == [
        "Person", "Month", "Nights", "Weekends", "Holidays", "Other closed hours", "While open", "Total",
    ]  # fmt: skip
    rows = [[row[0], f"{day_of(row[1]):%Y-%m}", *row[2:]] for row in totals[1:-1]]
    assert rows == [
        ["Bob", "2026-12", 2, 9, 24, 5, 0, 40],
        ["Carol", "2026-11", 2, 0, 0, 5, 0, 7],
        ["Carol", "2026-12", 6, 0, 0, 3, 0, 9],
    ]
    assert totals[-1] == ["All", "", 10, 9, 24, 13, 0, 56]
    assert [(person, month) for person, month, _ in list_totals(pay)] == [
        (BOB, date(2026, 12, 1)), (CAROL, date(2026, 11, 1)), (CAROL, date(2026, 12, 1)),
    ]  # fmt: skip


def test_every_duty_has_a_row_in_the_zone_of_the_schedule():
    (_, row) = sheets(make_pay((BOB, wall(2026, 7, 6, 17), wall(2026, 7, 7, 9))))["Duties"]
    assert (row[0], day_of(row[1]), day_of(row[2])) == ("Bob", datetime(2026, 7, 6, 17), datetime(2026, 7, 7, 9))
    assert row[3:] == ["+02:00", "+02:00", 8, 0, 0, 8, 0, 16]


@pytest.mark.parametrize(
    ("day", "offsets", "real"),
    [((2026, 3, 29), ["+01:00", "+02:00"], 23), ((2026, 10, 25), ["+02:00", "+01:00"], 25)],
)
def test_the_sums_over_the_nights_of_the_clock_are_real_hours(day, offsets, real):
    found = sheets(make_pay((BOB, wall(*day), wall(*day[:2], day[2] + 1))))
    assert found["Duties"][1][3:] == [*offsets, 0, real, 0, 0, 0, real]
    assert found["Totals"][1][-1] == found["Totals"][-1][-1] == real


def test_both_sheets_say_the_same_sum():
    days = [(BOB if n % 2 else CAROL, wall(2026, 1, 1, 24 * n), wall(2026, 1, 1, 24 * n + 17)) for n in range(365)]
    found = sheets(make_pay(*days))
    duties, totals = found["Duties"][1:], found["Totals"][-1]
    assert totals[2:] == pytest.approx([sum(row[column] for row in duties) for column in range(5, 11)])


@pytest.mark.parametrize(
    "name", ["=1+1", '=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "http://x.example", "00123"]
)
def test_a_name_that_looks_like_a_formula_stays_a_name(name):
    stretch = (BOB, wall(2026, 7, 6, 17), wall(2026, 7, 7, 9))
    found = sheets(make_pay(stretch, names={BOB: name}, schedule=name, site=name, calendar=name))
    assert found["Totals"][1][0] == found["Duties"][1][0] == name
    assert [row[1] for row in found["About"][:3]] == [name] * 3


def test_a_sheet_without_duties_has_its_heads_and_no_hours():
    found = sheets(make_pay())
    assert found["Totals"][1] == ["All", "", 0, 0, 0, 0, 0, 0]
    assert len(found["Duties"]) == 1
    assert ["Until", "2027-01-01 00:00"] in found["About"]


def test_somebody_without_a_name_has_a_number_and_the_same_facts_give_the_same_bytes():
    pay = make_pay((77, wall(2026, 7, 6, 17), wall(2026, 7, 7, 9)))
    assert sheets(pay)["Duties"][1][0] == "Person 77"
    assert make_pay_sheet(pay) == make_pay_sheet(pay)
