"""A colleague is asked, answers once, and the roster says so."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal.core.errors import DomainError
from portal.core.swaps import Terms, WallSpan
from portal.models import AuditEvent, Notification, OutgoingMail, OverrideRow, ScheduleRow, ShiftRow, Swap, User
from portal.services.audit import Change
from portal.services.swaps import (
    answer_swap,
    ask_swap,
    end_swaps,
    find_by_token,
    find_swap,
    hear_text,
    list_duties,
    list_own_duties,
    list_swaps,
    withdraw_swap,
)
from tests.services.paging_world import ALICE, BOB, CAROL, MALLORY, NOW, NUMBERS, add_ticket, decide, rows
from tests.services.swap_world import answer, ask, given_nights, move_to, night, on_call, say, state, wall
from tests.services.test_answers import settle

GIVEN = Terms(BOB, CAROL, night(27))
BOTH = Terms(BOB, CAROL, night(27), night(28))


@pytest.fixture
def nights(world):
    given_nights(world)
    return world


def withdraw(world, swap_id, by, *, may_manage=False):
    with world.database.unit_of_work() as uow:
        withdraw_swap(world.context, uow, swap_id, change=Change(by, world.times.now()), may_manage=may_manage)


def texts_to(world, person):
    return [(row.state, row.text.splitlines()[-1]) for row in rows(world.database, Notification, user_id=person)]


def mails_to(world, name):
    return [
        (row.state, row.subject) for row in rows(world.database, OutgoingMail) if row.to == [f"{name}@acme.example"]
    ]


def actions(world):
    found = rows(world.database, AuditEvent)
    return [(row.action, row.actor_id, row.subject) for row in found if row.action.startswith(("swap", "override"))]


def test_asked_by_text_answered_by_text_and_the_roster_has_changed_exactly_once(nights):
    move_to(nights, 26, 10)
    swap_id = ask(nights, BOTH, note="Concert of my daughter")
    settle(nights)
    (text,) = nights.sms.texts(NUMBERS[CAROL])
    assert text == (
        "Bob asks you to take Sun 27 Dec 18:00 to Mon 28 Dec 08:00. In return: yours of Mon 28 Dec 18:00 to "
        "Tue 29 Dec 08:00. Concert of my daughter\nReply YES S1 or NO S1"
    )
    assert say(nights, CAROL, "yes s1") == [
        "You are on call Sun 27 Dec 18:00 to Mon 28 Dec 08:00. Bob takes Mon 28 Dec 18:00 to Tue 29 Dec 08:00. "
        "Bob is told"
    ]
    assert say(nights, CAROL, "YES S1") == ["S1: This was answered with yes already"]
    assert nights.sms.texts(NUMBERS[BOB]) == [
        "Carol takes your duty Sun 27 Dec 18:00 to Mon 28 Dec 08:00. You take Mon 28 Dec 18:00 to Tue 29 Dec 08:00"
    ]
    assert (on_call(nights, 27), on_call(nights, 28), on_call(nights, 29)) == ([CAROL], [BOB], [BOB])
    found = [(row.user_id, row.instead_of_id, row.swap_id) for row in rows(nights.database, OverrideRow)]
    assert found == [(CAROL, BOB, swap_id), (BOB, CAROL, swap_id)]
    assert mails_to(nights, "bob") == [("pending", "Carol takes your duty: Sun 27 Dec 18:00 to Mon 28 Dec 08:00")]
    assert actions(nights) == [
        ("swap.ask", BOB, "S1: Bob asks Carol"),
        ("override.add", CAROL, "Carol"),
        ("override.add", CAROL, "Bob"),
        ("swap.accept", CAROL, "S1: Bob asks Carol"),
    ]


def test_a_text_that_is_listed_twice_counts_once(nights):
    move_to(nights, 26, 10)
    ask(nights, GIVEN)
    settle(nights)
    say(nights, CAROL, "yes s1")
    nights.times.pass_by(minutes=2)
    settle(nights)
    assert len(rows(nights.database, OverrideRow)) == 1
    assert len(nights.sms.texts(NUMBERS[CAROL])) == 2
    assert len(nights.sms.texts(NUMBERS[BOB])) == 1


def test_a_no_changes_nothing_and_is_told(nights):
    move_to(nights, 26, 10)
    swap_id = ask(nights, GIVEN)
    settle(nights)
    assert say(nights, CAROL, "no S1, sorry") == [
        "Bob is told that you cannot take Sun 27 Dec 18:00 to Mon 28 Dec 08:00"
    ]
    assert state(nights, swap_id) == "declined"
    assert not rows(nights.database, OverrideRow)
    assert nights.sms.texts(NUMBERS[BOB]) == [
        "Carol cannot take your duty Sun 27 Dec 18:00 to Mon 28 Dec 08:00. It stays yours"
    ]


def test_a_bare_yes_counts_for_a_single_request_while_no_page_asks(nights):
    move_to(nights, 26, 10)
    first, second = ask(nights, GIVEN), ask(nights, Terms(BOB, CAROL, night(29)))
    settle(nights)
    assert say(nights, CAROL, "Yes") == [
        "To answer a swap, reply only: YES S1 = Bob, Sun 27 Dec 18:00 to Mon 28 Dec 08:00; "
        "YES S2 = Bob, Tue 29 Dec 18:00 to Wed 30 Dec 08:00"
    ]
    assert say(nights, CAROL, "yes s2 but not before 20:00")[0].startswith("To answer a swap, reply only: YES S1")
    withdraw(nights, second, BOB)
    assert say(nights, CAROL, "yes")[0].startswith("You are on call Sun 27 Dec")
    assert (state(nights, first), state(nights, second)) == ("accepted", "withdrawn")
    assert say(nights, CAROL, "yes") == []


def test_a_yes_while_a_page_asks_stays_the_pages(nights):
    move_to(nights, 26, 10)
    nights.put_on_call(BOB, CAROL)
    with nights.database.unit_of_work() as uow:
        uow.session.query(ShiftRow).filter_by(user_id=CAROL).one().ends = wall(27, 8)
    swap_id = ask(nights, GIVEN)
    ticket_id = add_ticket(nights.database, received_at=nights.times.now())
    decide(nights.database, ticket_id, now=nights.times.now())
    settle(nights)
    (said,) = say(nights, CAROL, "yes")
    assert said == (
        "Noted. Reply 1A to take #1. To answer a swap, reply only: YES S1 = Bob, Sun 27 Dec 18:00 to Mon 28 Dec 08:00"
    )
    assert state(nights, swap_id) == "asked"
    assert say(nights, CAROL, "YES S1")[0].startswith("You are on call Sun 27 Dec")


def test_start_by_yes_stays_what_it_was_for_a_phone_that_texted_stop(nights):
    move_to(nights, 26, 10)
    swap_id = ask(nights, GIVEN)
    settle(nights)
    nights.sms.reply(NUMBERS[CAROL], "STOP")
    assert say(nights, CAROL, "yes")[-1].startswith("You get pages again. STOP ends them. To answer a swap")
    assert state(nights, swap_id) == "asked"


@pytest.mark.parametrize(("person", "text"), [(CAROL, "yes s9"), (ALICE, "yes s1"), (ALICE, "NO S1")])
def test_only_the_person_asked_can_answer(nights, person, text):
    move_to(nights, 26, 10)
    swap_id = ask(nights, GIVEN)
    (said,) = say(nights, person, text)[-1:]
    assert said.endswith("You were not asked for this swap")
    assert state(nights, swap_id) == "asked"


def test_a_text_that_is_not_about_swaps_is_left_to_the_pages(nights):
    ask(nights, GIVEN)
    with nights.database.unit_of_work() as uow:
        carol = uow.session.get_one(User, CAROL)
        assert hear_text(nights.context, uow, carol, "on my way", is_page_first=False) is None
        bob = uow.session.get_one(User, BOB)
        assert hear_text(nights.context, uow, bob, "yes", is_page_first=False) is None


# Exactly once, and only while the roster allows it


def test_of_two_answers_the_second_is_told(nights):
    swap_id = ask(nights, GIVEN)
    assert answer(nights, swap_id, CAROL).state == "accepted"
    with pytest.raises(DomainError, match="answered with yes already"):
        answer(nights, swap_id, CAROL, accept=False)
    assert len(rows(nights.database, OverrideRow)) == 1


def test_of_two_answers_that_meet_one_counts(nights, monkeypatch):
    swap_id = ask(nights, GIVEN)
    answer(nights, swap_id, CAROL, accept=False)
    monkeypatch.setattr("portal.services.swaps._refuse_ended", lambda *_: None)  # both have looked before one wrote
    with pytest.raises(DomainError, match="answered with no already"):
        answer(nights, swap_id, CAROL)
    assert not rows(nights.database, OverrideRow)


def test_a_yes_is_refused_when_the_asker_no_longer_holds_the_time_and_may_count_later(nights):
    swap_id = ask(nights, GIVEN)
    with nights.database.unit_of_work() as uow:
        shift = uow.session.query(ShiftRow).filter_by(starts=wall(27, 18)).one()
        shift.user_id = ALICE
    with pytest.raises(DomainError, match=r"Bob is not on call for all of Sun 27 Dec 18:00 to Mon 28 Dec 08:00\."):
        answer(nights, swap_id, CAROL)
    assert not rows(nights.database, OverrideRow)
    assert state(nights, swap_id) == "asked"


def test_it_expires_when_it_begins(nights):
    swap_id = ask(nights, GIVEN)
    move_to(nights, 27, 17)
    assert state(nights, swap_id) == "expired"
    with pytest.raises(DomainError, match="This has begun"):
        answer(nights, swap_id, CAROL)
    with pytest.raises(DomainError, match="This has begun"):
        withdraw(nights, swap_id, BOB)


def test_whoever_asked_hears_once_that_nobody_answered(nights):
    move_to(nights, 26, 10)
    swap_id = ask(nights, GIVEN)
    assert end_swaps(nights.context) == "No request for a swap has run out."
    move_to(nights, 27, 17)
    assert end_swaps(nights.context) == "1 request for a swap ran out."
    assert end_swaps(nights.context) == "No request for a swap has run out."
    assert rows(nights.database, Swap)[0].state == state(nights, swap_id) == "expired"
    settle(nights)
    (text,) = nights.sms.texts(NUMBERS[BOB])
    assert text.startswith("Carol has not answered in time")
    assert texts_to(nights, CAROL) == [("cancelled", "Reply YES S1 or NO S1")]
    assert mails_to(nights, "bob") == [
        ("pending", "Carol has not answered, nothing is swapped: Sun 27 Dec 18:00 to Mon 28 Dec 08:00")
    ]
    assert actions(nights)[-1] == ("swap.expire", None, "S1: Bob asks Carol")
    assert on_call(nights, 27) == [BOB]


def test_whoever_asked_hears_that_another_swap_took_the_ground_away(nights):
    move_to(nights, 26, 10)
    first, same = ask(nights, GIVEN), ask(nights, Terms(BOB, ALICE, night(27)))
    part = ask(nights, Terms(BOB, ALICE, WallSpan(wall(27, 20), wall(28, 8))))
    answer(nights, first, CAROL)
    assert [state(nights, one) for one in (first, same, part)] == ["accepted", "withdrawn", "withdrawn"]
    assert [subject for _, subject in mails_to(nights, "bob")] == [
        "Your request to Alice has ended: Sun 27 Dec 20:00 to Mon 28 Dec 08:00",
        "Carol takes your duty: Sun 27 Dec 18:00 to Mon 28 Dec 08:00",
    ]


def test_when_one_colleague_takes_it_the_others_are_asked_no_more(nights):
    move_to(nights, 26, 10)
    to_carol, to_alice, other = (
        ask(nights, GIVEN),
        ask(nights, Terms(BOB, ALICE, night(27))),
        ask(nights, Terms(BOB, ALICE, night(29))),
    )
    answer(nights, to_carol, CAROL)
    assert [state(nights, one) for one in (to_carol, to_alice, other)] == ["accepted", "withdrawn", "asked"]
    assert texts_to(nights, ALICE) == [("cancelled", "Reply YES S2 or NO S2"), ("pending", "Reply YES S3 or NO S3")]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (Terms(BOB, MALLORY, night(27)), "cannot be on call"),
        (Terms(BOB, CAROL, WallSpan(wall(27, 17), wall(27, 20))), "Bob is not on call for all of"),
        (GIVEN, "Carol has been asked for this already"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_asked(nights, terms, reason):
    ask(nights, GIVEN)
    with pytest.raises(DomainError, match=reason):
        ask(nights, terms)
    assert len(rows(nights.database, Swap)) == 1


def test_a_manager_asks_for_somebody_and_the_trace_says_who_did_it(nights):
    with nights.database.unit_of_work() as uow:
        swap_id = ask_swap(nights.context, uow, GIVEN, change=Change(ALICE, NOW))
    with nights.database.unit_of_work() as uow:
        view = answer_swap(nights.context, uow, swap_id, person_id=CAROL, accept=False, how="link", at=NOW)
    assert (view.state, view.answered_at) == ("declined", NOW)
    assert [row[:2] for row in actions(nights)] == [("swap.ask", ALICE), ("swap.decline", CAROL)]


def test_only_who_asked_or_a_manager_withdraws(nights):
    first, second = ask(nights, GIVEN), ask(nights, Terms(BOB, CAROL, night(29)))
    with pytest.raises(DomainError, match="Only who asked"):
        withdraw(nights, first, CAROL)
    withdraw(nights, first, BOB)
    withdraw(nights, second, ALICE, may_manage=True)
    assert (state(nights, first), state(nights, second)) == ("withdrawn", "withdrawn")
    with pytest.raises(DomainError, match="withdrawn meanwhile"):
        answer(nights, first, CAROL)


def test_a_schedule_goes_with_its_swaps_and_their_overrides(nights):
    with nights.database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=7, name="Network", changed_at=NOW))
        uow.session.flush()
        uow.session.add(ShiftRow(schedule_id=7, user_id=BOB, starts=wall(27, 18), ends=wall(28, 8)))
        uow.session.flush()
        swap_id = ask_swap(nights.context, uow, GIVEN, change=Change(BOB, NOW), schedule_id=7)
    answer(nights, swap_id, CAROL)
    with nights.database.unit_of_work() as uow:
        uow.session.delete(uow.session.get_one(ScheduleRow, 7))
    assert not rows(nights.database, Swap) and not rows(nights.database, OverrideRow)


# What pages show


def test_the_link_leads_to_its_request_and_the_token_is_not_kept(nights):
    nights.context.site_url = "https://help.acme.example"
    swap_id = ask(nights, GIVEN)
    (mail,) = rows(nights.database, OutgoingMail)
    token = re.search(r"https://help\.acme\.example/swap/([a-z2-7]{32})\n", mail.text)[1]
    assert token not in rows(nights.database, Swap)[0].token_hash
    with nights.database.read_session() as session:
        assert find_by_token(session, token.upper(), now=NOW).id == swap_id
        assert find_by_token(session, "a" * 32, now=NOW) is None
        assert find_swap(session, 99, now=NOW) is None


def test_everybody_sees_their_own_requests_and_a_manager_all(nights):
    ask(nights, GIVEN)
    with nights.database.read_session() as session:
        views = list_swaps(session, now=NOW)
        assert [(one.code, one.asker, one.asked, one.zone_name, one.ended) for one in views] == [
            ("S1", "Bob", "Carol", "Europe/Berlin", "")
        ]
        assert list_swaps(session, now=NOW, person_id=BOB) == list_swaps(session, now=NOW, person_id=CAROL) == views
        assert list_swaps(session, now=NOW, person_id=ALICE) == []


def test_duties_are_listed_whole_and_a_long_or_running_one_is_marked(nights):
    with nights.database.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=ALICE, starts=wall(1, 0), ends=wall(31, 0).replace(year=2028)))
        uow.session.add(ShiftRow(user_id=BOB, starts=wall(24, 18), ends=wall(25, 8)))
    with nights.database.read_session() as session:
        found = list_own_duties(session, BOB, now=NOW)
        assert [(one.span, one.is_whole) for one in found] == [(night(24), False), (night(27), True), (night(29), True)]
        assert {one.person_id for one in list_duties(session, now=NOW, schedule_id=1)} == {ALICE, BOB, CAROL}
        (alices,) = list_own_duties(session, ALICE, now=NOW)
        assert not alices.is_whole


def test_the_last_duty_of_the_list_has_its_own_end_and_not_that_of_the_list(nights):
    begins = wall(25, 12).replace(month=12) + timedelta(weeks=8) - timedelta(hours=14)
    with nights.database.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=ALICE, starts=begins, ends=begins + timedelta(days=20)))
        uow.session.add(ShiftRow(user_id=CAROL, starts=begins + timedelta(days=2), ends=begins + timedelta(days=3)))
    with nights.database.read_session() as session:
        (alices,) = list_own_duties(session, ALICE, now=NOW)
        assert (alices.span.ends - alices.span.starts, alices.is_whole) == (timedelta(days=20), True)
        assert begins + timedelta(days=2) not in [one.span.starts for one in list_own_duties(session, CAROL, now=NOW)]


def test_whatever_duty_is_listed_can_be_asked_for_also_on_the_nights_the_clock_changes(nights):
    odd = [datetime(2027, 3, 28, 2, 30), datetime(2027, 10, 31, 2, 30)]
    nights.put_on_call()
    with nights.database.unit_of_work() as uow:
        for at in odd:
            for starts, ends in ((at - timedelta(hours=8), at), (at, at + timedelta(hours=8))):
                uow.session.add(ShiftRow(user_id=BOB, starts=starts, ends=ends))
            uow.session.add(ShiftRow(user_id=ALICE, starts=at - timedelta(days=1), ends=at - timedelta(hours=12)))
    for month in (3, 10):
        nights.times.product = datetime(2027, month, 20, tzinfo=UTC)
        with nights.database.read_session() as session:
            whole = [one for one in list_own_duties(session, BOB, now=nights.times.now()) if one.is_whole]
        assert len(whole) == 2
        for duty in whole:
            assert answer(nights, ask(nights, Terms(BOB, CAROL, duty.span)), CAROL).state == "accepted"
        with nights.database.read_session() as session:
            assert list_own_duties(session, BOB, now=nights.times.now()) == []
