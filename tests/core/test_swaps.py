from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.core.errors import DomainError
from portal.core.roster import Override, OverrideKind, Schedule
from portal.core.shifts import Shift
from portal.core.sms import count_segments
from portal.core.swaps import (
    SwapAnswer,
    Terms,
    WallSpan,
    accepted_text,
    ask_text,
    check_terms,
    code_of,
    declined_text,
    dropped_text,
    expired_text,
    has_begun,
    parse_swap_answer,
    plan_overrides,
    text_due_at,
    thanks_text,
    which_swap_text,
)

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL, DAVE = 2, 3, 4
NAMES = {BOB: "Bob", CAROL: "Carol", DAVE: "Dave"}
NOW = datetime(2026, 11, 20, 11, tzinfo=UTC)


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute)


def night(day: int) -> WallSpan:
    return WallSpan(wall(day, 18), wall(day + 1, 8))


ROSTER = Schedule(
    BERLIN,
    (
        Shift(1, BOB, wall(27, 18), wall(28, 8)),
        Shift(2, CAROL, wall(28, 18), wall(29, 8)),
        Shift(3, BOB, wall(29, 18), wall(30, 8)),
        Shift(4, DAVE, wall(29, 20), wall(30, 8)),
    ),
)
WHOLE = Terms(BOB, CAROL, night(27))


@pytest.mark.parametrize(
    ("text", "accept", "swap_id"),
    [
        ("YES S12", True, 12),
        (" y s12 ", True, 12),
        ('"Yes s 12."', True, 12),
        ("yes, S-12, thanks", True, 12),
        ("S12 yes", True, 12),
        ("s12: NO", False, 12),
        ("NO S12", False, 12),
        ("n s12 sorry, my daughter is ill", False, 12),
        ("yes", True, None),
        ("No!", False, None),
        ("yes please 👍", True, None),
        ("> YES or NO S12\nYES", True, None),
        ("ＹＥＳ Ｓ１２", True, 12),
    ],
)
def test_a_yes_or_no_is_read_in_any_spacing_case_and_quotes(text, accept, swap_id):
    assert parse_swap_answer(text) == SwapAnswer(accept, swap_id)


@pytest.mark.parametrize(
    "text", ["yes S12 but only until 22:00", "Yes I am at my desk", "no idea what this is", "yes 12", "y s12a"]
)
def test_what_says_more_than_yes_is_no_answer_yet(text):
    answer = parse_swap_answer(text)
    assert answer is not None and not answer.is_plain


@pytest.mark.parametrize(
    "text",
    ["A", "1A", "ok", "on my way", "1 C 25m swapped S12", "note S12", "yesterday S12", "S12", "nope", "", "help"],
)
def test_the_language_of_pages_is_left_alone(text):
    assert parse_swap_answer(text) is None


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (WHOLE, ""),
        (Terms(BOB, CAROL, WallSpan(wall(27, 22), wall(28, 2))), ""),
        (Terms(BOB, CAROL, night(27), night(28)), ""),
        (Terms(BOB, BOB, night(27)), "from themselves"),
        (Terms(BOB, CAROL, WallSpan(wall(27, 17), wall(28, 8))), "Bob is not on call for all of Fri 27 Nov 17:00"),
        (Terms(BOB, CAROL, night(27), night(27)), "Carol is not on call for all of"),
        (Terms(BOB, CAROL, night(27), night(29)), "Carol is not on call for all of"),
        (Terms(BOB, DAVE, night(29)), "Dave is on call already in Sun 29 Nov 18:00 to Mon 30 Nov 08:00"),
        (Terms(BOB, CAROL, WallSpan(wall(27, 18), wall(27, 18).replace(year=2028))), "three months at most"),
        (Terms(CAROL, BOB, night(28), WallSpan(wall(20, 11), wall(20, 13))), "Fri 20 Nov 11:00 to 13:00 has begun"),
    ],
)
def test_only_what_one_holds_and_the_other_does_not_can_be_swapped(terms, reason):
    if not reason:
        check_terms(ROSTER, terms, now=NOW, names=NAMES)
        return
    with pytest.raises(DomainError, match=reason):
        check_terms(ROSTER, terms, now=NOW, names=NAMES)


