from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core.hand_off import (
    Arrival,
    Card,
    PageLine,
    TicketLine,
    card_mail,
    card_subject,
    card_text,
    find_arrivals,
    is_late,
    is_news,
    plan_text,
    text_due_at,
)
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, Source, SourceKind
from portal.core.sms import count_segments

BERLIN = ZoneInfo("Europe/Berlin")
ALICE, BOB, CAROL = 1, 2, 3


def at(day, hour=0.0):
    """On the wall clock of Berlin, in November 2026."""
    return (datetime(2026, 11, 1) + timedelta(days=day - 1, hours=hour)).replace(tzinfo=BERLIN).astimezone(UTC)


def duty(person, starts_at, ends_at, id=1):
    return RosterDuty(person, starts_at, ends_at, Source(SourceKind.SHIFT, id))


def arrivals(*duties, now, since=None):
    return find_arrivals(duties, now=now, known=Interval(since or at(1), at(30)))


WEEKS = (duty(BOB, at(2, 9), at(9, 9)), duty(CAROL, at(9, 9), at(16, 9)), duty(BOB, at(16, 9), at(23, 9)))


def test_who_comes_on_duty_is_found_with_those_before_and_after():
    assert arrivals(*WEEKS, now=at(9, 8.99)) == (
        Arrival(BOB, at(2, 9), at(9, 9), after=(CAROL,)),
    )  # fmt: skip
    (found,) = arrivals(*WEEKS, now=at(9, 9))
    assert found == Arrival(CAROL, at(9, 9), at(16, 9), (BOB,), (), (BOB,), Interval(at(2, 9), at(9, 9)))


def test_who_was_on_duty_before_it_is_known_since_when_gets_no_card():
    assert arrivals(*WEEKS, now=at(10), since=at(9, 9)) == ()
    assert arrivals(*WEEKS, now=at(10), since=at(9, 8.9)) != ()


def test_a_duty_that_goes_on_under_another_shift_is_one():
    duties = (duty(BOB, at(2), at(3)), duty(BOB, at(3), at(4), id=2), duty(BOB, at(3, 12), at(5), id=3))
    (found,) = arrivals(*duties, now=at(4, 5))
    assert (found.at, found.ends_at, found.before, found.last_shift) == (at(2), at(5), (), None)


def test_where_nobody_was_the_moment_before_it_is_who_had_it_last():
    nights = (duty(CAROL, at(2, 18), at(3, 8)), duty(BOB, at(3, 18), at(4, 8)), duty(BOB, at(4, 18), at(5, 8)))
    (found,) = arrivals(*nights, now=at(3, 18))
    assert (found.before, found.last_shift, found.is_return) == ((CAROL,), Interval(at(2, 18), at(3, 18)), False)
    (found,) = arrivals(*nights, now=at(4, 20))
    assert (found.before, found.is_return) == ((BOB,), True)


def test_who_joins_somebody_has_them_before_and_beside():
    duties = (duty(BOB, at(1, 9), at(20)), duty(CAROL, at(10, 9), at(10, 18)))
    (found,) = arrivals(*duties, now=at(10, 9), since=at(1, 10))
    assert found == Arrival(
        CAROL, at(10, 9), at(10, 18), (BOB,), (BOB,), (BOB,), Interval(at(3, 9), at(10, 9))
    )  # fmt: skip


def test_in_the_doubled_hour_both_are_on_duty_and_one_hands_over():
    duties = (duty(BOB, at(2), at(9, 3)), duty(CAROL, at(9, 2), at(16)))
    (bob, carol) = arrivals(*duties, now=at(9, 2.5))
    assert (bob.person_id, carol.before, carol.beside) == (BOB, (BOB,), (BOB,))


@pytest.mark.parametrize(("hour", "due"), [(7, 7), (12, 12), (21.99, 21.99), (22, 31), (23.5, 31), (0, 7), (6.99, 7)])
def test_a_text_waits_for_the_morning(hour, due):
    assert text_due_at(at(9, hour), zone=BERLIN) == at(9, due)


CAROL_COMES = Arrival(CAROL, at(9, 9), at(16, 9), (BOB,))
LONG_AGO = at(1)


@pytest.mark.parametrize(
    ("now", "came", "changed_at", "due"),
    [
        (at(9, 9), at(9, 9), LONG_AGO, at(9, 9)),
        (at(9, 10), at(9, 9), LONG_AGO, at(9, 9)),
        (at(9, 10.1), at(9, 9), LONG_AGO, None),  # after an outage
        (at(9, 10.1), at(9, 9), at(9, 10), at(9, 10)),  # by a change of the roster
        (at(9, 0), at(9, 0), LONG_AGO, at(9, 7)),
        (at(9, 8.1), at(9, 0), LONG_AGO, None),
        (at(9, 9), at(9, 9), at(9, 12), at(9, 9)),  # a clock that was wrong
        (at(15, 23), at(15, 23), LONG_AGO, at(16, 7)),
    ],
)
def test_a_text_that_would_be_late_is_not_planned(now, came, changed_at, due):
    arrival = replace(CAROL_COMES, at=came)
    assert plan_text(arrival, now=now, zone=BERLIN, changed_at=changed_at) == due


def test_a_duty_written_down_more_than_an_hour_after_it_began_is_no_news():
    assert is_news(CAROL_COMES, changed_at=at(2))
    assert is_news(CAROL_COMES, changed_at=at(9, 10))
    assert not is_news(CAROL_COMES, changed_at=at(9, 10.1))


