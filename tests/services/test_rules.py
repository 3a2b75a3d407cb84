"""Rules are stored as checked, kept in order and audited."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.rules import Condition, ConditionKind, Rule, RuleActions
from portal.models import AuditEvent, User
from portal.services.audit import Change
from portal.services.categories import add_category, add_queue
from portal.services.rules import (
    find_rule,
    list_assignees,
    list_rules,
    load_rule_choices,
    move_rule,
    remove_rule,
    save_rule,
    switch_rule,
)
from tests.services.triage_world import bare_database

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHANGE = Change(None, NOW)
URGENT = Rule("Urgent", (Condition(ConditionKind.EMERGENCY),), RuleActions(priority=1))


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


def named(name: str) -> Rule:
    return Rule(name, URGENT.conditions, URGENT.actions)


def names(database) -> list[str]:
    return [entry.rule.name for entry in read(database, list_rules)]


def test_a_saved_rule_comes_back_as_it_was(database) -> None:
    rule_id = write(database, save_rule, URGENT)
    entry = read(database, find_rule, rule_id)
    assert entry is not None and entry.rule == URGENT
    assert read(database, find_rule, rule_id + 1) is None


def test_a_rule_may_name_what_exists(database) -> None:
    write(database, add_queue, "Desk")
    write(database, add_category, "Network", queue_id=None)
    with database.unit_of_work() as uow:
        for name, role, is_active in (
            ("carol", "manager", True),
            ("vera", "viewer", True),
            ("mallory", "admin", False),
        ):
            email = f"{name}@a.example"
            uow.session.add(User(email=email, name=name.title(), role=role, is_active=is_active, created_at=NOW))
    choices = read(database, load_rule_choices)
    assert (choices.queues, choices.categories) == ({"Desk"}, {"Network"})
    assert choices.people == {"alice@a.example", "bob@a.example", "carol@a.example"}
    assert [name for _, name in read(database, list_assignees)] == ["Alice", "Bob", "Carol"]


def test_a_wrong_rule_is_refused_with_every_problem(database) -> None:
    with pytest.raises(DomainError, match=r"Give the rule a name\.\nAdd at least one condition"):
        write(database, save_rule, Rule("", (), RuleActions(priority=1)))
    assert names(database) == []


def test_rules_keep_their_order_and_move(database) -> None:
    ids = [write(database, save_rule, named(name)) for name in ("a", "b", "c")]
    write(database, move_rule, ids[2], up=True)
    assert names(database) == ["a", "c", "b"]
    write(database, move_rule, ids[0], up=True)
    write(database, move_rule, ids[0], up=False)
    assert names(database) == ["c", "a", "b"]
    write(database, move_rule, ids[1], up=False)
    assert names(database) == ["c", "a", "b"]


def test_saving_again_changes_the_same_rule(database) -> None:
    rule_id = write(database, save_rule, URGENT)
    assert write(database, save_rule, named("Renamed"), rule_id=rule_id) == rule_id
    assert names(database) == ["Renamed"]


def test_a_rule_is_switched_off_and_on(database) -> None:
    rule_id = write(database, save_rule, URGENT)
    write(database, switch_rule, rule_id, on=True)
    write(database, switch_rule, rule_id, on=False)
    entry = read(database, find_rule, rule_id)
    assert entry is not None and not entry.rule.is_enabled
    actions = read(database, lambda s: s.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all())
    assert actions == ["rule.save", "rule.off"]


def test_a_removed_rule_is_gone_and_that_is_told(database) -> None:
    rule_id = write(database, save_rule, URGENT)
    write(database, remove_rule, rule_id)
    assert names(database) == []
    for act, keywords in ((remove_rule, {}), (switch_rule, {"on": True}), (move_rule, {"up": True})):
        with pytest.raises(DomainError, match="This rule is gone"):
            write(database, act, rule_id, **keywords)
    with pytest.raises(DomainError, match="This rule is gone"):
        write(database, save_rule, URGENT, rule_id=rule_id)
