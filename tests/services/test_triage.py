"""One commit takes a ticket, stores what was found beside the original, decides about paging and confirms."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from portal.core.rules import Condition, ConditionKind, Rule, RuleActions
from portal.core.triage import Aspect, LexiconEntry
from portal.models import (
    Alarm,
    BusinessPeriod,
    HolidayRow,
    Message,
    Notification,
    OutgoingMail,
    PageDecisionRow,
    Ticket,
    TicketCount,
    TicketEvent,
)
from portal.services import triage
from portal.services.audit import Change
from portal.services.categories import list_categories, list_queues
from portal.services.lexicon import save_term
from portal.services.rules import save_rule
from portal.services.tickets import (
    recount,
    set_status,
    sort_ticket,
)
from portal.services.triage import Request, count_untriaged, examine, load_desk, load_request, triage_next
from tests.services.paging_world import BOB, CAROL, NOW
from tests.services.triage_world import DANA, ask, load, step, triage_world

CHANGE = Change(None, NOW)


@pytest.fixture
def world(tmp_path):
    with triage_world(tmp_path) as made:
        yield made


def sorted_as(world, ticket_id: int) -> tuple[str, int, str]:
    with world.database.read_session() as session:
        request = load_request(session, ticket_id)
        return request.category, request.priority, request.queue


def test_a_ticket_gets_category_priority_and_queue_with_reasons(world) -> None:
    ticket_id = ask(world, "Server down", "Nobody can work")
    assert step(world)
    assert sorted_as(world, ticket_id) == ("Servers and cloud", 1, "Infrastructure")
    (ticket,) = load(world, Ticket)
    assert ticket.triaged_at == NOW
    assert ticket.triage["category"] == "Servers and cloud" and 0 < ticket.triage["confidence"] < 1
    assert "“server down” in the subject: Servers and cloud (+6)" in [r["text"] for r in ticket.triage["reasons"]]
    assert [event.kind for event in load(world, TicketEvent)] == ["created", "sorted"]
    assert not step(world)


def test_counters_follow_and_stay_right(world) -> None:
    ask(world, "Server down", "Nobody can work")
    ask(world, "Question", "hello")
    while step(world):
        pass
    with world.database.unit_of_work() as uow:
        assert recount(uow) == 0
        assert uow.session.scalar(select(func.sum(TicketCount.n))) == 2


def test_corrections_stand_beside_the_original(world) -> None:
    ticket_id = ask(world, "Pasword expired", "my pasword expired, please resett it")
    step(world)
    (message,) = load(world, Message, ticket_id=ticket_id)
    assert message.body == "my pasword expired, please resett it"
    assert message.corrected.startswith("my password expired")
    assert message.corrections[0]["wrong"] == "pasword" and message.corrections[0]["start"] == 3
    (ticket,) = load(world, Ticket)
    assert ticket.subject == "Pasword expired"
    assert ticket.triage["subject_changes"][0]["right"] == "Password"
    assert sorted_as(world, ticket_id)[0] == "Accounts and access"


def test_a_text_without_mistakes_stores_no_second_copy(world) -> None:
    ask(world)
    step(world)
    assert (load(world, Message)[0].corrected, load(world, Message)[0].corrections) == ("", [])


def test_words_of_the_shop_and_names_are_never_corrected(world) -> None:
    with world.database.unit_of_work() as uow:
        save_term(uow, LexiconEntry("pasword", Aspect.CATEGORY, "General", 1), change=CHANGE)
    ask(world, "Hi", "the pasword of this account")
    step(world)
    assert load(world, Message)[0].corrections == []


def test_what_fits_nowhere_goes_to_the_category_without_words(world) -> None:
    ticket_id = ask(world, "hello", "see you")
    step(world)
    assert sorted_as(world, ticket_id) == ("General", 3, "Service desk")


def test_quoted_text_and_signatures_do_not_count(world) -> None:
    ticket_id = ask(
        world, "Question", "The toner is empty.\n\nOn Mon, 2 Nov 2026, Bob wrote:\n> the server is down\n> vpn vpn"
    )
    step(world)
    assert sorted_as(world, ticket_id)[0] == "Printing and scanning"


def add_rule(world, rule: Rule) -> None:
    with world.database.unit_of_work() as uow:
        save_rule(uow, rule, change=CHANGE)


def test_rules_have_the_last_word_and_are_told(world) -> None:
    actions = RuleActions(category="Security", priority=2, assignee="bob@acme.example", page=False)
    add_rule(world, Rule("Toner is secret", (Condition(ConditionKind.TEXT_HAS, "toner"),), actions))
    ticket_id = ask(world)
    step(world)
    assert sorted_as(world, ticket_id) == ("Security", 2, "Infrastructure")
    (ticket,) = load(world, Ticket)
    assert ticket.assignee_id == BOB
    assert ticket.triage["rules"][0].startswith("Rule “Toner is secret”, because the body has “toner”")
    (decision,) = load(world, PageDecisionRow)
    assert (decision.verdict, decision.reasons) == ("none", ['The rule "Toner is secret" says not to page.'])


def test_a_rule_takes_a_ticket_from_nobody(world) -> None:
    add_rule(
        world, Rule("To Bob", (Condition(ConditionKind.TEXT_HAS, "toner"),), RuleActions(assignee="bob@acme.example"))
    )
    ask(world, assignee_id=CAROL)
    step(world)
    assert load(world, Ticket)[0].assignee_id == CAROL


def test_rules_see_sender_source_hours_and_emergency(world) -> None:
    conditions = (
        Condition(ConditionKind.SENDER_DOMAIN, "c.example"),
        Condition(ConditionKind.SOURCE_IS, "form"),
        Condition(ConditionKind.AFTER_HOURS),
        Condition(ConditionKind.EMERGENCY),
    )
    add_rule(world, Rule("All", conditions, RuleActions(queue="Infrastructure")))
    ticket_id = ask(world, source="form", emergency="declared")
    step(world)
    assert sorted_as(world, ticket_id)[2] == "Infrastructure"


def test_a_new_rule_or_word_acts_on_the_next_ticket(world) -> None:
    ask(world)
    step(world)
    with world.database.unit_of_work() as uow:
        save_term(uow, LexiconEntry("flux", Aspect.CATEGORY, "Security", 5), change=CHANGE)
    ticket_id = ask(world, "flux", "flux")
    step(world)
    assert sorted_as(world, ticket_id)[0] == "Security"


def test_the_page_is_decided_in_the_same_commit(world) -> None:
    ticket_id = ask(world, "Server down", "Nobody can work")
    step(world)
    (decision,) = load(world, PageDecisionRow, ticket_id=ticket_id)
    assert (decision.cause, decision.verdict) == ("created", "page")
    assert len(load(world, Notification)) == 2


def test_a_crash_in_the_decision_leaves_the_ticket_untriaged(world, monkeypatch) -> None:
    ask(world)

    def crash(*arguments, **keywords):
        raise KeyboardInterrupt("killed")

    monkeypatch.setattr(triage, "decide_for_ticket", crash)
    with pytest.raises(KeyboardInterrupt, match="killed"):
        step(world)
    assert load(world, Ticket)[0].triaged_at is None
    assert load(world, TicketEvent, kind="sorted") == []


@pytest.mark.parametrize(
    ("broken", "words", "verdicts"),
    [
        ("sort_ticket", "#1 could not be sorted by itself.", ["page"]),
        ("decide_for_ticket", "#1 could neither be sorted nor paged by itself.", []),
    ],
)
def test_a_ticket_with_a_bug_behind_it_holds_up_no_other(world, monkeypatch, broken, words, verdicts) -> None:
    ask(world, "Server down", "Nobody can work")

    def crash(*arguments, **keywords):
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(triage, broken, crash)
        assert step(world)
    assert load(world, Ticket)[0].triaged_at is not None
    assert load(world, Alarm)[0].text.startswith(words)
    assert [row.verdict for row in load(world, PageDecisionRow)] == verdicts
    assert not step(world)


def test_trouble_of_the_database_leaves_the_ticket_for_later(world, monkeypatch) -> None:
    ask(world)

    def full(*arguments, **keywords):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr(triage, "decide_for_ticket", full)
    with pytest.raises(OperationalError):
        step(world)
    assert load(world, Ticket)[0].triaged_at is None


def test_a_text_that_breaks_an_engine_still_pages(world, monkeypatch, caplog) -> None:
    ticket_id = ask(world, "Server down", "Nobody can work")

    def crash(*arguments, **keywords):
        raise ValueError("an engine's bug")

    monkeypatch.setattr(triage, "examine", crash)
    assert step(world)
    assert sorted_as(world, ticket_id) == ("General", 3, "Service desk")
    assert load(world, PageDecisionRow)[0].verdict == "page"
    assert "could not be examined" in load(world, Ticket)[0].triage["rules"][0]
    caplog.clear()


def test_of_two_workers_one_takes_the_ticket(world, monkeypatch) -> None:
    ask(world)
    real = triage.examine

    def somebody_was_faster(*arguments, **keywords):
        monkeypatch.setattr(triage, "examine", real)
        assert step(world)
        return real(*arguments, **keywords)

    monkeypatch.setattr(triage, "examine", somebody_was_faster)
    assert step(world)
    assert len(load(world, PageDecisionRow)) == 1
    assert len(load(world, TicketEvent, kind="sorted")) == 1


def test_emergencies_come_first_then_the_newest_and_imported_ones_last(world) -> None:
    imported = [ask(world, is_imported=True), ask(world, is_imported=True)]
    old, new = ask(world), ask(world)
    emergency, newest = ask(world, emergency="declared"), ask(world)
    order = []
    while step(world):
        with world.database.read_session() as session:
            done = set(session.scalars(select(Ticket.id).where(Ticket.triaged_at.is_not(None))))
        order.append((done - set(order)).pop())
    assert order == [emergency, newest, new, old, *imported]


def test_an_imported_ticket_pauses_pages_nobody_and_confirms_nothing(world) -> None:
    pauses: list[float] = []
    ask(world, "Server down", "Nobody can work", is_imported=True)
    assert triage_next(world.context, pause=pauses.append)
    assert len(pauses) == 1 and pauses[0] > 0
    assert load(world, PageDecisionRow)[0].verdict == "none"
    assert load(world, OutgoingMail) == load(world, Notification) == []


def test_whoever_entered_the_ticket_chose_its_priority(world) -> None:
    ticket_id = ask(world, "Server down", "Nobody can work", source="staff", priority=4)
    step(world)
    assert sorted_as(world, ticket_id) == ("Servers and cloud", 4, "Infrastructure")


def test_a_category_and_queue_chosen_already_stay(world) -> None:
    with world.database.read_session() as session:
        security = next(one.id for one in list_categories(session) if one.name == "Security")
        desk = next(one.id for one in list_queues(session) if one.name == "Service desk")
    ticket_id = ask(world, "Printer", "toner", category_id=security, queue_id=desk)
    step(world)
    assert sorted_as(world, ticket_id)[::2] == ("Security", "Service desk")


def test_what_a_person_sorted_in_the_meantime_stays(world) -> None:
    ticket_id = ask(world, "Server down", "Nobody can work")
    with world.database.unit_of_work() as uow:
        sort_ticket(uow, uow.session.get_one(Ticket, ticket_id), actor=DANA, now=NOW, priority=4)
    step(world)
    assert sorted_as(world, ticket_id)[1] == 4
    assert load(world, Ticket)[0].triage["priority"] == 1


def test_the_requester_gets_one_confirmation_that_says_when(world) -> None:
    ask(world)
    step(world)
    (mail,) = load(world, OutgoingMail)
    assert mail.event == "confirmation" and "The person on call has been told" in mail.text


def test_the_confirmation_names_the_next_opening_when_nobody_is_woken(world) -> None:
    world.set(paging__wake_for="emergencies")
    with world.database.unit_of_work() as uow:
        uow.session.add(BusinessPeriod(weekday=0, opens=480, closes=1020))
    ask(world)
    step(world)
    assert (
        "We are closed now and will look at it on Monday, 28 December from 08:00." in load(world, OutgoingMail)[0].text
    )


def test_inside_business_hours_nobody_is_woken_and_the_rule_knows_it(world) -> None:
    with world.database.unit_of_work() as uow:
        uow.session.execute(update(HolidayRow).values(state="ignored"))
        uow.session.add(BusinessPeriod(weekday=4, opens=0, closes=1440))
    add_rule(world, Rule("Day", (Condition(ConditionKind.IN_HOURS),), RuleActions(queue="Infrastructure")))
    ticket_id = ask(world)
    step(world)
    assert sorted_as(world, ticket_id)[2] == "Infrastructure"
    assert load(world, PageDecisionRow)[0].verdict == "none"


def test_a_resolved_import_stays_resolved(world) -> None:
    ticket_id = ask(world, is_imported=True)
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, ticket_id)
        set_status(uow, ticket, "resolved", actor=DANA, now=NOW, resolution="done")
    step(world)
    assert load(world, Ticket)[0].status == "resolved"


def test_a_late_ticket_joins_the_digest(world) -> None:
    ask(world, received_at=NOW - timedelta(hours=3))
    step(world)
    assert load(world, PageDecisionRow)[0].verdict == "digest"


def test_waiting_tickets_are_counted(world) -> None:
    ask(world)
    ask(world)
    step(world)
    with world.database.read_session() as session:
        assert count_untriaged(session) == 1


def test_examine_is_what_the_page_tries_out(world) -> None:
    with world.database.read_session() as session:
        desk = load_desk(world.database, session)
        assert load_desk(world.database, session) is desk
    finding = examine(Request("Pasword reset", "", sender="dana@c.example"), desk=desk, is_after_hours=True)
    assert finding.subject.corrected == "Password reset"
    assert (finding.routing.category, finding.routing.queue) == ("Accounts and access", "Service desk")
    assert finding.as_json()["priority"] == finding.routing.priority == 3


def test_a_ticket_without_requester_or_message_can_be_read(world) -> None:
    with world.database.unit_of_work() as uow:
        at = datetime.fromisoformat("2026-12-25T02:10:00+00:00")
        bare = {"status": "new", "is_open": True, "priority": 3, "source": "api"}
        uow.session.add(Ticket(id=77, subject="x", **bare, received_at=at, created_at=at, changed_at=at))
    with world.database.read_session() as session:
        assert load_request(session, 77) == Request("x", "", "api")
