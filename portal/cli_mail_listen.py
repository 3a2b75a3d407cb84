"""`portal mail listen` and `portal mail check`: the mailboxes from the command line, with exit codes one can trust."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

import click
import structlog

from portal.config import load_config
from portal.core.work import MAX_OUTSIDE_LANES
from portal.models import DatabaseBusyError
from portal.services.context import Context
from portal.services.mail_fetch import MailboxRead, read_next
from portal.services.mail_intake import take_next
from portal.services.mail_reconcile import check_mailboxes
from portal.services.mailboxes import ask_read
from portal.services.settings import load_settings
from portal.wiring import build

NOTHING_TO_READ = 2
_LOOK_SECONDS = 0.5
_STOP_SECONDS = 5.0

log = structlog.get_logger(__name__)


@click.command("check")
@click.option("--days", type=click.IntRange(1, 365), default=2, show_default=True, help="How far to look back.")
def check(days: int) -> None:
    """Hold every mailbox against the ledger and take in what was missed.

    Ends with 1 when a mailbox could not be compared, or holds a message that cannot be fetched.
    """
    context = build(load_config())
    checks = check_mailboxes(context, days=days)
    context.mail.close()
    for one in checks:
        click.echo(f"{one.name}: {one.words}")
    if any(one.error or one.stuck for one in checks):
        sys.exit(1)


@click.command("listen")
@click.option("--once", is_flag=True, help="Read each mailbox to its end once, then stop.")
def listen(once: bool) -> None:
    """Read the mailboxes in the foreground until Ctrl-C: a line for each read. May run beside the program.

    Ends with 0, or with 1 when the last read of some mailbox failed, or with 2 when there is none to read.
    """
    context = build(load_config())
    with context.database.unit_of_work() as uow:
        count = ask_read(uow, now=context.clock.now())
    if not count:
        click.echo("No mailbox is set up to be read.", err=True)
        sys.exit(NOTHING_TO_READ)
    sys.exit(1 if Listener(context, click.echo).run(lanes=min(count, MAX_OUTSIDE_LANES), once=once) else 0)


class Listener:
    """Reads with a thread for each mailbox, so that a slow one holds up no other."""

    def __init__(self, context: Context, say: Callable[[str], None]) -> None:
        self._context = context
        self._say = say
        self._stopping = threading.Event()
        self._failed: set[str] = set()

    def run(self, *, lanes: int, once: bool = False) -> set[str]:
        """Until Ctrl-C. Returns the names of the mailboxes whose last read failed."""
        threads = [threading.Thread(target=self._read, args=(once,), daemon=True) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                self._take()
                time.sleep(_LOOK_SECONDS / 10 if once else _LOOK_SECONDS)
        except KeyboardInterrupt:
            self._stopping.set()
            self._say("Stopping.")
        self._stopping.set()
        if not once:
            self._context.mail.close()
        self._join(threads)
        self._context.mail.close()
        self._take()
        return self._failed

    def stop(self) -> None:
        """End it as Ctrl-C does, from another thread."""
        self._stopping.set()

    def _join(self, threads: list[threading.Thread]) -> None:
        give_up = time.monotonic() + _STOP_SECONDS
        for thread in threads:
            thread.join(max(0.0, give_up - time.monotonic()))

    def _read(self, once: bool) -> None:
        while not self._stopping.is_set():
            try:
                read = read_next(self._context)
            except DatabaseBusyError:
                log.warning("the database is busy; trying again")
                read = None
            if read is not None:
                self._note(read)
            elif once:
                return
            else:
                self._stopping.wait(_LOOK_SECONDS)

    def _take(self) -> None:
        """Tickets from what was read. Where the program runs too, it takes its share."""
        while take_next(self._context):
            continue

    def _note(self, read: MailboxRead) -> None:
        (self._failed.add if read.error else self._failed.discard)(read.name)
        new = f"{read.new} new" if read.new else "nothing new"
        what = {"check": "tested", "reconcile": f"compared, {read.new} had been missed"}.get(read.task, new)
        with self._context.database.read_session() as session:
            zone = load_settings(session).zone
        at = self._context.clock.now().astimezone(zone)
        self._say(f"{at:%H:%M:%S}  {read.name}: {read.error or what}")
