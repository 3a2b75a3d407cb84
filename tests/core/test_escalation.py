"""Escalation: repeat, next step, alarm; and nothing in a storm."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.errors import DomainError
from portal.core.escalation import (
    DEFAULT_POLICY,
    FALLBACK,
    MANAGERS,
    ON_CALL,
    EscalationPolicy,
    Move,
    Position,
    Step,
    person_of,
    person_target,
    plan_next,
    plan_unreachable,
    policy_from_json,
    policy_to_json,
    resume,
    start,
)

T0 = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
POLICY = EscalationPolicy((Step((ON_CALL,), wait=5, repeats=1), Step(("person:7", FALLBACK), wait=10, repeats=0)))


def minutes(count):
    return timedelta(minutes=count)


def test_a_page_starts_with_everyone_on_call():
    first = start(POLICY, now=T0)
    assert (first.move, first.targets) == (Move.ADVANCE, (ON_CALL,))
    assert first.position == Position(0, 0, T0 + minutes(5))


def test_silence_means_repeat_then_next_step_then_alarm():
    position, seen, now = start(POLICY, now=T0).position, [], T0
    while True:
        now = position.due_at
        plan = plan_next(POLICY, position, now=now)
        seen.append((plan.move, plan.targets, int((now - T0).total_seconds() // 60)))
        position = plan.position
        if plan.move is Move.EXPIRE:
            break
    assert seen == [
        (Move.REPEAT, (ON_CALL,), 5),
        (Move.ADVANCE, ("person:7", FALLBACK), 10),
        (Move.EXPIRE, (), 20),
    ]


def test_before_it_is_due_nothing_happens():
    position = Position(0, 0, T0 + minutes(5))
    assert plan_next(POLICY, position, now=T0 + minutes(4)).move is Move.WAIT
    assert plan_next(POLICY, position, now=T0 + minutes(4)).position == position


def test_a_long_outage_makes_one_move_and_a_full_wait():
    back = T0 + timedelta(hours=9)
    plan = plan_next(POLICY, Position(0, 0, T0 + minutes(5)), now=back)
    assert plan.move is Move.REPEAT
    assert plan.position == Position(0, 1, back + minutes(5))


def test_a_clock_that_jumps_back_does_not_put_the_page_to_sleep():
    plan = plan_next(POLICY, Position(0, 0, T0 + timedelta(days=2)), now=T0)
    assert plan == plan_next(POLICY, Position(0, 0, T0 + timedelta(days=9)), now=T0)
    assert plan.position.due_at == T0 + minutes(5)


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=30))
def test_however_the_clock_runs_each_look_makes_at_most_one_move_and_the_page_never_goes_back(steps):
    position, now, moves = start(POLICY, now=T0).position, T0, 0
    for step in steps:
        now += minutes(step)
        plan = plan_next(POLICY, position, now=now)
        if plan.move is Move.EXPIRE:
            break
        assert (plan.position.step, plan.position.repeat) >= (position.step, position.repeat)
        assert plan.position.due_at > now
        moves += plan.move is not Move.WAIT
        position = plan.position
    assert moves <= 2


def test_when_nobody_of_a_step_can_be_reached_the_next_follows_at_once():
    plan = plan_unreachable(POLICY, Position(0, 0, T0 + minutes(5)), now=T0)
    assert (plan.move, plan.targets, plan.position) == (
        Move.ADVANCE,
        ("person:7", FALLBACK),
        Position(1, 0, T0 + minutes(10)),
    )
    assert plan_unreachable(POLICY, plan.position, now=T0).move is Move.EXPIRE


def test_undo_gives_the_step_a_full_wait_again():
    now = T0 + minutes(30)
    assert resume(POLICY, Position(0, 1, T0), now=now) == Position(0, 1, now + minutes(5))
    assert resume(POLICY, Position(2, 0, T0), now=now).due_at == now + minutes(10)


def test_a_policy_survives_being_frozen():
    assert policy_from_json(json.loads(json.dumps(policy_to_json(POLICY)))) == POLICY
    assert policy_from_json(policy_to_json(DEFAULT_POLICY)) == DEFAULT_POLICY


def test_a_person_is_a_target():
    assert person_of(person_target(7)) == 7
    assert person_of(ON_CALL) is None


def test_a_target_named_twice_is_asked_once():
    assert policy_from_json({"steps": [{"targets": [MANAGERS, MANAGERS]}]}).steps[0].targets == (MANAGERS,)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "at least one step"),
        ({"steps": []}, "at least one step"),
        ({"steps": [{"targets": [ON_CALL]}] * 10}, "at most 9"),
        ({"steps": ["on_call"]}, "Step 1 is not a step"),
        ({"steps": [{"targets": [ON_CALL]}, {"targets": []}]}, "Step 2 asks nobody"),
        ({"steps": [{"targets": "on_call"}]}, "Step 1 asks nobody"),
        ({"steps": [{"targets": ["person:x"]}]}, "unknown target: person:x"),
        ({"steps": [{"targets": [7]}]}, "unknown target: 7"),
        ({"steps": [{"targets": [ON_CALL], "wait": 0}]}, "Step 1: the wait must be a whole number from 1 to 1440"),
        ({"steps": [{"targets": [ON_CALL], "wait": "5"}]}, "the wait must be"),
        ({"steps": [{"targets": [ON_CALL], "wait": True}]}, "the wait must be"),
        ({"steps": [{"targets": [ON_CALL], "repeats": 21}]}, "the number of repeats must be"),
    ],
)
def test_a_wrong_policy_is_refused_with_one_sentence(data, words):
    with pytest.raises(DomainError, match=words):
        policy_from_json(data)
