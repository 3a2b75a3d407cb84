from datetime import date, timedelta

import pytest

from portal.core.findings import (
    TITLES,
    Finding,
    Kind,
    Place,
    Severity,
    group_findings,
    say_day,
    say_length,
    say_span,
    say_time,
    select_news,
)
from portal.core.intervals import Interval
from tests.core.lint_world import BERLIN, NOW, held, make_facts, wall


def finding(kind: Kind, severity: Severity, days: int) -> Finding:
    at = NOW + timedelta(days=days)
    return Finding(kind, severity, f"{kind} {days}", Interval(at, at + timedelta(hours=1)), Place("schedule"))


def test_repeated_findings_are_one_group_in_order_of_time():
    found = [finding(Kind.GAP, Severity.WARN, day) for day in (9, 2, 5, 1, 7)]
    (group,) = group_findings(found)
    assert [one.text for one in group.shown] == ["gap 1", "gap 2", "gap 5"]
    assert [one.text for one in group.more] == ["gap 7", "gap 9"]
    assert group.title == "Nobody is on call"


def test_the_worst_group_comes_first_and_a_group_is_as_bad_as_its_worst():
    found = [
        finding(Kind.CLOCK, Severity.INFO, 1),
        finding(Kind.OVERLAP, Severity.INFO, 2),
        finding(Kind.PHONE, Severity.INFO, 3),
        finding(Kind.PHONE, Severity.BAD, 4),
        finding(Kind.GAP, Severity.BAD, 5),
    ]
    groups = group_findings(found)
    assert [group.kind for group in groups] == [Kind.GAP, Kind.PHONE, Kind.OVERLAP, Kind.CLOCK]
    assert groups[1].severity is Severity.BAD
    assert [one.text for one in groups[1].shown] == ["phone 4", "phone 3"]


def test_every_kind_has_a_title():
    assert set(TITLES) == set(Kind)


def test_times_are_said_on_the_clock_of_the_schedule():
    span = held(wall(12, 26, 18), wall(12, 27, 8))
    assert say_time(span.starts_at, zone=BERLIN) == "Sat 26 Dec 2026 18:00"
    assert say_span(span, zone=BERLIN) == "from Sat 26 Dec 2026 18:00 to Sun 27 Dec 2026 08:00"
    assert say_day(date(2026, 12, 5)) == "Sat 5 Dec 2026"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(days=9), "9 days"),
        (timedelta(), "0 minutes"),
    ],
)
def test_a_length_is_said_in_its_largest_whole_unit(length, words):
    assert say_length(length) == words


def test_what_is_not_known_has_words_too():
    facts = make_facts(rotations_named={1: "Weeks"})
    assert facts.name(99) == "Somebody who is gone"
    assert (facts.rotation(1), facts.rotation(2)) == ("The rotation “Weeks”", "A rotation")


def test_what_is_only_good_to_know_is_news_two_weeks_before():
    found = [
        finding(Kind.CLOCK, Severity.INFO, 13),
        finding(Kind.CLOCK, Severity.INFO, 15),
        finding(Kind.GAP, Severity.WARN, 300),
    ]
    assert [one.text for one in select_news(found, now=NOW)] == ["clock 13", "gap 300"]
