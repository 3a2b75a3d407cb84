"""From an event to rows that ring: one decision a cause, one page a ticket, one text a person."""

from dataclasses import replace

import pytest

from portal.core.escalation import plan_next
from portal.core.paging import Cause, HoursFacts, PagePolicy, WakeFor
from portal.models import (
    Alarm,
    Customer,
    Notification,
    Page,
    PageDecisionRow,
    PageTicket,
    Phone,
    Queue,
    ScheduleRow,
    Ticket,
    User,
)
from portal.services.page_steps import carry_out, policy_of, position_of
from portal.services.paging import Event, decide_for_ticket, digest_due_at, live_page, open_digests, page_now, page_test
from portal.services.paging_rules import Cover
from tests.services.paging_world import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    RULES,
    add_people,
    add_ticket,
    decide,
    later,
    page_of,
    rows,
    texts,
)

TEXT = "P3 #1 Dana Reed +15550177: Server down: Nobody can work. (Christmas Day)"


@pytest.fixture
def shop(database):
    add_people(database)
    return database


def test_at_night_everyone_on_call_gets_one_text(shop):
    row = decide(shop, add_ticket(shop))
    page = page_of(shop, 1)
    assert (row.verdict, row.page_id, row.cause) == ("page", page.id, "created")
    assert row.reasons == ["Today is a holiday: Christmas Day.", "The setting is to wake for everything."]
    assert texts(shop) == [(BOB, "pending", TEXT), (CAROL, "pending", TEXT)]
    assert (page.state, page.step, page.round, page.due_at) == ("open", 0, 0, later(minutes=5))


def test_the_same_cause_asked_twice_pages_once(shop):
    ticket = add_ticket(shop)
    assert decide(shop, ticket).id == decide(shop, ticket).id
    assert len(rows(shop, Page)) == 1
    assert len(texts(shop)) == 2


def test_a_second_cause_while_a_page_is_open_is_decided_and_rings_nobody(shop):
    ticket = add_ticket(shop)
    decide(shop, ticket)
    assert decide(shop, ticket, Event(Cause.RAISED)).verdict == "none"
    assert len(rows(shop, PageDecisionRow)) == 2
    assert len(rows(shop, Page)) == 1


def test_a_ticket_is_read_as_it_stands(shop):
    assert decide(shop, add_ticket(shop, is_imported=True)).verdict == "none"
    assert decide(shop, add_ticket(shop, is_automatic=True)).verdict == "none"
    assert decide(shop, add_ticket(shop, emergency="declined")).verdict == "none"
    assert decide(shop, add_ticket(shop, source="staff")).verdict == "none"
    policy = PagePolicy(wake_for=WakeFor.EMERGENCIES)
    assert decide(shop, add_ticket(shop, emergency="declared"), policy=policy).verdict == "page"
    assert decide(shop, add_ticket(shop, priority=1), policy=policy).verdict == "none"


def test_the_first_words_of_the_mail_stand_beside_a_short_subject_only(shop):
    decide(shop, add_ticket(shop, subject="The whole second floor has no network since two o'clock"))
    assert "Nobody can work" not in texts(shop)[0][2]
    decide(shop, add_ticket(shop, subject="nobody"))
    assert ": Nobody can work. (Christmas Day)" in texts(shop)[2][2]


def test_each_person_has_a_short_code_for_each_page(shop):
    decide(shop, add_ticket(shop))
    decide(shop, add_ticket(shop), on_call=(CAROL,))
    answers = [row.text.splitlines()[1][:8] for row in rows(shop, Notification)]
    assert answers == ["Reply 1A", "Reply 1A", "Reply 2A"]


def test_nobody_on_call_wakes_the_fallback_person_and_raises_the_banner(shop):
    decide(shop, add_ticket(shop), on_call=())
    assert texts(shop) == [(ALICE, "pending", f"Nobody is on call: {TEXT}")]
    assert [alarm.key for alarm in rows(shop, Alarm)] == ["nobody-on-call"]


