"""Bad days of a mailbox, from a real Dovecot to the ticket: each mail becomes one, and the mailbox stays as it was."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.integrations.mail_transport import MailServers
from portal.models import MailboxRow, MailLedger, Ticket
from portal.services import mail_fetch
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from portal.services.mail_reconcile import check_mailboxes
from portal.services.mailboxes import Server, save_mailbox
from tests.dovecot import Dovecot, running_dovecot
from tests.mails import mail_bytes
from tests.proxy import cut_proxy
from tests.services.mail_world import FORM, make_mail_world
from tests.services.runtime_world import by_alice

NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)  # past: Dovecot takes no date that has not come yet
NO_SMTP = Server("", 0, "tls")


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


class House:
    """A shop that reads `user` at the server, perhaps through a proxy."""

    def __init__(self, folder, server: Dovecot, user: str) -> None:
        self.server, self.user = server, user
        server.create_user(user, "secret")
        self.world = make_mail_world(folder)
        self.world.clock.product = NIGHT - timedelta(minutes=5)
        self.servers = self.world.mail = MailServers()

    def read(self, *, port: int = 0, folders=("INBOX",)) -> None:
        imap = Server("127.0.0.1", port or self.server.port, "plain", self.user, "secret")
        form = replace(FORM, imap=imap, smtp=NO_SMTP, folders=folders)
        with self.world.database.unit_of_work() as uow:
            save_mailbox(uow, form, box=self.world.box, change=by_alice(self.world))
        self.poll()

    def deliver(self, raw: bytes, *, folder: str = "INBOX") -> None:
        self.server.append(self.user, "secret", raw, at=NIGHT, folder=folder)

    def poll(self, *, times: int = 1) -> None:
        for _ in range(times):
            self.world.clock.move(60)
            while fetch_next(self.world):
                continue
            while take_next(self.world, pause=lambda seconds: None):
                continue

    def every(self, model):
        with self.world.database.read_session() as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def verdicts(self) -> list[str]:
        return [row.verdict for row in self.every(MailLedger)]

    def flags(self) -> bytes:
        client = self.server.connect(self.user, "secret")
        client.select("INBOX", readonly=True)
        found = b" ".join(client.fetch("1:*", "(FLAGS)")[1])
        client.logout()
        return found


@pytest.fixture
def house(tmp_path, dovecot, request) -> Iterator[House]:
    house = House(tmp_path, dovecot, re.sub(r"\W", "", request.node.name)[:60])
    yield house
    house.servers.close()
    house.world.database.dispose()


def through(alias: str) -> bytes:
    """The same mail as it arrives for one of our addresses: only the traces differ."""
    trace = f"Delivered-To: {alias}\r\nReceived: from mx by shop for <{alias}>; Thu, 25 Dec 2025 02:09:00 +0000\r\n"
    return trace.encode() + mail_bytes()


def test_the_same_mail_through_two_aliases_is_one_ticket(house):
    house.read()
    house.deliver(through("help@shop.example"))
    house.deliver(through("support@shop.example"))
    house.poll()
    assert house.verdicts() == ["ticket", "duplicate"] and len(house.every(Ticket)) == 1


def test_the_same_mail_twice_in_one_poll_is_one_ticket_and_two_rows(house):
    house.read()
    for _ in range(2):
        house.deliver(mail_bytes())
    house.poll()
    assert house.verdicts() == ["ticket", "duplicate"] and len(house.every(Ticket)) == 1


def test_a_mail_of_25_mb_is_a_ticket(house):
    house.read()
    house.deliver(mail_bytes("All of it.\r\n" + ("x" * 70 + "\r\n") * 350_000))
    house.poll()
    (ticket,) = house.every(Ticket)
    assert house.verdicts() == ["ticket"] and ticket.subject == "Printer on fire"


def test_a_mail_over_the_limit_is_a_ticket_by_its_header_and_stays_in_the_mailbox(house, monkeypatch):
    monkeypatch.setattr(mail_fetch, "MAX_MAIL_BYTES", 1_000_000)
    house.read()
    house.deliver(mail_bytes("x" * 2_000_000))
    house.poll()
    (row,) = house.every(MailLedger)
    assert (row.verdict, row.is_cut) == ("ticket", True) and "still in the mailbox" in row.reason


def test_a_line_that_breaks_in_the_middle_of_every_fetch_brings_each_mail_once(house):
    with cut_proxy(house.server.port) as proxy:
        house.read(port=proxy.port)
        for number in range(5):
            house.deliver(mail_bytes("x" * 20_000, message_id=f"<{number}@customer.example>"))
        proxy.cut_after(30_000, times=1000)
        house.poll(times=12)
    assert house.verdicts() == ["ticket"] * 5 and len(house.every(Ticket)) == 5


def test_a_server_restarted_between_reads_is_read_on(house):
    house.read()
    for number in range(4):
        house.deliver(mail_bytes(message_id=f"<{number}@customer.example>"))
        house.server.cut_connections()
        house.poll()
    assert house.verdicts() == ["ticket"] * 4
    assert house.every(MailboxRow)[0].last_error == ""


def test_a_folder_made_anew_is_read_anew_and_doubles_nothing(house):
    client = house.server.connect(house.user, "secret")
    client.create("Desk")
    house.read(folders=("Desk",))
    mails = [
        mail_bytes(message_id="<1@customer.example>"),
        b"From: monitor@customer.example\r\nSubject: Disk full\r\n\r\nC: is full.\r\n",  # neither id nor date
    ]
    for mail in mails:
        house.deliver(mail, folder="Desk")
    house.poll()
    before = [row.provider_id for row in house.every(MailLedger)]
    client.delete("Desk")
    _create_with_another_uidvalidity(client, before[0].split(":")[0])
    for mail in (*mails, mail_bytes(message_id="<new@customer.example>")):
        house.deliver(mail, folder="Desk")
    client.logout()
    house.poll(times=2)
    assert house.verdicts() == ["ticket"] * 3 and len(house.every(Ticket)) == 3
    assert check_mailboxes(house.world, days=30)[0].missing == 0 and len(house.every(MailLedger)) == 3


def _create_with_another_uidvalidity(client, old: str) -> None:
    """Dovecot takes the second for it: made twice within one it would be the same."""
    for _ in range(200):
        client.create("Desk")
        if old not in str(client.status("Desk", "(UIDVALIDITY)")[1]):
            return
        client.delete("Desk")
    raise AssertionError("always the same UIDVALIDITY")


def test_a_folder_that_disappears_is_shown_and_comes_back_by_itself(house):
    client = house.server.connect(house.user, "secret")
    client.create("Desk")
    house.read(folders=("INBOX", "Desk"))
    client.rename("Desk", "Away")
    house.deliver(mail_bytes(message_id="<1@customer.example>"))
    house.poll()
    assert "folder Desk cannot be opened" in house.every(MailboxRow)[0].last_error and house.verdicts() == ["ticket"]
    client.rename("Away", "Desk")
    client.logout()
    house.deliver(mail_bytes(message_id="<2@customer.example>"), folder="Desk")
    house.poll()
    assert house.every(MailboxRow)[0].last_error == "" and house.verdicts() == ["ticket", "ticket"]


def test_nothing_in_the_mailbox_is_marked_moved_or_deleted(house):
    house.read()
    for number in range(3):
        house.deliver(mail_bytes(message_id=f"<{number}@customer.example>"))
    before = house.flags()
    house.poll()
    check_mailboxes(house.world, days=2)
    assert house.flags() == before and b"\\Seen" not in before and before.count(b"UID") == 0
