"""One move of a page: who is asked, and what follows when nobody can be."""

from dataclasses import replace

import pytest

from portal.core.escalation import Move, NextMove, Position
from portal.models import Notification, Page, Phone
from portal.services.page_steps import (
    carry_out,
    end_if_held,
    end_page,
    is_step_lost,
    place,
    policy_of,
    position_of,
    skip_step,
)
from tests.services.paging_world import ALICE, BOB, CAROL, RULES, add_ticket, decide, later, rows, texts


@pytest.fixture
def rung(world):
    decide(world.database, add_ticket(world.database))
    return world


def test_a_page_keeps_the_policy_and_place_it_was_frozen_with(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        assert policy_of(page) == RULES.escalation
        assert position_of(page) == Position(0, 0, later(minutes=5))
        place(page, Position(1, 2, later(minutes=9)))
        assert position_of(page) == Position(1, 2, later(minutes=9))
        page.due_at = None
        assert position_of(page).due_at == page.opened_at


def test_a_move_asks_its_targets_with_a_notice(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        carry_out(uow, page, NextMove(Move.REPEAT, Position(0, 1, later(minutes=10)), ("on_call",)), rules=RULES)
        carry_out(uow, page, NextMove(Move.ADVANCE, Position(1, 0, later(minutes=15)), ("fallback",)), rules=RULES)
    heads = [(user, text.split(":")[0]) for user, state, text in texts(rung.database) if state == "pending"]
    assert heads == [(BOB, "Again"), (CAROL, "Again"), (ALICE, "No answer")]


def test_waiting_moves_only_the_due_time(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        carry_out(uow, page, NextMove(Move.WAIT, Position(0, 0, later(minutes=1))), rules=RULES)
    assert rows(rung.database, Page)[0].due_at == later(minutes=1)
    assert len(texts(rung.database)) == 2


def test_skipping_a_lost_step_goes_on_at_once(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        assert not is_step_lost(uow.session, page)
        for row in uow.session.query(Notification):
            row.state = "failed"
        assert is_step_lost(uow.session, page)
        skip_step(uow, page, rules=RULES)
        assert not is_step_lost(uow.session, page)
    assert (rows(rung.database, Page)[0].step, texts(rung.database)[-1][0]) == (1, ALICE)


def test_a_text_of_an_earlier_step_does_not_hide_that_this_one_is_lost(rung):
    with rung.database.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        for row in uow.session.query(Notification):
            row.state = "delivered"
        skip_step(uow, page, rules=RULES)
        uow.session.query(Notification).filter_by(user_id=ALICE).one().state = "failed"
        assert is_step_lost(uow.session, page)


def test_the_last_step_without_a_phone_raises_the_alarm(rung):
    with rung.database.unit_of_work() as uow:
        uow.session.query(Phone).filter_by(user_id=ALICE).delete()
        skip_step(uow, uow.session.get_one(Page, 1), rules=RULES)
    assert rows(rung.database, Page)[0].state == "expired"


def test_an_ended_page_frees_its_codes(rung):
    with rung.database.unit_of_work() as uow:
        end_page(uow, uow.session.get_one(Page, 1), rules=RULES, reason="over")
    page = rows(rung.database, Page)[0]
    assert (page.state, page.closed_at, page.due_at) == ("resolved", RULES.now, None)
    assert {(state, row.last_error) for row in rows(rung.database, Notification) for state in (row.state,)} == {
        ("cancelled", "over")
    }


def test_a_page_of_which_one_text_left_is_not_held(rung):
    with rung.database.unit_of_work() as uow:
        end_if_held(uow, uow.session.get_one(Page, 1), rules=replace(RULES, is_live=False))
    assert rows(rung.database, Page)[0].state == "open"