def test_no_text_is_planned_for_ones_own_next_night_or_for_when_it_is_over():
    for arrival in (replace(CAROL_COMES, before=(CAROL,)), replace(CAROL_COMES, at=at(9, 0), ends_at=at(9, 7))):
        assert plan_text(arrival, now=arrival.at, zone=BERLIN, changed_at=LONG_AGO) is None
    assert not is_late(at(9, 7), now=at(9, 8))
    assert is_late(at(9, 7), now=at(9, 8.1))


FULL = Card(
    name="Carol",
    arrival=replace(CAROL_COMES, last_shift=Interval(at(2, 9), at(9, 9))),
    zone=BERLIN,
    schedule="Servers",
    before=("Bob",),
    beside=("Alice",),
    after=("Bob", "Dave"),
    notes=("The router of Acme restarts at night.",),
    pages=(PageLine("#12", "Server down", "P1", "Bob"), PageLine("#13", "Mail  down", "P2")),
    tickets=(
        TicketLine("#12", "Server down", "P1", "in progress", "Bob"),
        TicketLine("#14", "Slow “VPN” since the update of the firewall on Monday", "P2", "new"),
    ),
    last_pages=(PageLine("#9", "UPS", "P1", "Bob", is_open=False), PageLine("#10", "NAS", "P3", is_open=False)),
)


def test_the_mail_says_everything_that_is_taken_over():
    assert card_subject(FULL) == "You are on call until Mon 16 Nov 09:00 (Servers)"
    assert card_mail(FULL, link="https://help.example/oncall") == (
        "Hello Carol,\n\n"
        "You are on call from Mon 9 Nov 09:00 until Mon 16 Nov 09:00 (Europe/Berlin).\n"
        "Before you: Bob.\nWith you: Alice.\nAfter you: Bob, Dave.\n\n"
        "Note: The router of Acme restarts at night.\n\n"
        "Open pages (2)\n  P1 #12 Server down - Bob has it\n  P2 #13 Mail down - nobody has answered yet\n\n"
        "Open P1 and P2 tickets (2)\n  P1 #12 Server down - in progress, Bob\n"
        "  P2 #14 Slow “VPN” since the update of the firewall on Monday - new, nobody’s yet\n\n"
        "Since Mon 2 Nov 09:00: 2 pages, 1 answered\n"
        "  P1 #9 UPS - answered by Bob\n  P3 #10 NAS - nobody answered\n\n"
        "https://help.example/oncall\n"
    )


def test_a_quiet_card_is_short():
    card = Card("Carol", CAROL_COMES, BERLIN)
    assert card_mail(card) == (
        "Hello Carol,\n\nYou are on call from Mon 9 Nov 09:00 until Mon 16 Nov 09:00 (Europe/Berlin).\n"
        "After you nobody is on call.\n\nNo page is open.\n\nNo P1 or P2 ticket is open.\n"
    )
    assert card_text(card) == "You are on call until Mon 16 Nov 09:00. Nothing urgent is open"
    quiet = replace(card, arrival=FULL.arrival, before=("Bob",))
    assert "Since Mon 2 Nov 09:00: no page." in card_mail(quiet)
    assert card_text(quiet).startswith("You are on call until Mon 16 Nov 09:00. Before you: Bob. Nothing")


def test_who_is_on_call_for_longer_than_is_known_is_on_call_until_further_notice():
    (found,) = arrivals(duty(CAROL, at(9, 9), at(30)), now=at(10))
    assert found.ends_at is None
    card = Card("Carol", found, BERLIN)
    assert card_text(card) == "You are on call until further notice. Nothing urgent is open"
    assert "until further notice (Europe/Berlin).\n\n" in card_mail(card)
    assert plan_text(found, now=at(9, 9), zone=BERLIN, changed_at=LONG_AGO) == at(9, 9)


def test_a_long_list_ends_with_how_many_more():
    many = replace(FULL, pages=FULL.pages * 7)
    mail = card_mail(many)
    assert "Open pages (14)" in mail
    assert "  and 4 more\n" in mail


def test_somebody_who_comes_back_is_not_told_that_they_were_before_themselves():
    card = replace(FULL, arrival=replace(CAROL_COMES, before=(CAROL,)), before=("Carol",))
    assert "Before you" not in card_mail(card) + card_text(card)


@pytest.mark.parametrize("pages", [0, 1, 2, 20])
@pytest.mark.parametrize("name", ["Bob", "Bjørn Ångström-Łukasiewicz von und zu Hohenstein", "“Bob” …"])
def test_the_text_fits_two_segments_of_gsm_7(pages, name):
    card = replace(FULL, before=(name,), pages=FULL.pages[:1] * pages, tickets=FULL.tickets * 9)
    text = card_text(card)
    segments = count_segments(text)
    assert (segments.encoding, segments.count <= 2) == ("GSM-7", True)
    assert text.startswith("You are on call until Mon 16 Nov 09:00 (Servers). Before you: ")
    assert "P1 #12 Server down" in text


def test_a_ticket_that_pages_is_named_once_in_the_text():
    text = card_text(FULL)
    assert text.count("#12") == 1
    assert 'Open: 2 pages, 2 P1/P2: P1 #12 Server down; P2 #13 Mail down; P2 #14 Slow "VPN"' in text
