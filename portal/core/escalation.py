"""The frozen policy of a page and its next step. Due times live in the database; this says what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from portal.core.errors import DomainError

ON_CALL = "on_call"
FALLBACK = "fallback"
MANAGERS = "managers"
_PERSON = "person:"
MAX_STEPS = 9
MAX_WAIT = 24 * 60
MAX_REPEATS = 20


@dataclass(frozen=True)
class Step:
    """Text the targets, `repeats` times more every `wait` minutes; after a last wait the next step follows.

    Targets: "on_call", "fallback", "managers" or "person:7".
    """

    targets: tuple[str, ...]
    wait: int = 5
    repeats: int = 1


@dataclass(frozen=True)
class EscalationPolicy:
    """Who is asked, in which order. A page keeps the policy it started with."""

    steps: tuple[Step, ...]


DEFAULT_POLICY = EscalationPolicy((Step((ON_CALL,)), Step((FALLBACK,))))


class Move(StrEnum):
    """What to do with an open page now."""

    WAIT = "wait"
    REPEAT = "repeat"
    ADVANCE = "advance"
    EXPIRE = "expire"


@dataclass(frozen=True)
class Position:
    """Where a page stands: step (from 0), how often its text went out again, and when it is looked at next."""

    step: int
    repeat: int
    due_at: datetime


@dataclass(frozen=True)
class NextMove:
    """The move, and the position the page has after it. `targets` are those to be asked now."""

    move: Move
    position: Position
    targets: tuple[str, ...] = ()


def person_target(person_id: int) -> str:
    """The target that is one person, whatever the roster says."""
    return f"{_PERSON}{person_id}"


def person_of(target: str) -> int | None:
    """The person's id in a target, None for a role."""
    return int(target.removeprefix(_PERSON)) if target.startswith(_PERSON) else None


def start(policy: EscalationPolicy, *, now: datetime) -> NextMove:
    """The first step of a new page."""
    return _enter(policy, 0, now)


def plan_next(policy: EscalationPolicy, position: Position, *, now: datetime) -> NextMove:
    """The one move that is due now.

    However late it is, it is one move, and the next due time counts from `now`: an outage or a clock that jumps ahead
    never makes several at once. A clock that jumped back cannot put the page to sleep: a due time further away than
    the step's own wait is pulled in.
    """
    wait = timedelta(minutes=_step(policy, position).wait)
    if now < position.due_at:
        return NextMove(Move.WAIT, Position(position.step, position.repeat, min(position.due_at, now + wait)))
    if position.repeat < _step(policy, position).repeats:
        again = Position(position.step, position.repeat + 1, now + wait)
        return NextMove(Move.REPEAT, again, _step(policy, position).targets)
    return _enter(policy, position.step + 1, now)


def plan_unreachable(policy: EscalationPolicy, position: Position, *, now: datetime) -> NextMove:
    """Nobody of this step can be reached (every text failed for good): the next step at once."""
    return _enter(policy, position.step + 1, now)


def resume(policy: EscalationPolicy, position: Position, *, now: datetime) -> Position:
    """Where a page goes on whose acknowledgement was undone: same step, a full wait from now."""
    return Position(position.step, position.repeat, now + timedelta(minutes=_step(policy, position).wait))


def _step(policy: EscalationPolicy, position: Position) -> Step:
    return policy.steps[min(position.step, len(policy.steps) - 1)]


def _enter(policy: EscalationPolicy, index: int, now: datetime) -> NextMove:
    if index >= len(policy.steps):
        return NextMove(Move.EXPIRE, Position(len(policy.steps), 0, now))
    step = policy.steps[index]
    return NextMove(Move.ADVANCE, Position(index, 0, now + timedelta(minutes=step.wait)), step.targets)


def policy_to_json(policy: EscalationPolicy) -> dict[str, Any]:
    """What is frozen into the page row."""
    return {"steps": [{"targets": list(s.targets), "wait": s.wait, "repeats": s.repeats} for s in policy.steps]}


def policy_from_json(data: Mapping[str, Any]) -> EscalationPolicy:
    """The reverse. Raises DomainError with one sentence for what a page or a settings file got wrong."""
    raw = data.get("steps")
    if not isinstance(raw, list) or not raw:
        raise DomainError("An escalation needs at least one step.")
    if len(raw) > MAX_STEPS:
        raise DomainError(f"An escalation has at most {MAX_STEPS} steps.")
    return EscalationPolicy(tuple(_step_from_json(index, step) for index, step in enumerate(raw, 1)))


def _step_from_json(index: int, raw: Any) -> Step:
    if not isinstance(raw, Mapping):
        raise DomainError(f"Step {index} is not a step.")
    targets = raw.get("targets")
    if not isinstance(targets, list) or not targets:
        raise DomainError(f"Step {index} asks nobody. Choose who gets the text.")
    for target in targets:
        if not _is_target(target):
            raise DomainError(f"Step {index} names an unknown target: {target}.")
    wait = _whole(raw.get("wait", 5), f"Step {index}: the wait", low=1, high=MAX_WAIT)
    repeats = _whole(raw.get("repeats", 1), f"Step {index}: the number of repeats", low=0, high=MAX_REPEATS)
    return Step(tuple(dict.fromkeys(targets)), wait, repeats)


def _is_target(target: object) -> bool:
    if not isinstance(target, str):
        return False
    is_person = target.startswith(_PERSON) and target.removeprefix(_PERSON).isdecimal()
    return is_person or target in (ON_CALL, FALLBACK, MANAGERS)


def _whole(value: object, what: str, *, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise DomainError(f"{what} must be a whole number from {low} to {high}.")
    return value
