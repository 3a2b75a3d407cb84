"""Christmas night with a roster to swap: Bob has the nights of 27 and 29 December, Carol that of 28, in Berlin."""

from __future__ import annotations

from datetime import UTC, datetime

from portal.core.swaps import Terms, WallSpan
from portal.models import MailboxRow, ShiftRow
from portal.services.audit import Change
from portal.services.schedules import on_call_at
from portal.services.swaps import answer_swap, ask_swap, find_swap
from tests.services.paging_world import BOB, CAROL, NOW, NUMBERS
from tests.services.test_answers import settle


def wall(day: int, hour: int) -> datetime:
    return datetime(2026, 12, day, hour)


def night(day: int) -> WallSpan:
    """18:00 to 08:00."""
    return WallSpan(wall(day, 18), wall(day + 1, 8))


def given_nights(world):
    """The roster, and a mailbox that can send."""
    world.put_on_call()
    with world.database.unit_of_work() as uow:
        for person, day in ((BOB, 27), (CAROL, 28), (BOB, 29)):
            uow.session.add(ShiftRow(user_id=person, starts=wall(day, 18), ends=wall(day + 1, 8)))
        box = MailboxRow(
            name="help", kind="imap", address="help@acme.example", next_at=NOW, options={"smtp": {"host": "x"}}
        )
        uow.session.add(box)


def on_call(world, day: int) -> list[int]:
    """Who is on call at 22:00 of a day in December."""
    with world.database.read_session() as session:
        return [duty.person_id for duty in on_call_at(session, datetime(2026, 12, day, 21, tzinfo=UTC))]


def ask(world, terms: Terms, *, note: str = "", by: int | None = None) -> int:
    change = Change(by or terms.from_id, world.times.now())
    with world.database.unit_of_work() as uow:
        return ask_swap(world.context, uow, terms, change=change, note=note)


def answer(world, swap_id: int, person_id: int, *, accept: bool = True, how: str = "page"):
    at = world.times.now()
    with world.database.unit_of_work() as uow:
        return answer_swap(world.context, uow, swap_id, person_id=person_id, accept=accept, how=how, at=at)


def state(world, swap_id: int) -> str:
    with world.database.read_session() as session:
        found = find_swap(session, swap_id, now=world.times.now())
        return str(found.state) if found else ""


def move_to(world, day: int, hour: int):
    """Move the clock to an hour of December, UTC."""
    world.times.product = world.times.machine = datetime(2026, 12, day, hour, tzinfo=UTC)


def say(world, person: int, text: str) -> list[str]:
    """A phone answers; without a page that asks the provider is looked at once a minute. What came back."""
    before = len(world.sms.texts(NUMBERS[person]))
    world.sms.reply(NUMBERS[person], text)
    world.times.pass_by(minutes=1)
    settle(world)
    return world.sms.texts(NUMBERS[person])[before:]