def test_on_a_holiday_that_was_left_to_the_managers_they_ring_without_an_alarm(shop):
    decide(shop, add_ticket(shop), on_call=(), has_managers=True, fallback=BOB)
    assert texts(shop) == [(ALICE, "pending", f"Holiday, nobody is on call: {TEXT}")]
    assert rows(shop, Alarm) == []


def add_queue(shop, cover):
    """A queue with a roster of its own, and the rules that know its cover."""
    with shop.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Network", changed_at=NOW))
        uow.session.flush()
        uow.session.add(Queue(id=7, name="Network", schedule_id=2))
    return replace(RULES, by_queue={7: cover})


def test_a_ticket_rings_on_the_roster_of_its_queue_at_every_step(shop):
    rules = add_queue(shop, Cover(HoursFacts(is_open=False, holiday="Network day"), (ALICE,)))
    decide(shop, add_ticket(shop, queue_id=7), by_queue=rules.by_queue)
    with shop.unit_of_work() as uow:
        page = uow.session.query(Page).one()
        again = plan_next(policy_of(page), position_of(page), now=later(minutes=5))
        carry_out(uow, page, again, rules=replace(rules, now=later(minutes=5)))
    assert [user for user, *_ in texts(shop)] == [ALICE, ALICE]
    assert all("(Network day)" in text for *_, text in texts(shop))


def test_a_queue_that_is_open_wakes_nobody_while_the_shop_is_closed(shop):
    rules = add_queue(shop, Cover(HoursFacts(is_open=True), (ALICE,)))
    assert decide(shop, add_ticket(shop, queue_id=7), by_queue=rules.by_queue).verdict == "none"
    assert decide(shop, add_ticket(shop), by_queue=rules.by_queue).verdict == "page"


def test_the_text_names_the_customer(shop):
    with shop.unit_of_work() as uow:
        uow.session.add(Customer(id=5, name="Acme"))
    decide(shop, add_ticket(shop, customer_id=5))
    assert all("#1 Acme, Dana" in text for *_, text in texts(shop)) and texts(shop)


def test_late_tickets_of_two_rosters_make_a_digest_each(shop):
    rules = add_queue(shop, Cover(HoursFacts(is_open=False), (ALICE,)))
    for queue_id in (None, 7):
        late = add_ticket(shop, queue_id=queue_id, received_at=later(minutes=-120))
        decide(shop, late, by_queue=rules.by_queue)
    with shop.unit_of_work() as uow:
        assert open_digests(uow, rules=replace(rules, now=later(seconds=5)))
        assert not open_digests(uow, rules=replace(rules, now=later(seconds=90)))
    assert [(user, text[:24]) for user, _, text in texts(shop)] == [
        (BOB, "1 late request: P3 #1 Se"),
        (CAROL, "1 late request: P3 #1 Se"),
        (ALICE, "1 late request: P3 #2 Se"),
    ]


def test_people_without_a_phone_are_skipped_and_a_lost_step_is_left_at_once(shop):
    with shop.unit_of_work() as uow:
        for phone in uow.session.query(Phone).filter(Phone.user_id.in_([BOB, CAROL])):
            phone.is_stopped = True
    decide(shop, add_ticket(shop))
    assert texts(shop) == [(ALICE, "pending", TEXT)]
    assert page_of(shop, 1).step == 1


