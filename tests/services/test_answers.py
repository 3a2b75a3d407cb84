"""The phone answers: each text stored once, handled once, and never met with silence."""

import pytest
from sqlalchemy.exc import OperationalError

from portal.core.errors import DomainError
from portal.core.ports import InboundSms
from portal.models import Alarm, InboundText, Lease, Message, Notification, Page, Phone, Ticket
from portal.services import answers
from portal.services.answers import ask_provider_soon, count_due_texts, handle_next, store_inbound
from portal.services.notifications import send_next
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, NUMBERS, add_ticket, decide, later, page_of, rows


def settle(world):
    """The workers, until nothing is due."""
    for _ in range(60):
        if not (handle_next(world.context) or send_next(world.context)):
            return
    raise AssertionError("it never settles")


def say(world, person, text):
    """A phone answers and the answer is handled. Returns what came back to that phone."""
    before = len(world.sms.texts(NUMBERS[person]))
    world.sms.reply(NUMBERS[person], text)
    world.times.pass_by(seconds=10)
    settle(world)
    return world.sms.texts(NUMBERS[person])[before:]


@pytest.fixture
def night(world):
    """Bob's and Carol's phones have rung for ticket 1."""
    decide(world.database, add_ticket(world.database))
    settle(world)
    return world


def ticket(world, ticket_id=1):
    return rows(world.database, Ticket, id=ticket_id)[0]


def test_one_answers_a_and_the_other_is_told(night):
    assert say(night, BOB, "a") == ["You have #1. Reply 1C and what you did when done, UNDO to give it back"]
    assert night.sms.texts(NUMBERS[CAROL])[1:] == ["Bob has #1. You need not do anything"]
    page = page_of(night.database, 1)
    assert (page.state, page.acknowledged_by, page.acknowledged_at) == ("acknowledged", BOB, later(seconds=10))
    assert (ticket(night).status, ticket(night).assignee_id) == ("open", BOB)
    assert [row.answered_at for row in rows(night.database, Notification, user_id=BOB, kind="page")] == [
        later(seconds=10)
    ]


def test_the_second_to_answer_learns_who_has_it(night):
    say(night, BOB, "1A")
    assert say(night, CAROL, "1 a") == ["Bob has #1 since 03:10. You need not do anything"]
    assert page_of(night.database, 1).acknowledged_by == BOB


def test_a_text_that_is_listed_again_is_handled_once(night):
    say(night, BOB, "a")
    night.times.pass_by(minutes=2)
    settle(night)
    assert len(rows(night.database, InboundText)) == 1
    assert len(night.sms.texts(NUMBERS[BOB])) == 2


def test_polled_and_posted_texts_are_one(night):
    text = InboundSms("R1", NUMBERS[BOB], "a", NOW)
    night.sms.reply(NUMBERS[BOB], "a")
    with night.database.unit_of_work() as uow:
        assert store_inbound(uow, "twilio", [text, text], now=NOW) == 1
        assert store_inbound(uow, "other", [text], now=NOW) == 1
        assert "texts" in uow.kinds
    night.times.pass_by(seconds=10)
    settle(night)
    assert len(rows(night.database, InboundText, provider="twilio")) == 1


def test_closing_resolves_the_ticket_with_words_and_frees_the_code(night):
    say(night, BOB, "a")
    assert say(night, BOB, "1 C 25m swapped the cable") == [
        "#1 is resolved with 25 minutes. UNDO within 10 minutes takes it back"
    ]
    assert (ticket(night).status, page_of(night.database, 1).state) == ("resolved", "resolved")
    assert "swapped the cable" in ticket(night).resolution
    decide(night.database, add_ticket(night.database))
    settle(night)
    assert "Reply 1A" in night.sms.texts(NUMBERS[BOB])[-1]


def test_closing_an_open_page_tells_the_others(night):
    say(night, BOB, "c")
    assert night.sms.texts(NUMBERS[CAROL])[1:] == ["#1 is resolved by Bob. You need not do anything"]


def test_undo_of_a_take_asks_again_and_tells_the_others(night):
    say(night, BOB, "a")
    assert say(night, BOB, "UNDO") == ["You gave #1 back. It asks again in a few minutes; 1A takes it"]
    page = page_of(night.database, 1)
    assert (page.state, page.acknowledged_by, page.due_at) == ("open", None, later(minutes=5, seconds=20))
    assert night.sms.texts(NUMBERS[CAROL])[-1] == "Bob gave #1 back. Reply 1A to take it"
    assert (ticket(night).status, ticket(night).assignee_id) == ("open", None)
    assert say(night, BOB, "undo") == ["There is nothing to undo"]


