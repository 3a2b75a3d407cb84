"""kill -9 of real processes at random moments: all of them, or any one of those that `run_production.py`, `portal mail
import` and `portal mail listen` start. Each mail makes its one ticket, with one confirmation and one page.

Nothing here knows where the program is: the moments come from a seeded die. NIGHTDESK_TEST_MAILS and
NIGHTDESK_TEST_DEATHS make the runs longer, NIGHTDESK_TEST_SEED other ones.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from portal.models import MailLedger, OutgoingMail, Page
from tests.chaos.post import Letter, write_post
from tests.chaos.test_taking_in import check_ledger, check_tickets
from tests.runtime.running import eventually
from tests.stories.conftest import dovecot, open_shop  # noqa: F401 - fixtures; a mailbox in which nothing lies yet
from tests.stories.shop import CHRISTMAS_NIGHT, Shop

ROOT = Path(__file__).resolve().parents[2]
MAILS = int(os.environ.get("NIGHTDESK_TEST_MAILS", "60"))
DEATHS = int(os.environ.get("NIGHTDESK_TEST_DEATHS", "8"))
SEED = int(os.environ.get("NIGHTDESK_TEST_SEED", "5"))
# Of machine time: a mail that was being sent is somebody's for three minutes, a mailbox for one.
LEASES = 400.0


class Prey:
    """A command that is started again whenever it died. `log` holds everything it says."""

    def __init__(self, shop: Shop, *argv: str) -> None:
        self.argv = [sys.executable, *argv]
        self.env = {**os.environ, **shop.environ, "PYTHONUNBUFFERED": "1"}
        self.log = shop.data_dir.parent / "prey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths: Counter[str] = Counter()

    def start(self) -> None:
        """Again, if it does not run."""
        if self.process is None or self.process.poll() is not None:
            with self.log.open("ab") as out:
                self.process = subprocess.Popen(self.argv, cwd=ROOT, env=self.env, stdout=out, stderr=out)

    def kill_all(self) -> None:
        """The whole group at once, as when the power fails."""
        everybody = self._everybody()
        for one in everybody:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._bury(everybody)
        self.deaths["all"] += 1

    def kill_one(self, dice: random.Random) -> None:
        """Any one of them."""
        everybody = self._everybody()
        if everybody:
            victim = dice.choice(everybody)
            with suppress(psutil.NoSuchProcess):
                words = " ".join(victim.cmdline()[1:])
                victim.kill()
                self.deaths[words.replace(str(self.log.parent), "")[-60:] or "?"] += 1
            self._bury([victim])

    def end(self) -> None:
        """As Ctrl-C does."""
        if self.process is not None and self.process.poll() is None:
            everybody = self._everybody()
            self.process.terminate()
            psutil.wait_procs(everybody, timeout=30)
        if self.process is not None:
            self.process.wait(30)

    def _everybody(self) -> list[psutil.Process]:
        if self.process is None or self.process.poll() is not None:
            return []
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]

    def _bury(self, killed: Sequence[psutil.Process]) -> None:
        psutil.wait_procs(killed, timeout=20)
        if self.process is not None and self.process.pid in {one.pid for one in killed}:
            self.process.wait(20)


def hunt(prey: Prey, dice: random.Random, *, longest: float, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Kill so many times, at random moments, and start what died again at once."""
    for _ in range(DEATHS):
        prey.start()
        meanwhile()
        time.sleep(dice.uniform(0.0, longest))
        if dice.random() < 0.5:
            prey.kill_all()
        else:
            prey.kill_one(dice)
    prey.start()


