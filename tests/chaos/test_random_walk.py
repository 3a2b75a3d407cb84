"""Two takers, a fetcher that repeats itself, a server that numbers anew, reconcile: one ticket a mail, whatever order.

A walk is a list of moves drawn by a seeded die, played in one thread: what two workers could interleave between their
transactions is interleaved by hand, with a taker that stops before its commit and is overtaken.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.errors import GatewayError
from portal.models import DatabaseBusyError, MailboxRow, MailFolder, MailLedger, Message, Ticket
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import count_unexplained, take_next
from portal.services.mail_reconcile import ask_reconcile
from portal.services.tickets import recount
from tests.chaos.post import Letter, write_post
from tests.services.mail_world import add_mailbox, make_mail_world

MOVES = 120
WALKS = int(os.environ.get("NIGHTDESK_TEST_WALKS", "30"))


class Walk:
    """A fake mailbox into which the post comes bit by bit, and everything that may happen meanwhile."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = make_mail_world(folder)
        self.mailbox_id = add_mailbox(self.world)
        self.server = self.world.mail.mailboxes["imap.shop.example"]
        self.letters: list[Letter] = []
        self._post = iter(write_post(40, seed=seed))
        self.fetch()
        self.world.clock.move(20)

    def play(self) -> None:
        """So many moves, then everything until nothing is left."""
        moves: tuple[tuple[Callable[[], None], int], ...] = (
            (self.deliver, 30), (self.fetch, 25), (self.take, 25), (self.take_overtaken, 12), (self.take_broken, 5),
            (self.repeat, 8), (self.forget, 4), (self.renumber, 4), (self.reconcile, 8), (self.break_off, 8),
            (self.lose_lease, 5), (self.wait, 15),
        )  # fmt: skip
        for move in self.dice.choices(*zip(*moves, strict=True), k=MOVES):
            move()
        for _ in range(4):
            self.world.clock.move(3600)
            self.reconcile()
            self.fetch()
            self.take()

    # Moves

    def deliver(self) -> None:
        """A few mails arrive."""
        for _ in range(self.dice.randint(1, 4)):
            letter = next(self._post, None)
            if letter is not None:
                self.letters.append(letter)
                self.server.deliver(letter.raw, at=self.world.clock.now())

    def fetch(self) -> None:
        while fetch_next(self.world):
            continue

    def take(self) -> None:
        while take_next(self.world, pause=lambda seconds: None):
            continue

    def take_overtaken(self) -> None:
        """A taker has read a mail; before it writes, another takes that one and more. The first finds it done."""
        others = self.dice.randint(1, 3)
        real = self.world.database.unit_of_work

        def slow() -> Any:
            self.world.database.unit_of_work = real
            for _ in range(others):
                take_next(self.world, pause=lambda seconds: None)
            return real()

        self.world.database.unit_of_work = slow
        try:
            take_next(self.world, pause=lambda seconds: None)
        finally:
            self.world.database.unit_of_work = real

    def take_broken(self) -> None:
        """The database refuses the commit of a verdict."""
        real = self.world.database.unit_of_work

        def refuse() -> Any:
            raise DatabaseBusyError("busy")

        self.world.database.unit_of_work = refuse
        with suppress(DatabaseBusyError):
            take_next(self.world)
        self.world.database.unit_of_work = real

    def repeat(self) -> None:
        """The cursor is from before: a backup was put back, or a batch is handed out twice."""
        with self.world.database.unit_of_work() as uow:
            place = uow.session.scalars(select(MailFolder)).one()
            number, _, last = place.cursor.partition(":")
            place.cursor = f"{number}:{self.dice.randint(0, int(last or 0))}"
        self._make_due()

    def forget(self) -> None:
        """The cursor has run ahead of what was stored: only comparing finds what was passed."""
        with self.world.database.unit_of_work() as uow:
            place = uow.session.scalars(select(MailFolder)).one()
            place.cursor = f"{place.cursor.partition(':')[0]}:{len(self.server.mails)}"

    def renumber(self) -> None:
        self.server.renumber()
        self._make_due()

    def reconcile(self) -> None:
        with self.world.database.unit_of_work() as uow:
            ask_reconcile(uow, now=self.world.clock.now())

    def break_off(self) -> None:
        """The server breaks off at the next question; it is asked again when time has passed."""
        self.server.fail_next(GatewayError("The mail server broke off."))

    def lose_lease(self) -> None:
        """Another worker died with the mailbox in hand."""
        with self.world.database.unit_of_work() as uow:
            row = uow.session.get_one(MailboxRow, self.mailbox_id)
            row.lease_owner, row.lease_until = "somebody", self.world.clock.lease_now()

    def wait(self) -> None:
        self.world.clock.move(self.dice.choice((1, 20, 70, 400)))

    def _make_due(self) -> None:
        with self.world.database.unit_of_work() as uow:
            uow.session.get_one(MailboxRow, self.mailbox_id).next_at = self.world.clock.now()

    # What must hold

    def check(self) -> None:
        """One ticket a mail that asks for one; each row one verdict; nothing waits, nothing is unexplained."""
        with self.world.database.read_session() as session:
            rows = list(session.scalars(select(MailLedger).order_by(MailLedger.id)))
            tickets = session.scalars(select(Ticket.id)).all()
            messages = session.scalars(select(Message.ledger_id)).all()
            unexplained = count_unexplained(session, now=self.world.clock.now())
            error = session.scalar(select(MailboxRow.last_error))
        assert (unexplained, error) == (0, "") and {row.state for row in rows} <= {"done"}
        wanted = Counter(letter.verdict for letter in self.letters)
        found = Counter(row.verdict for row in rows)
        assert len(tickets) == wanted["ticket"] == found["ticket"], (wanted, found)
        assert {verdict: found[verdict] for verdict in ("reply", "automatic")} == {
            verdict: wanted[verdict] for verdict in ("reply", "automatic")
        }
        assert found["duplicate"] >= wanted["duplicate"] and set(found) <= set(wanted) | {"duplicate"}
        assert max(Counter(messages).values(), default=1) == 1
        with self.world.database.unit_of_work() as uow:
            assert recount(uow) == 0
            keys = select(func.count()).select_from(MailLedger).group_by(MailLedger.provider_id, MailLedger.folder)
            assert set(uow.session.scalars(keys)) <= {1}


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=() if seed < 3 else pytest.mark.more) for seed in range(WALKS)]
)
def test_whatever_happens_in_which_order_each_mail_is_taken_in_once(tmp_path, seed):
    walk = Walk(tmp_path, seed)
    walk.play()
    walk.check()
