"""Events that repeat. dateutil is the oracle, where it is right."""

import os
from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal.core.ical_recur import Recurrence, list_days, parse_recurrence, times_of_day

EVER = {"since": date(1900, 1, 1), "until": date(2030, 12, 31)}


def days(rule, first, **span):
    return [f"{day:%Y%m%d}" for day in list_days(parse_recurrence(rule), first, **{**EVER, **span})]


# RFC 5545, section 3.8.5.3, and rules real calendars write.
@pytest.mark.parametrize(
    ("rule", "first", "found"),
    [
        ("FREQ=DAILY;COUNT=3", (2026, 2, 27), "20260227 20260228 20260301"),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;WKST=SU;BYDAY=TU,SU", (1997, 8, 5), "19970805 19970817 19970819 19970831"),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;WKST=MO;BYDAY=TU,SU", (1997, 8, 5), "19970805 19970810 19970819 19970824"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-1FR", (2026, 1, 1), "20260130 20260227 20260327"),
        ("FREQ=MONTHLY;COUNT=4;BYMONTHDAY=31", (2026, 1, 31), "20260131 20260331 20260531 20260731"),
        ("FREQ=MONTHLY;COUNT=3", (2026, 1, 30), "20260130 20260330 20260430"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", (2026, 1, 1), "20260130 20260227 20260331"),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=2FR,TU", (2026, 9, 1), "20260901 20260908 20260911"),
        ("FREQ=YEARLY;COUNT=3", (2024, 2, 29), "20240229 20280229"),
        ("FREQ=YEARLY;COUNT=2;BYMONTH=11;BYDAY=4TH", (2026, 1, 1), "20261126 20271125"),
        ("FREQ=YEARLY;COUNT=2;BYDAY=20MO", (1997, 5, 19), "19970519 19980518"),
        ("FREQ=YEARLY;COUNT=2;BYWEEKNO=20;BYDAY=MO", (1997, 5, 12), "19970512 19980511"),
        ("FREQ=YEARLY;COUNT=4;BYYEARDAY=1,-1", (2026, 1, 1), "20260101 20261231 20270101 20271231"),
        ("FREQ=DAILY;COUNT=9;BYMONTH=2;BYMONTHDAY=30", (2026, 1, 1), ""),
        ("freq=weekly;byday=mo;count=1;", (2026, 11, 16), "20261116"),
    ],
)
def test_rules_give_their_days(rule, first, found):
    assert days(rule, date(*first)) == found.split()


def test_the_first_day_says_what_the_rule_leaves_out_and_the_window_cuts():
    assert days("FREQ=WEEKLY", date(2020, 1, 6), since=date(2026, 11, 15), until=date(2026, 11, 24)) == [
        "20261116",
        "20261123",
    ]
    assert days("FREQ=DAILY;COUNT=3", date(2026, 1, 1), since=date(2026, 1, 3)) == ["20260103"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=HOURLY", "repeats more often than daily"),
        ("FREQ=SECONDLY;COUNT=3", "repeats more often than daily"),
        ("", "without FREQ"),
        ("FREQ=DAILY;BYEASTER=1", "BYEASTER, which is not understood"),
        ("FREQ=DAILY;BYHOUR=24", "broken BYHOUR"),
        ("FREQ=DAILY;BYMINUTE=-1", "broken BYMINUTE"),
        ("FREQ=DAILY;BYHOUR=1,2;BYSETPOS=1", "BYSETPOS for times of day"),
        ("FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40", "more often than hourly"),
        ("FREQ=DAILY;INTERVAL=0", "broken number"),
        ("FREQ=DAILY;COUNT=-1", "broken number"),
        ("FREQ=DAILY;COUNT=9999999", "broken number"),
        ("FREQ=DAILY;COUNT=\u0663", "broken number"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "broken BYMONTHDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=x", "broken BYMONTHDAY"),
        ("FREQ=YEARLY;BYMONTH=-1", "broken BYMONTH"),
        ("FREQ=WEEKLY;BYDAY=XX", "broken BYDAY"),
    ],
)
def test_a_rule_that_cannot_be_followed_says_why(rule, words):
    with pytest.raises(ValueError, match=words):
        parse_recurrence(rule)


