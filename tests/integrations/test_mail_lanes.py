"""Mailboxes beside each other on the real lanes of a worker: a broken or slow one holds up no other."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from portal.core.work import OUTSIDE
from portal.integrations.mail_transport import MailServers
from portal.jobs.shop import Shop
from portal.models import MailboxRow, Ticket
from portal.runtime.lanes import Lanes
from portal.services.mail_reconcile import ask_reconcile
from portal.services.mailboxes import Server, ask_check
from tests.dovecot import Dovecot, running_dovecot
from tests.integrations.imap.scripted import scripted_imap
from tests.mails import mail_bytes
from tests.services.mail_world import add_mailbox, load, make_mail_world
from tests.services.runtime_world import by_alice

NO_SMTP = Server("", 0, "tls")


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        server.create_user("good", "secret")
        yield server


class _Queue:
    """Polled mode: lanes look for themselves."""

    def wake(self, kind: str) -> None:
        return

    def is_empty(self, kind: str) -> bool:
        return True


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.clock.product = world.clock.machine = datetime.now(UTC)
    world.queue = _Queue()
    yield world
    world.database.dispose()


def wait_for(is_true, *, seconds=20.0) -> None:
    give_up = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < give_up, "it did not happen"
        threading.Event().wait(0.02)


def tickets(world) -> int:
    with world.database.read_session() as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


def read_now(world, mailbox_id) -> None:
    with world.database.unit_of_work() as uow:
        uow.session.get_one(MailboxRow, mailbox_id).next_at = world.clock.now()


def test_a_server_that_says_nothing_delays_neither_reading_nor_testing_nor_comparing_of_another(world, dovecot):
    with socket.create_server(("127.0.0.1", 0)) as silent, scripted_imap() as broken:
        broken.hang_up_after = {"LOGIN"}
        ids = [
            add_mailbox(world, name=name, imap=Server("127.0.0.1", port, "plain", "good", "secret"), smtp=NO_SMTP)
            for name, port in (("Hanging", silent.getsockname()[1]), ("Broken", broken.port), ("Good", dovecot.port))
        ]
        world.mail = MailServers()
        stopping = threading.Event()
        shop = Shop(world, stopping)
        lanes = Lanes(OUTSIDE, drain=shop.drain, listen=None, stopping=stopping)
        try:
            lanes.ensure(accounts=shop.count_accounts())
            wait_for(lambda: load(world, ids[2]).last_ok_at is not None)
            dovecot.append("good", "secret", mail_bytes(), at=datetime.now(UTC))
            read_now(world, ids[2])
            wait_for(lambda: tickets(world) == 1)
            with world.database.unit_of_work() as uow:
                ask_reconcile(uow, now=world.clock.now())
                ask_check(uow, ids[2], change=by_alice(world))
            wait_for(lambda: load(world, ids[2]).check_ok and "compared" in load(world, ids[2]).reconcile_result)
            hanging = load(world, ids[0])
            assert hanging.lease_until is not None and hanging.last_error == "", "it still hangs"
            assert "broke off" in load(world, ids[1]).last_error
        finally:
            stopping.set()
            world.mail.close()
            assert lanes.join(10)
