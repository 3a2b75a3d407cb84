"""Whether an event pages, as a table: each rule alone, then the rules against each other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.core.paging import (
    BurstPolicy,
    Cause,
    HoursFacts,
    PageFacts,
    PagePolicy,
    Verdict,
    WakeFor,
    cause_key,
    confirms_emergency,
    decide_page,
    plan_burst,
)

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
NIGHT = HoursFacts(is_open=False)
OFFICE = HoursFacts(is_open=True)
HOLIDAY = HoursFacts(is_open=True, holiday="Christmas Day")
P3 = PageFacts(cause=Cause.CREATED, priority=3, received_at=NOW)


def decide(facts=P3, *, hours=NIGHT, wake_for=WakeFor.EVERYTHING, **changes):
    return decide_page(replace(facts, **changes), policy=PagePolicy(wake_for=wake_for), hours=hours, now=NOW)


@pytest.mark.parametrize(
    ("hours", "verdict", "reason"),
    [
        (NIGHT, Verdict.PAGE, "It is outside business hours."),
        (OFFICE, Verdict.NONE, "It is inside business hours, so nobody is woken."),
        (HOLIDAY, Verdict.PAGE, "Today is a holiday: Christmas Day."),
        (HoursFacts(is_open=False, holiday="Good Friday"), Verdict.PAGE, "Today is a holiday: Good Friday."),
    ],
)
def test_the_hours_of_now_decide(hours, verdict, reason):
    decision = decide(hours=hours)
    assert decision.verdict is verdict
    assert decision.reasons[0] == reason


@pytest.mark.parametrize(
    ("wake_for", "priority", "emergency", "verdict"),
    [
        (WakeFor.EVERYTHING, 4, None, Verdict.PAGE),
        (WakeFor.URGENT, 1, None, Verdict.PAGE),
        (WakeFor.URGENT, 2, None, Verdict.PAGE),
        (WakeFor.URGENT, 3, None, Verdict.NONE),
        (WakeFor.URGENT, 4, True, Verdict.PAGE),
        (WakeFor.EMERGENCIES, 1, None, Verdict.NONE),
        (WakeFor.EMERGENCIES, 4, True, Verdict.PAGE),
    ],
)
def test_the_shop_says_what_to_wake_for(wake_for, priority, emergency, verdict):
    assert decide(wake_for=wake_for, priority=priority, emergency=emergency).verdict is verdict


def test_the_reason_names_the_setting_and_what_this_is():
    assert decide(wake_for=WakeFor.URGENT).reasons[-1] == (
        "The setting is to wake for P1, P2 and emergencies, and this is only P3."
    )
    assert decide(wake_for=WakeFor.EMERGENCIES, emergency=True).reasons[-1] == (
        "The setting is to wake for confirmed emergencies, and this is an emergency."
    )
    assert decide().reasons[-1] == "The setting is to wake for everything."


@pytest.mark.parametrize("verdict", ["automatic", "bounce", "ignored", "duplicate", "quarantined"])
@pytest.mark.parametrize("cause", [Cause.CREATED, Cause.REOPENED, Cause.RAISED, Cause.EMERGENCY])
def test_machine_mail_never_pages(verdict, cause):
    assert decide(mail_verdict=verdict, cause=cause, priority=1, emergency=True).verdict is Verdict.NONE


@pytest.mark.parametrize("verdict", ["ticket", "reply"])
def test_a_persons_mail_may_page(verdict):
    assert decide(mail_verdict=verdict).verdict is Verdict.PAGE


def test_an_import_or_first_connection_pages_nobody_not_even_for_p1():
    assert decide(is_quiet=True, priority=1).verdict is Verdict.NONE


def test_what_was_resolved_before_the_question_wakes_nobody_but_a_person_still_can():
    assert decide(is_over=True, emergency=True).reasons == ("It was resolved before anybody was rung.",)
    assert decide(is_over=True, cause=Cause.MANUAL).verdict is Verdict.PAGE


def test_tickets_entered_by_staff_do_not_page_but_their_reopening_does():
    assert decide(source="staff", priority=1).verdict is Verdict.NONE
    assert "Page now" in decide(source="staff").reasons[0]
    assert decide(source="staff", cause=Cause.REOPENED).verdict is Verdict.PAGE


@pytest.mark.parametrize(
    ("cause", "verdict"),
    [
        (Cause.CREATED, Verdict.NONE),
        (Cause.REOPENED, Verdict.NONE),
        (Cause.RAISED, Verdict.PAGE),
        (Cause.EMERGENCY, Verdict.PAGE),
    ],
)
def test_not_an_emergency_does_not_page_until_somebody_raises_it(cause, verdict):
    assert decide(cause=cause, emergency=False, priority=1).verdict is verdict


def test_a_rule_pages_inside_hours_and_for_low_priority():
    decision = decide(hours=OFFICE, wake_for=WakeFor.EMERGENCIES, rule="VIP", rule_pages=True)
    assert decision.verdict is Verdict.PAGE
    assert decision.reasons == ('The rule "VIP" says to page.',)


def test_a_rule_can_forbid_paging():
    decision = decide(rule="Printer room", rule_pages=False, priority=1)
    assert decision.verdict is Verdict.NONE
    assert decision.reasons == ('The rule "Printer room" says not to page.',)


def test_page_now_rings_at_any_hour_and_for_any_source():
    decision = decide(hours=OFFICE, cause=Cause.MANUAL, source="staff", asked_by="Alice", is_quiet=True)
    assert decision.verdict is Verdict.PAGE
    assert decision.reasons == ('Alice pressed "Page now".',)
    assert decide(cause=Cause.MANUAL).reasons == ('Somebody pressed "Page now".',)


@pytest.mark.parametrize("cause", list(Cause))
def test_an_open_page_is_never_doubled(cause):
    assert decide(has_open_page=True, cause=cause, priority=1).verdict is Verdict.NONE


@pytest.mark.parametrize(
    ("age", "priority", "emergency", "verdict"),
    [
        (timedelta(minutes=60), 3, None, Verdict.PAGE),
        (timedelta(minutes=60, seconds=1), 3, None, Verdict.DIGEST),
        (timedelta(days=9), 2, None, Verdict.DIGEST),
        (timedelta(days=9), 1, None, Verdict.PAGE),
        (timedelta(days=9), 4, True, Verdict.PAGE),
        (timedelta(hours=-5), 3, None, Verdict.PAGE),
    ],
)
def test_what_is_late_joins_the_digest_unless_it_is_p1_or_an_emergency(age, priority, emergency, verdict):
    assert decide(received_at=NOW - age, priority=priority, emergency=emergency).verdict is verdict


def test_a_late_ticket_inside_hours_is_in_no_digest():
    assert decide(received_at=NOW - timedelta(hours=9), hours=OFFICE).verdict is Verdict.NONE


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(minutes=95), "It came in 95 minutes ago"),
        (timedelta(hours=5), "It came in 5 hours ago"),
        (timedelta(days=3), "It came in 3 days ago"),
    ],
)
def test_the_reason_says_how_late(age, words):
    assert decide(received_at=NOW - age).reasons[-1].startswith(words)
    assert decide(received_at=NOW - age, priority=1).reasons[-1].endswith("a P1 always rings by itself.")
    assert decide(received_at=NOW - age, emergency=True).reasons[-1].endswith("an emergency always rings by itself.")


def test_a_cause_is_told_from_the_next_of_its_kind():
    assert cause_key(P3) == "created"
    assert cause_key(replace(P3, cause=Cause.REOPENED, occurrence="77")) == "reopened:77"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("URGENT", True),
        ("\n  Urgent!\n\nDana\n> We are closed", True),
        ("“urgent”", True),
        ("urgent please", False),
        ("It is not urgent", False),
        ("> URGENT", False),
        ("", False),
    ],
)
def test_one_word_declares_an_emergency(body, expected):
    assert confirms_emergency(body) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("On Fri, 21 Nov 2025 at 10:00, Help <help@a.example> wrote:\n> We are closed.\n\nURGENT\n", True),
        ("On Fri, 21 Nov 2025 at 10:00, Help <help@a.example> wrote:\n> URGENT\n", False),
        ("Thanks.\n\n-----Original Message-----\nFrom: x\nSent: y\nURGENT\n", False),
        ("> URGENT", False),
    ],
)
def test_the_word_counts_below_a_quote_too_and_never_within_one(body, expected):
    assert confirms_emergency(body) is expected


def seconds_ago(*ages):
    return [NOW - timedelta(seconds=age) for age in ages]


@pytest.mark.parametrize(
    ("sent_at", "wait"),
    [
        ([], 0),
        (seconds_ago(1, 2), 0),
        (seconds_ago(1, 2, 3), 59),
        (seconds_ago(70, 80, 90), 0),
        (seconds_ago(1, 2, 300), 0),
        (seconds_ago(-50, 1, 2), 0),
    ],
)
def test_a_burst_to_one_person_waits_for_its_next_text(sent_at, wait):
    policy = BurstPolicy(free=3)
    assert plan_burst(sent_at, policy=policy, now=NOW) == NOW + timedelta(seconds=wait)