def test_a_time_must_have_a_length_and_a_year_that_somebody_means():
    with pytest.raises(DomainError, match="ends before it starts"):
        WallSpan(wall(27, 18), wall(27, 18))
    with pytest.raises(DomainError, match="year"):
        WallSpan(datetime(1999, 12, 31, 18), datetime(2000, 1, 1))


def test_a_yes_makes_each_stand_in_for_the_other():
    there, back = plan_overrides(Terms(BOB, CAROL, night(27), night(28)))
    assert there == Override(0, OverrideKind.REPLACE, wall(27, 18), wall(28, 8), CAROL, BOB)
    assert back == Override(0, OverrideKind.REPLACE, wall(28, 18), wall(29, 8), BOB, CAROL)


def test_it_ends_when_the_first_of_both_begins():
    begins = datetime(2026, 11, 27, 17, tzinfo=UTC)  # 18:00 on the wall
    terms = Terms(CAROL, BOB, night(28), night(27))
    assert has_begun(terms, zone=BERLIN, now=begins)
    assert not has_begun(terms, zone=BERLIN, now=begins.replace(hour=16))


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ((20, 11), (20, 11)),
        ((20, 20, 59), (20, 20, 59)),
        ((20, 21), (21, 6)),  # 22:00 on the wall: at 07:00
        ((20, 23, 30), (21, 6)),
        ((21, 5, 59), (21, 6)),
        ((21, 6), (21, 6)),
        ((27, 21), (27, 21)),  # begins within twelve hours
    ],
)
def test_nobody_is_woken_for_a_swap_that_can_wait(now, due):
    due_at = text_due_at(
        datetime(2026, 11, *now, tzinfo=UTC), zone=BERLIN, begins_at=datetime(2026, 11, 28, 9, tzinfo=UTC)
    )
    assert due_at == datetime(2026, 11, *due, tzinfo=UTC)


def test_the_words_are_short_and_say_the_time_and_the_answer():
    both = Terms(BOB, CAROL, night(27), night(28))
    text = ask_text("Bob", both, code=code_of(12), note="Concert of my daughter")
    assert text == (
        "Bob asks you to take Fri 27 Nov 18:00 to Sat 28 Nov 08:00. In return: yours of Sat 28 Nov 18:00 to "
        "Sun 29 Nov 08:00. Concert of my daughter\nReply YES S12 or NO S12"
    )
    assert count_segments(ask_text("Bob", WHOLE, code="S12")).count == 1
    assert accepted_text("Carol", both) == (
        "Carol takes your duty Fri 27 Nov 18:00 to Sat 28 Nov 08:00. You take Sat 28 Nov 18:00 to Sun 29 Nov 08:00"
    )
    assert accepted_text("Carol", WHOLE) == "Carol takes your duty Fri 27 Nov 18:00 to Sat 28 Nov 08:00"
    assert declined_text("Carol", WHOLE).endswith("It stays yours")
    assert expired_text("Carol", WHOLE) == (
        "Carol has not answered in time, so the roster stays as it is: Fri 27 Nov 18:00 to Sat 28 Nov 08:00"
    )
    assert dropped_text("Carol", WHOLE).endswith("Sat 28 Nov 08:00 has ended: another swap changed the roster")
    assert thanks_text("Bob", both, accept=True).endswith("Bob takes Sat 28 Nov 18:00 to Sun 29 Nov 08:00. Bob is told")
    assert thanks_text("Bob", WHOLE, accept=False).startswith("Bob is told that you cannot")
    assert which_swap_text([("S12", "Bob", WHOLE)], accept=True) == (
        "To answer a swap, reply only: YES S12 = Bob, Fri 27 Nov 18:00 to Sat 28 Nov 08:00"
    )
    assert str(WallSpan(wall(27, 18), wall(27, 22))) == "Fri 27 Nov 18:00 to 22:00"


def test_an_hour_that_the_clock_shows_twice_does_not_decide_at_a_border():
    night_of_change = WallSpan(datetime(2026, 10, 24, 18), datetime(2026, 10, 25, 2, 30))
    held, surely = night_of_change.held(BERLIN), night_of_change.surely_held(BERLIN)
    assert (held.ends_at.hour, surely.ends_at.hour) == (1, 0)
    within = WallSpan(datetime(2026, 10, 25, 2, 10), datetime(2026, 10, 25, 2, 20))
    assert within.surely_held(BERLIN) == within.held(BERLIN)
