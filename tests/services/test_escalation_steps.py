"""The escalation as set: shipped until changed, refused when it cannot work, every change on record."""

import pytest

from portal.core.errors import DomainError
from portal.core.escalation import DEFAULT_POLICY, FALLBACK, ON_CALL, EscalationPolicy, Step
from portal.models import AuditEvent, User
from portal.services.audit import Change
from portal.services.escalation_steps import load_policy, save_policy
from tests.services.paging_world import ALICE, CAROL, NOW, add_people, rows

POLICY = EscalationPolicy((Step((ON_CALL,), 3, 2), Step(("person:3",), 10, 0), Step((FALLBACK,), 5, 1)))


@pytest.fixture
def shop(database):
    add_people(database)
    return database


def save(database, policy):
    with database.unit_of_work() as uow:
        save_policy(uow, policy, change=Change(ALICE, NOW))


def load(database):
    with database.read_session() as session:
        return load_policy(session)


def test_the_shipped_steps_hold_until_somebody_sets_others(shop):
    assert load(shop) == DEFAULT_POLICY
    save(shop, POLICY)
    assert load(shop) == POLICY


def test_saving_the_same_again_leaves_no_trace(shop):
    save(shop, POLICY)
    save(shop, POLICY)
    events = rows(shop, AuditEvent)
    assert [(event.action, event.actor_id) for event in events] == [("escalation.edit", ALICE)]
    assert events[0].data["after"]["steps"][1]["targets"] == ["person:3"]


def test_steps_that_cannot_work_are_refused(shop):
    with shop.unit_of_work() as uow:
        uow.session.get_one(User, CAROL).is_active = False
    for policy, words in (
        (EscalationPolicy(()), "at least one step"),
        (POLICY, "Step 2 names a person who is not here any more"),
        (EscalationPolicy((Step(("person:99",)),)), "Step 1 names a person"),
        (EscalationPolicy((Step((ON_CALL, FALLBACK)),)), "Step 1 must name exactly one target"),
        (EscalationPolicy((Step((ON_CALL,), wait=0),)), "the wait must be"),
    ):
        with pytest.raises(DomainError, match=words):
            save(shop, policy)
    assert load(shop) == DEFAULT_POLICY