def test_undo_of_a_close_opens_ticket_and_page_again(night):
    say(night, BOB, "a")
    say(night, BOB, "c wrong one")
    assert say(night, BOB, "undo") == ["#1 is open again and yours. Reply 1C when done"]
    page = page_of(night.database, 1)
    assert (page.state, page.acknowledged_by, page.closed_at) == ("acknowledged", BOB, None)
    assert (ticket(night).status, ticket(night).is_open) == ("open", True)


def test_undo_of_a_close_gives_another_code_where_the_old_one_is_in_use(night):
    say(night, BOB, "a")
    say(night, BOB, "c")
    decide(night.database, add_ticket(night.database), on_call=(BOB,))
    settle(night)
    assert say(night, BOB, "undo") == ["#1 is open again and yours. Reply 1C when done"]
    say(night, BOB, "help")
    assert "1 = P3 #2" in night.sms.texts(NUMBERS[BOB])[-1]
    assert "2 = P3 #1" in night.sms.texts(NUMBERS[BOB])[-1]


def test_words_between_an_answer_and_undo_do_not_hide_it(night):
    say(night, BOB, "a")
    say(night, BOB, "on my way")
    assert say(night, BOB, "undo")[0].startswith("You gave #1 back.")


def test_undo_after_ten_minutes_is_refused(night):
    say(night, BOB, "a")
    night.times.pass_by(minutes=10)
    assert say(night, BOB, "undo") == ["Too late to undo: that was over 10 minutes ago"]


def test_an_answer_waits_for_a_database_in_trouble(night, monkeypatch):
    def full(*arguments):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    night.sms.reply(NUMBERS[BOB], "a")
    night.times.pass_by(seconds=10)
    assert handle_next(night.context)
    with monkeypatch.context() as patch:
        patch.setattr(answers, "_handle_row", full)
        with pytest.raises(OperationalError):
            handle_next(night.context)
    settle(night)
    assert page_of(night.database, 1).acknowledged_by == BOB


def test_undo_of_a_close_whose_ticket_pages_anew_changes_nothing(night):
    say(night, BOB, "a")
    say(night, BOB, "c rebooted")
    with night.database.unit_of_work() as uow:
        uow.session.add(Page(kind="ticket", ticket_id=1, state="open", opened_at=NOW, policy={}))
    assert say(night, BOB, "undo") == ["There is nothing to undo"]


def test_undo_of_what_somebody_changed_meanwhile_changes_nothing(night):
    say(night, BOB, "a")
    with night.database.unit_of_work() as uow:
        uow.session.get_one(Page, 1).acknowledged_by = CAROL
    assert say(night, BOB, "undo") == ["There is nothing to undo"]


def test_on_my_way_gets_a_hint_and_stands_on_the_ticket(night):
    assert say(night, BOB, "On my way") == ["Noted. Reply 1A to take #1"]
    assert page_of(night.database, 1).state == "open"
    notes = rows(night.database, Message, kind="note")
    assert [(note.body, note.author_id, note.is_public) for note in notes] == [("On my way", BOB, False)]


def test_several_open_pages_ask_which(night):
    decide(night.database, add_ticket(night.database, subject="Printer"))
    settle(night)
    assert say(night, BOB, "a") == [
        "Which one? 1A = #1 Server down: Nobody can work.; 2A = #2 Printer: Nobody can work."
    ]
    assert say(night, BOB, "2a")[0].startswith("You have #2.")


def test_an_unknown_number_gets_nothing(night):
    night.sms.reply("+15559999", "a")
    night.times.pass_by(seconds=10)
    settle(night)
    assert night.sms.texts("+15559999") == []
    row = rows(night.database, InboundText)[0]
    assert (row.user_id, row.outcome) == (None, "Not from a member's phone: nothing was answered.")
    assert page_of(night.database, 1).state == "open"


def test_stop_and_start_are_kept(night):
    assert say(night, BOB, "STOP") == []
    assert rows(night.database, Phone, user_id=BOB)[0].is_stopped
    assert [alarm.text[:16] for alarm in rows(night.database, Alarm)] == ["Bob texted STOP,"]
    assert say(night, BOB, "start") == ["You get pages again. STOP ends them"]
    assert not rows(night.database, Phone, user_id=BOB)[0].is_stopped
    assert rows(night.database, Alarm)[0].ended_at


