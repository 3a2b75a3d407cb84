"""Leases: who does a thing that only one process may do at a time."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.core.leases import decide_lease, lease_end
from portal.models import Lease
from portal.services.context import Context


def hold_lease(context: Context, name: str, *, owner: str, seconds: float) -> bool:
    """Take the lease, or keep it. False: somebody else has it. Call it again before `seconds` are over.

    Writes only when it is taken or half over; asking for somebody else's costs one read.
    """
    with context.database.read_session() as session:
        answer = _decide(context, session, name, owner=owner, seconds=seconds)
    if answer != "take":
        return answer == "keep"
    with context.database.unit_of_work() as uow:
        answer = _decide(context, uow.session, name, owner=owner, seconds=seconds)
        if answer == "take":
            until = lease_end(context.clock.lease_now(), seconds=seconds)
            uow.session.merge(Lease(name=name, owner=owner, until=until))
    return answer != "leave"


def release_lease(context: Context, name: str, *, owner: str) -> None:
    """Give it back, so that the next one need not wait for its end."""
    with context.database.unit_of_work() as uow:
        uow.session.execute(delete(Lease).where(Lease.name == name, Lease.owner == owner))


def _decide(context: Context, session: Session, name: str, *, owner: str, seconds: float) -> str:
    lease = session.get(Lease, name)
    if lease is None:
        return "take"
    return decide_lease(
        owner=lease.owner,
        until=lease.until,
        me=owner,
        now=context.clock.lease_now(),
        seconds=seconds,
        may_take_over=context.clock.may_take_over(),
    )
