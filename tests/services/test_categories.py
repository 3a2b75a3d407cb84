"""Queues and categories are edited without breaking the words, rules and tickets that need them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.rules import Condition, ConditionKind, Rule, RuleActions
from portal.core.triage import Aspect, LexiconEntry
from portal.models import AuditEvent, Ticket
from portal.services.audit import Change
from portal.services.categories import (
    add_category,
    add_queue,
    edit_category,
    list_categories,
    list_queues,
    remove_category,
    remove_queue,
    rename_queue,
)
from portal.services.lexicon import list_terms, save_term
from portal.services.rules import list_rules, save_rule
from tests.services.triage_world import bare_database

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)


@pytest.fixture
def database(tmp_path):
    with bare_database(tmp_path) as made:
        yield made


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


@pytest.fixture
def desk(database) -> int:
    return write(database, add_queue, " Service  desk ")


@pytest.fixture
def network(database, desk: int) -> int:
    return write(database, add_category, "Network", queue_id=desk)


def add_ticket(database, **columns) -> None:
    with database.unit_of_work() as uow:
        base = {"subject": "x", "status": "new", "is_open": True, "priority": 3, "source": "form"}
        uow.session.add(Ticket(**base, received_at=NOW, created_at=NOW, changed_at=NOW, **columns))


def test_queues_and_categories_are_listed_in_order(database, desk: int, network: int) -> None:
    write(database, add_queue, "Archive")
    write(database, save_term, LexiconEntry("vpn", Aspect.CATEGORY, "Network", 3))
    assert [queue.name for queue in read(database, list_queues)] == ["Service desk", "Archive"]
    (category,) = read(database, list_categories)
    assert (category.name, category.queue_id, category.queue, category.terms) == ("Network", desk, "Service desk", 1)


def test_a_category_may_have_no_queue(database) -> None:
    write(database, add_category, "Other", queue_id=None)
    assert read(database, list_categories)[0].queue == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("  ", "Give the queue a name."),
        ("x" * 101, "at most 100"),
        ("service DESK", "There is a queue called service DESK already."),
    ],
)
def test_a_queue_needs_a_name_of_its_own(database, desk: int, name: str, sentence: str) -> None:
    with pytest.raises(DomainError, match=sentence):
        write(database, add_queue, name)


def test_a_category_cannot_go_to_a_queue_that_is_gone(database) -> None:
    with pytest.raises(DomainError, match="This queue is gone"):
        write(database, add_category, "Network", queue_id=99)


def a_rule(queue: str, category: str) -> Rule:
    conditions = (Condition(ConditionKind.CATEGORY_IS, category), Condition(ConditionKind.TEXT_HAS, category))
    return Rule("R", conditions, RuleActions(queue=queue, category=category))


def test_renaming_takes_words_and_rules_along(database, desk: int, network: int) -> None:
    write(database, save_term, LexiconEntry("vpn", Aspect.CATEGORY, "Network", 3))
    write(database, save_rule, a_rule("Service desk", "Network"))
    write(database, rename_queue, desk, "Help desk")
    write(database, edit_category, network, name="Net", queue_id=None)
    rule = read(database, list_rules)[0].rule
    assert (rule.actions.queue, rule.actions.category) == ("Help desk", "Net")
    assert [condition.value for condition in rule.conditions] == ["Net", "Network"]
    assert [term.term for term in read(database, list_terms, aspect=Aspect.CATEGORY, target="Net")] == ["vpn"]
    assert read(database, list_categories)[0].queue_id is None


def test_saving_the_same_leaves_no_trace(database, desk: int, network: int) -> None:
    before = read(database, lambda session: len(session.scalars(select(AuditEvent.id)).all()))
    write(database, rename_queue, desk, "Service desk")
    write(database, edit_category, network, name="Network", queue_id=desk)
    assert read(database, lambda session: len(session.scalars(select(AuditEvent.id)).all())) == before


def test_a_queue_in_use_stays(database, desk: int, network: int) -> None:
    with pytest.raises(DomainError, match="The category Network goes to Service desk"):
        write(database, remove_queue, desk)
    write(database, edit_category, network, name="Network", queue_id=None)
    write(database, save_rule, a_rule("Service desk", "Network"))
    with pytest.raises(DomainError, match="The rule “R” names Service desk"):
        write(database, remove_queue, desk)
    add_ticket(database, queue_id=desk)
    with pytest.raises(DomainError, match="There are tickets in Service desk"):
        write(database, remove_queue, desk)


def test_a_category_in_use_stays(database, network: int) -> None:
    write(database, save_rule, Rule("R", (Condition(ConditionKind.CATEGORY_IS, "Network"),), RuleActions(priority=1)))
    with pytest.raises(DomainError, match="The rule “R” names Network"):
        write(database, remove_category, network)
    add_ticket(database, category_id=network)
    with pytest.raises(DomainError, match="There are tickets in Network"):
        write(database, remove_category, network)


def test_an_unused_category_goes_with_its_words_and_then_its_queue(database, desk: int, network: int) -> None:
    write(database, save_term, LexiconEntry("vpn", Aspect.CATEGORY, "Network", 3))
    write(database, save_rule, Rule("R", (Condition(ConditionKind.EMERGENCY),), RuleActions(priority=1)))
    write(database, remove_category, network)
    write(database, remove_queue, desk)
    assert read(database, list_categories) == read(database, list_queues) == []
    assert read(database, list_terms, aspect=Aspect.CATEGORY, target="Network") == []


def test_what_is_gone_is_told(database) -> None:
    for act, arguments in ((rename_queue, ("x",)), (remove_queue, ()), (remove_category, ())):
        with pytest.raises(DomainError, match="is gone: somebody removed it meanwhile"):
            write(database, act, 7, *arguments)
    with pytest.raises(DomainError, match="This category is gone"):
        write(database, edit_category, 7, name="x", queue_id=None)


def test_changes_are_audited(database, desk: int, network: int) -> None:
    write(database, remove_category, network)
    actions = read(database, lambda session: session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all())
    assert actions == ["queue.add", "category.add", "category.remove"]