def test_help_and_unknown_words_are_answered_but_not_for_ever(night):
    assert say(night, BOB, "help")[0].startswith("A or 1A takes a page.")
    assert say(night, BOB, "what is this")[0].startswith("Sorry")
    assert say(night, BOB, "I am driving")[0].startswith("Sorry")
    assert say(night, BOB, "I am driving") == []
    night.times.pass_by(minutes=10)
    assert say(night, BOB, "I am driving")[0].startswith("Sorry")


def test_a_ticket_that_refuses_is_said_so_and_the_page_stays(night, monkeypatch):
    def refuse(*args, **kwargs):
        raise DomainError("It is merged into #5.")

    say(night, BOB, "a")
    monkeypatch.setattr("portal.services.page_changes.resolve_ticket", refuse)
    assert say(night, BOB, "c") == ["#1 could not be resolved: It is merged into #5."]
    assert page_of(night.database, 1).state == "acknowledged"


def test_one_text_that_breaks_the_handling_does_not_stop_the_next(night, monkeypatch):
    real = answers.parse_answer

    def broken(text):
        if text == "poison":
            raise RuntimeError("a bug")
        return real(text)

    monkeypatch.setattr(answers, "parse_answer", broken)
    night.sms.reply(NUMBERS[CAROL], "poison")
    assert say(night, BOB, "a")[0].startswith("You have #1.")
    first = rows(night.database, InboundText)[0]
    assert first.outcome == "This text could not be handled. Please look at the page yourself."


def test_an_answer_reaches_a_person_in_watch_mode_too(world):
    world.set(site__live=False)
    assert say(world, BOB, "help")[0].startswith("A or 1A")


def test_the_provider_is_asked_every_ten_seconds_while_a_page_is_open_else_every_minute(world):
    def looks(seconds):
        before = world.sms.calls.count("list")
        for _ in range(seconds):
            world.times.pass_by(seconds=1)
            settle(world)
        return world.sms.calls.count("list") - before

    settle(world)
    assert looks(120) == 2
    decide(world.database, add_ticket(world.database))
    assert looks(60) == 6
    with world.database.read_session() as session:
        assert count_due_texts(session, world.context) == 0
        world.times.pass_by(seconds=10)
        assert count_due_texts(session, world.context) == 1


def test_the_sandbox_costs_nothing_and_is_asked_every_second(world):
    world.set(sms__provider="sandbox")
    decide(world.database, add_ticket(world.database))
    before = world.sms.calls.count("list")
    for _ in range(10):
        world.times.pass_by(seconds=1)
        settle(world)
    assert world.sms.calls.count("list") - before == 10


def test_without_a_provider_nobody_is_asked(world):
    world.set(sms__provider="")
    assert not handle_next(world.context)
    assert world.sms.calls == []


def test_a_provider_that_does_not_answer_is_asked_again_later(night):
    night.sms.fail_lookups()
    assert say(night, BOB, "a") == []
    night.times.pass_by(seconds=10)
    settle(night)
    assert page_of(night.database, 1).acknowledged_by == BOB


def test_a_clock_that_went_back_does_not_end_the_polling(night):
    with night.database.unit_of_work() as uow:
        uow.session.merge(Lease(name=answers.POLL_LEASE, owner="texts", until=later(minutes=600)))
    assert say(night, BOB, "a")[0].startswith("You have #1.")


def test_whoever_got_the_alarm_can_take_the_page_after_all(night):
    from portal.services.escalation import step_next

    for _ in range(4):
        night.times.pass_by(minutes=5)
        while step_next(night.context):
            pass
        settle(night)
    assert page_of(night.database, 1).state == "expired"
    assert say(night, ALICE, "1a")[0].startswith("You have #1.")
    assert page_of(night.database, 1).state == "acknowledged"


def test_a_sandbox_phone_that_answers_has_the_provider_asked_at_once(night):
    settle(night)
    night.sms.reply(NUMBERS[BOB], "a")
    with night.database.unit_of_work() as uow:
        ask_provider_soon(uow)
        assert uow.kinds == ("texts",)
    settle(night)
    assert page_of(night.database, 1).acknowledged_by == BOB