def waves(letters: Sequence[Letter]) -> list[Sequence[Letter]]:
    """As many as there are deaths."""
    size = -(-len(letters) // DEATHS)
    return [letters[start : start + size] for start in range(0, len(letters), size)]


def wait_for_verdicts(shop: Shop, prey: Prey, rows: int) -> None:
    """So many mails were listed and taken in. A process that was killed as it began has nobody else to start it."""

    def is_done() -> bool:
        prey.start()
        return [row.state for row in shop.ledger()].count("done") == rows

    eventually(is_done, seconds=LEASES, what=f"{rows} verdicts")


def check_sent(shop: Shop, sink) -> int:
    """One confirmation each, under one Message-ID; at most one page a ticket, no text twice. How many mails came again
    under the same id, which recipients drop."""
    rows = shop.rows(OutgoingMail)
    assert {row.state for row in rows} <= {"sent"}, Counter((row.state, row.last_error) for row in rows)
    ids = Counter(mail.message["Message-ID"] for mail in sink.mails)
    assert set(ids) == {row.message_id for row in rows} and len(ids) == len(rows)
    pages = Counter(page.ticket_id for page in shop.rows(Page) if page.ticket_id)
    assert set(pages.values()) <= {1}
    texts = Counter((text.to, text.text) for text in shop.phones.list_texts())
    assert set(texts.values()) <= {1}, [text for text, count in texts.items() if count > 1]
    return ids.total() - len(ids)


def deliver(shop: Shop, dovecot, letters: Sequence[Letter]) -> None:  # noqa: F811
    for letter in letters:
        dovecot.append("help", "secret", letter.raw, at=shop.context.clock.now() - timedelta(seconds=1))


def tell(capsys, what: str, prey: Prey, began: float) -> None:
    with capsys.disabled():
        print(f"\n{what}, {prey.deaths.total()} deaths {dict(prey.deaths)} in {time.monotonic() - began:.0f} s")


@pytest.mark.more
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("command", [("run_production.py",), ("-m", "portal.cli", "mail", "listen")])
def test_mail_in_a_mailbox_outlives_whatever_is_killed(open_shop, dovecot, sink, capsys, command):  # noqa: F811
    dice, began = random.Random(SEED), time.monotonic()
    shop: Shop = open_shop(at=CHRISTMAS_NIGHT - timedelta(minutes=5))
    shop.add_mailbox(dovecot, sink)
    prey = Prey(shop, *command)
    prey.start()
    shop.wait_for_first_read()
    shop.set_clock(CHRISTMAS_NIGHT)
    letters = write_post(MAILS)
    left = iter(waves(letters))
    try:
        hunt(prey, dice, longest=6.0, meanwhile=lambda: deliver(shop, dovecot, next(left, ())))
        wait_for_verdicts(shop, prey, len(letters))
        if command != ("run_production.py",):  # it takes in; triage and sending are the work of the others
            prey.end()
            prey.argv = [sys.executable, "run_production.py"]
            prey.start()
        shop.wait_until_quiet(seconds=LEASES)
    finally:
        prey.end()
    check_tickets(shop, letters, check_ledger(shop, letters))
    doubles = check_sent(shop, sink)
    tell(
        capsys,
        f"{' '.join(command)}: {len(letters)} mails, {len(shop.tickets())} tickets, {doubles} resent",
        prey,
        began,
    )


@pytest.mark.more
@pytest.mark.timeout(1800)
def test_an_import_outlives_whatever_is_killed(open_shop, dovecot, sink, capsys):  # noqa: F811
    dice, began = random.Random(SEED), time.monotonic()
    shop: Shop = open_shop(at=CHRISTMAS_NIGHT)
    folder = shop.data_dir.parent / "old mail"
    folder.mkdir()
    letters = [letter for letter in write_post(MAILS) if letter.verdict != "duplicate"]
    for letter in letters:
        (folder / f"{letter.number:05}.eml").write_bytes(letter.raw)
    prey = Prey(shop, "-m", "portal.cli", "mail", "import", str(folder))
    hunt(prey, dice, longest=3.0)
    assert prey.process is not None and prey.process.wait(LEASES) == 0, prey.log.read_text()[-2000:]
    assert f"{len(letters)} mails: " in prey.log.read_text()
    rows = shop.rows(MailLedger)
    assert Counter(row.verdict for row in rows) == Counter(letter.verdict for letter in letters)
    assert len(shop.tickets()) == Counter(letter.verdict for letter in letters)["ticket"]
    shop.start()
    shop.wait_until_quiet(seconds=LEASES)
    assert not sink.mails and not shop.pages() and not shop.phones.list_texts()
    tell(capsys, f"mail import: {len(letters)} mails, {len(shop.tickets())} tickets", prey, began)