def test_when_no_phone_is_left_the_page_expires_with_an_alarm(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(Phone).delete()
    decide(shop, add_ticket(shop))
    assert page_of(shop, 1).state == "expired"
    assert [alarm.text for alarm in rows(shop, Alarm)] == ["#1: The page reached nobody."]


def test_page_now_rings_by_day_and_counts_its_presses(shop):
    ticket_id = add_ticket(shop, source="staff")
    for cause, verdict in (("manual:1", "page"), ("manual:2", "none")):
        with shop.unit_of_work() as uow:
            ticket, alice = uow.session.get_one(Ticket, ticket_id), uow.session.get_one(User, ALICE)
            row = page_now(uow, ticket, rules=RULES, asked_by=alice)
            assert (row.cause, row.verdict) == (cause, verdict)
    assert rows(shop, PageDecisionRow)[0].reasons == ['Alice pressed "Page now".']


def test_a_new_page_takes_the_place_of_one_that_expired(shop):
    ticket_id = add_ticket(shop)
    decide(shop, ticket_id)
    with shop.unit_of_work() as uow:
        uow.session.get_one(Page, 1).state = "expired"
    decide(shop, ticket_id, Event(Cause.REOPENED, occurrence="7"))
    assert [page.state for page in rows(shop, Page)] == ["resolved", "open"]
    with shop.read_session() as session:
        assert live_page(session, ticket_id).id == 2


def test_late_tickets_make_one_digest_with_the_worst_first(shop):
    two_hours_ago = later(minutes=-120)
    for priority in (4, 2, 3):
        assert decide(shop, add_ticket(shop, priority=priority, received_at=two_hours_ago)).verdict == "digest"
    assert texts(shop) == []
    with shop.unit_of_work() as uow:
        assert not open_digests(uow, rules=RULES)
        assert open_digests(uow, rules=replace(RULES, now=later(seconds=5)))
        assert not open_digests(uow, rules=replace(RULES, now=later(seconds=90)))
    words = "3 late requests: P2 #2 Server down; P3 #3 Server down; P4 #1 Server down"
    assert texts(shop) == [(BOB, "pending", words), (CAROL, "pending", words)]
    assert [row.page_id for row in rows(shop, PageDecisionRow)] == [1, 1, 1]
    with shop.read_session() as session:
        assert session.query(PageTicket).count() == 3


def test_a_late_p1_rings_by_itself(shop):
    row = decide(shop, add_ticket(shop, priority=1, received_at=later(minutes=-120)))
    assert row.verdict == "page"
    assert "always rings by itself" in row.reasons[-1]


def test_a_digest_waits_for_stragglers_but_not_for_ever(shop):
    decide(shop, add_ticket(shop, received_at=later(minutes=-120)))
    for seconds in range(4, 120, 4):
        old = later(minutes=-120)
        decide(shop, add_ticket(shop, received_at=old), now=later(seconds=seconds))
    with shop.read_session() as session:
        assert digest_due_at(session) == later(seconds=60)


def test_a_late_ticket_that_was_resolved_meanwhile_wakes_nobody(shop):
    ticket_id = add_ticket(shop, received_at=later(minutes=-120))
    decide(shop, ticket_id)
    with shop.unit_of_work() as uow:
        uow.session.get_one(Ticket, ticket_id).is_open = False
        assert open_digests(uow, rules=replace(RULES, now=later(seconds=5)))
    assert texts(shop) == []
    assert rows(shop, PageDecisionRow)[0].verdict == "none"


def test_watch_mode_shows_what_would_have_happened_and_sends_nothing(shop):
    decide(shop, add_ticket(shop), is_live=False, provider="twilio")
    assert [state for _, state, _ in texts(shop)] == ["cancelled", "cancelled"]
    assert page_of(shop, 1).state == "resolved"


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"provider": "sandbox"}, False),
        ({"provider": "twilio"}, True),
        ({"provider": "twilio", "is_live": True}, False),
        ({"provider": "twilio", "on_call": (ALICE,)}, False),
    ],
)
def test_watch_mode_spares_the_sandbox_and_the_admins_phone(shop, changes, held):
    decide(shop, add_ticket(shop), **{"is_live": False, **changes})
    assert {state for _, state, _ in texts(shop)} == {"cancelled" if held else "pending"}


def test_a_test_page_goes_to_one_person_also_in_watch_mode(shop):
    with shop.unit_of_work() as uow:
        page_test(uow, uow.session.get_one(User, BOB), rules=replace(RULES, is_live=False, provider="twilio"))
    assert texts(shop) == [(BOB, "pending", "TEST from Acme IT. Reply 1A to show that pages reach you")]


def test_deciding_wakes_the_sender_after_the_commit(shop):
    ticket_id = add_ticket(shop)
    with shop.unit_of_work() as uow:
        decide_for_ticket(uow, uow.session.get_one(Ticket, ticket_id), Event(Cause.CREATED, at=NOW), rules=RULES)
        assert uow.kinds == ("notify",)