def test_a_rule_may_say_times_of_day_and_the_first_says_the_others():
    first = time(8, 15)
    assert times_of_day(parse_recurrence("FREQ=DAILY"), first) == (first,)
    assert times_of_day(parse_recurrence("FREQ=DAILY;BYHOUR=20,0"), first) == (time(0, 15), time(20, 15))
    assert times_of_day(parse_recurrence("FREQ=DAILY;BYMINUTE=30;BYSECOND=0"), first) == (time(8, 30),)


def test_a_rule_that_never_comes_true_ends_with_the_window_and_tells_its_work():
    spent = []
    rule = parse_recurrence("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
    assert (
        list(list_days(rule, date(2026, 1, 1), since=date(2026, 1, 1), until=date(2027, 12, 31), spend=spent.append))
        == []
    )
    assert sum(spent) == 2 * 28 + 2


def test_a_rule_at_the_end_of_time_ends():
    assert days("FREQ=DAILY", date(9999, 12, 30), until=date.max) == ["99991230"]
    assert days("FREQ=YEARLY;INTERVAL=999999", date(2026, 1, 1), until=date.max) == ["20260101"]


def rules():
    def joined(name, values, count):
        return st.none() | st.lists(st.sampled_from(values), min_size=1, max_size=count, unique=True).map(
            lambda some: f"{name}={','.join(map(str, some))}"
        )

    names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    ordinals = [f"{which}{name}" for which in (1, 2, 5, -1, -2) for name in names]
    common = [
        st.none() | st.integers(1, 6).map("INTERVAL={}".format),
        st.none() | st.integers(1, 40).map("COUNT={}".format),
        st.none() | st.sampled_from(names).map("WKST={}".format),
        joined("BYMONTH", range(1, 13), 3),
    ]
    places, month_days = joined("BYSETPOS", (1, 2, -1, -2), 2), joined("BYMONTHDAY", (1, 13, 28, 30, 31, -1, -2), 3)
    weekdays = joined("BYDAY", names, 3)
    by_frequency = {
        "DAILY": [weekdays, month_days],
        "WEEKLY": [weekdays],  # of a week begun in the middle dateutil counts only the rest for BYSETPOS
        "MONTHLY": [weekdays | joined("BYDAY", ordinals, 3), month_days, places],
        "YEARLY": [weekdays | joined("BYDAY", ordinals, 3), month_days, places,
                   joined("BYYEARDAY", (1, 60, 100, 366, -1, -300), 3), joined("BYWEEKNO", (1, 2, 20, 52, 53, -1), 3)],
    }  # fmt: skip
    return st.sampled_from(sorted(by_frequency)).flatmap(
        lambda name: st.tuples(*common, *by_frequency[name]).map(
            lambda parts: ";".join([f"FREQ={name}", *filter(None, parts)])
        )
    )


def agree(rule, first, gap, length):
    # A rule that may never come true keeps dateutil busy to the year 9999.
    assume("DAILY" not in rule or "BYMONTHDAY" not in rule)
    since = first + timedelta(days=gap)
    until = since + timedelta(days=length)
    expected = []
    text = rule if "COUNT" in rule else f"{rule};UNTIL={until:%Y%m%d}T000000"
    for at in rrulestr(text, dtstart=datetime.combine(first, datetime.min.time())):
        if at.date() > until:
            break
        if at.date() >= since:
            expected.append(at.date())
    assert list(list_days(parse_recurrence(rule), first, since=since, until=until)) == expected


ANY = (rules(), st.dates(date(2015, 1, 1), date(2027, 1, 1)), st.integers(-60, 900), st.integers(0, 700))


@settings(max_examples=15)
@given(*ANY)
def test_days_are_those_of_dateutil(rule, first, gap, length):
    agree(rule, first, gap, length)


@pytest.mark.more
@settings(max_examples=int(os.environ.get("NIGHTDESK_TEST_EXAMPLES", "400")))
@given(*ANY)
def test_days_are_those_of_dateutil_for_many_rules(rule, first, gap, length):
    agree(rule, first, gap, length)


def test_a_rule_is_read_whole():
    assert parse_recurrence("FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR;UNTIL=20261231T225959Z;WKST=SU") == Recurrence(
        "MONTHLY", 2, until="20261231T225959Z", week_start=6, weekdays=((-1, 4),)
    )
