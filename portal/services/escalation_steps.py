"""The escalation every new page starts with: edited on a page or in the settings file, frozen into each page."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.escalation import (
    DEFAULT_POLICY,
    EscalationPolicy,
    Step,
    person_of,
    person_target,
    policy_from_json,
    policy_to_json,
)
from portal.models import EscalationStepRow, UnitOfWork, User
from portal.services.audit import Change, record_change

_PERSON = "person"


def load_policy(session: Session) -> EscalationPolicy:
    """The steps as set; the shipped ones until somebody sets them. One statement."""
    rows = session.scalars(select(EscalationStepRow).order_by(EscalationStepRow.position, EscalationStepRow.id)).all()
    return EscalationPolicy(tuple(map(_step, rows))) if rows else DEFAULT_POLICY


def save_policy(uow: UnitOfWork, policy: EscalationPolicy, *, change: Change) -> None:
    """Replace the steps. Pages that run keep theirs. Raises DomainError for what cannot work."""
    policy_from_json(policy_to_json(policy))
    before = load_policy(uow.session)
    if before == policy and uow.session.scalar(select(EscalationStepRow.id).limit(1)) is not None:
        return
    for number, step in enumerate(policy.steps, 1):
        _check_people(uow.session, number, step)
    uow.session.execute(delete(EscalationStepRow))
    for position, step in enumerate(policy.steps):
        uow.session.add(_row(position, step))
    uow.session.flush()
    record_change(uow, change, "escalation.edit", before=policy_to_json(before), after=policy_to_json(policy))


def _check_people(session: Session, number: int, step: Step) -> None:
    if len(step.targets) != 1:
        raise DomainError(f"Step {number} must name exactly one target.")
    person = person_of(step.targets[0])
    if person is None:
        return
    user = session.get(User, person)
    if user is None or not user.is_active:
        raise DomainError(f"Step {number} names a person who is not here any more.")


def _step(row: EscalationStepRow) -> Step:
    is_person = row.target == _PERSON and row.user_id is not None
    target = person_target(row.user_id or 0) if is_person else row.target
    return Step((target,), wait=row.after_minutes, repeats=row.repeats)


def _row(position: int, step: Step) -> EscalationStepRow:
    person = person_of(step.targets[0])
    return EscalationStepRow(
        position=position,
        after_minutes=step.wait,
        repeats=step.repeats,
        target=_PERSON if person is not None else step.targets[0],
        user_id=person,
    )
