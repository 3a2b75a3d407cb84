"""What happens in a run of the driver: mails arrive in waves, or wait to be sent, while the workers are killed."""

from __future__ import annotations

import imaplib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from portal.services.mail_reconcile import ask_reconcile
from tests.chaos.driver import BoardClock, Driver, open_context
from tests.chaos.post import Letter, write_post

PASSWORD = "secret"
SETTLING_ROUNDS = 3


def take_in(driver: Driver, *, port: int, user: str, maildir: str, tickets: int, wave: int) -> None:
    """The first connection to an empty mailbox, then wave after wave of mail. Before each third wave the mailbox is
    compared with the ledger, before each seventh the server numbers its messages anew."""
    letters = write_post(tickets)
    driver.drain()
    driver.board.move(10)  # what comes in the second of the first connection counts as old mail
    for number, start in enumerate(range(0, len(letters), wave)):
        if number % 7 == 5:
            _renumber(Path(maildir))
        if number % 3 == 2:
            _ask_reconcile(driver)
        _deliver(port, user, letters[start : start + wave], at=BoardClock(driver.board).now())
        driver.board.move(30)  # the mailbox is due again
        driver.drain()
    settle(driver)


def send(driver: Driver) -> None:
    """What waits in the outbox."""
    driver.drain()
    settle(driver)


def settle(driver: Driver) -> None:
    """Nobody is killed any more; leases end and what failed is due again."""
    for _ in range(SETTLING_ROUNDS):
        driver.board.move(400)
        driver.drain(armed=False)


def _ask_reconcile(driver: Driver) -> None:
    context = open_context(driver.folder, driver.spec, driver.board)
    with context.database.unit_of_work() as uow:
        ask_reconcile(uow, now=context.clock.now())
    context.database.dispose()  # nothing stays connected when the next child is forked


def _renumber(maildir: Path) -> None:
    """What Dovecot does when it lost its index: another UIDVALIDITY, every message with another uid."""
    for file in (maildir / "dovecot-uidlist", *maildir.glob("dovecot.index*")):
        file.unlink(missing_ok=True)


def _deliver(port: int, user: str, letters: Sequence[Letter], *, at: datetime) -> None:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=10)
    client.login(user, PASSWORD)
    for letter in letters:
        status, data = client.append("INBOX", "", at.strftime('"%d-%b-%Y %H:%M:%S %z"'), letter.raw)
        assert status == "OK", data
    client.logout()
