"""A mailbox at a server that has every bad day there is, in any order: each mail is one row, and the mailbox untouched.

A walk is a list of moves drawn by a seeded die. In the end the server is well again, and the mailbox is compared once.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from portal.models import MailFolder, MailLedger
from tests.integrations.imap.scripted import ScriptedImap, scripted_imap
from tests.integrations.imap_house import House

MOVES = 60
HARMLESS = re.compile(
    r"(CAPABILITY|LOGIN .*|LOGOUT|EXAMINE .*|UID SEARCH .*"
    r"|UID FETCH [\d,]+ \(UID (RFC822\.SIZE )?(INTERNALDATE|BODY\.PEEK\[(HEADER)?\])\))"
)
ANSWERS = (
    b"$TAG NO [SERVERBUG] not now\r\n",
    b"$TAG BAD what\r\n",
    b"* BYE shutting down\r\n",
    b"$TAG OK done\r\n",
    b"\x00\xff garbage\r\n* BYE\r\n",
    b"* 1 FETCH (UID 1 BODY[] {500}\r\nonly the beginning",
)


class Walk:
    """The shop, its server, and what may happen to both."""

    def __init__(self, folder: Path, server: ScriptedImap, seed: int) -> None:
        self.dice = random.Random(seed)
        self.server = server
        self.house = House(folder, server)
        self.house.world.clock.move(3 * 86400)
        self.count = 0

    def play(self) -> None:
        moves = (
            (self.deliver, 30), (self.poll, 30), (self.expunge, 6), (self.break_once, 18), (self.hang_up, 6),
            (self.hold_back, 6), (self.heal, 10), (self.renumber, 4), (self.put_back, 4), (self.move_away, 2),
            (self.forget, 4), (self.jump, 3), (self.compare, 5), (self.lose_folder, 2), (self.hide_uidnext, 3),
            (self.wait, 6),
        )  # fmt: skip
        for move in self.dice.choices(*zip(*moves, strict=True), k=MOVES):
            move()
        self.heal()
        self.wait()
        for _ in range(3):  # a folder that was made anew again and again is paused with
            self.poll()
        check = self.house.compare(days=30)
        assert (check.error, check.stuck) == ("", 0)

    # Moves

    def deliver(self) -> None:
        for _ in range(self.dice.randint(1, 4)):
            self.count += 1
            age = timedelta(hours=self.dice.choice([0, 0, 0, 1, 20, 60]))
            at = (self.house.world.clock.now() - age).replace(microsecond=0)
            self.house.deliver(str(self.count), at=at)

    def poll(self) -> None:
        self.house.poll()

    def wait(self) -> None:
        self.house.world.clock.move(3700)

    def compare(self) -> None:
        self.house.compare()

    def expunge(self) -> None:
        if self.server.mails:
            self.server.uidnext = self.server.next_uid()
            del self.server.mails[self.dice.choice(list(self.server.mails))]

    def break_once(self) -> None:
        """Some command to come is not answered as it should be; or a mail goes before it."""
        left, answer = self.dice.randint(0, 5), self.dice.choice((*ANSWERS, None, "expunge", "unasked"))

        def fault(command: str) -> bytes | None:
            nonlocal left
            left -= 1
            if left != -1:
                return None
            if answer is None:
                raise OSError
            if answer == "expunge":
                self.expunge()
            if not isinstance(answer, bytes):
                return None
            return answer

        self.server.answer = fault

    def hang_up(self) -> None:
        self.server.hang_up_after = {self.dice.choice(["LOGIN", "EXAMINE", "SEARCH", "FETCH"])}

    def hold_back(self) -> None:
        kind = self.dice.choice(["poison", "refused", "headless", "sizeless", "dateless"])
        setattr(self.server, kind, {uid for uid in self.server.mails if self.dice.random() < 0.3})

    def heal(self) -> None:
        server = self.server
        server.answer, server.hang_up_after, server.folder = lambda command: None, set(), "INBOX"
        for kind in ("poison", "refused", "headless", "sizeless", "dateless"):
            setattr(server, kind, set())

    def hide_uidnext(self) -> None:
        self.server.says_uidnext = not self.server.says_uidnext

    def lose_folder(self) -> None:
        self.server.folder = "Away"

    def renumber(self) -> None:
        """Made anew, with the same mails or without some."""
        kept = [uid for uid in sorted(self.server.mails) if self.dice.random() < 0.9]
        self._put([(self.server.mails[uid], self.server.dates[uid]) for uid in kept])
        self.server.uidvalidity += self.dice.choice([1, 1, -1])

    def put_back(self) -> None:
        """From a backup that is a little old: the last mails are lost, their numbers free again."""
        uids = sorted(self.server.mails)
        lost = uids[len(uids) - self.dice.randint(0, min(3, len(uids))) :]
        for uid in lost:
            del self.server.mails[uid]
        self.server.uidnext = min(lost, default=self.server.next_uid())

    def move_away(self) -> None:
        """Another server with the same mails, in another order, perhaps with the same UIDVALIDITY."""
        mails = [(raw, self.server.dates[uid]) for uid, raw in self.server.mails.items()]
        self.dice.shuffle(mails)
        self._put(mails)
        self.house.save(imap=self.house.at(self.server, f"help{self.dice.random()}"))

    def _put(self, mails: list) -> None:
        self.server.uidnext = 0
        self.server.mails = {uid: raw for uid, (raw, _) in enumerate(mails, start=1)}
        self.server.dates = {uid: at for uid, (_, at) in enumerate(mails, start=1)}

    def forget(self) -> None:
        """As if reading had passed over it."""
        with self.house.world.database.unit_of_work() as uow:
            ids = list(uow.session.scalars(select(MailLedger.id)))
            uow.session.execute(delete(MailLedger).where(MailLedger.id.in_([one for one in ids if one % 5 == 0])))

    def jump(self) -> None:
        """The position goes too far."""
        with self.house.world.database.unit_of_work() as uow:
            place = uow.session.scalars(select(MailFolder)).one()
            uidvalidity, _, uid = place.cursor.partition(":")
            if uid and int(uidvalidity) == self.server.uidvalidity:
                place.cursor = f"{uidvalidity}:{self.server.next_uid() - 1}"

    # What must hold

    def check(self) -> None:
        rows = Counter(self.house.taken() + self.house.taken(verdict="ignored"))
        lying = {raw.partition(b"\r\n\r\n")[2].decode().strip() for raw in self.server.mails.values()}
        assert not lying - set(rows), "lost"
        assert not [name for name, n in rows.items() if n > 1], "doubled"
        odd = [command for command in self.server.commands if not HARMLESS.fullmatch(command)]
        assert not odd, "the mailbox was touched"


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.more) for seed in range(2, 40))])
def test_every_mail_is_one_row_whatever_its_server_does(tmp_path, seed):
    with scripted_imap() as server:
        walk = Walk(tmp_path, server, seed)
        try:
            walk.play()
            walk.check()
        finally:
            walk.house.world.mail.close()
            walk.house.world.database.dispose()
