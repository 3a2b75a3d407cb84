"""The bad input that issue 3 names, all the way from the mailbox to the ticket."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.core.errors import GatewayError
from portal.integrations.mail_transport import MailServers
from portal.models import Attachment, MailLedger, Message, OutgoingMail, SessionBlobStore, Ticket
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import count_unexplained, take_next
from portal.services.mailboxes import Server
from portal.services.triage import triage_next
from tests.integrations.imap.scripted import ScriptedImap, scripted_imap
from tests.mails import mail_bytes, multipart, part
from tests.services.mail_world import NOW, add_mailbox, load, make_mail_world


@pytest.fixture
def world(tmp_path):
    """A mailbox that was read once, at a server that does as it is told."""
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    world.server = world.mail.mailboxes["imap.shop.example"]
    poll(world)
    return world


def poll(world):
    """The mailbox is read to the end, each mail gets its verdict and each ticket is sorted."""
    world.clock.move(20)
    for step in (fetch_next, take_next, triage_next):
        while step(world):
            continue


def receive(world, *raws):
    """These mails arrive and are taken in. Gives their ledger rows."""
    for raw in raws:
        world.server.deliver(raw, at=world.clock.now())
    poll(world)
    return every(world, MailLedger)[-len(raws) :]


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def confirmations(world):
    return [mail for mail in every(world, OutgoingMail) if mail.event == "confirmation"]


def original(world, sha256):
    with world.database.read_session() as session:
        return SessionBlobStore(session).get(sha256)


def check_all_explained(world):
    """Every mail has its verdict, and the mailbox its good health."""
    world.clock.move(3600)
    with world.database.read_session() as session:
        assert count_unexplained(session, now=world.clock.now()) == 0
    assert {row.state for row in every(world, MailLedger)} <= {"done"}


def attached(data: bytes, name: str, kind: str = "application/zip") -> bytes:
    body = base64.encodebytes(data).replace(b"\n", b"\r\n")
    headers = {"Content_Transfer_Encoding": "base64", "Content_Disposition": f'attachment; filename="{name}"'}
    return multipart([part("text/plain", b"see the file"), part(kind, body, **headers)])


def test_a_mail_of_25_megabytes_becomes_a_ticket_with_its_file_and_its_original(world):
    file = bytes(range(256)) * 71_000
    raw = attached(file, "plan.dwg", "application/octet-stream")
    assert len(raw) > 24_000_000
    (row,) = receive(world, raw)
    (kept,) = every(world, Attachment)
    assert row.verdict == "ticket" and original(world, row.sha256) == raw
    assert (kept.filename, kept.size) == ("plan.dwg", len(file)) and original(world, kept.sha256) == file


def test_a_zip_bomb_is_kept_as_the_file_it_is_and_never_opened(world):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bomb:
        for n in range(4):
            bomb.writestr(f"{n}.txt", b"\0" * 50_000_000)
    (row,) = receive(world, attached(packed.getvalue(), "invoice.zip"))
    (kept,) = every(world, Attachment)
    assert row.verdict == "ticket" and (kept.filename, kept.size) == ("invoice.zip", len(packed.getvalue()))


def test_a_mail_whose_html_is_nested_half_a_million_times_becomes_a_ticket(world):
    html = b"<div>" * 150_000 + b"it is broken" + b"<ul><li>" * 300_000
    (row,) = receive(world, multipart([part("text/html", html)]))
    (message,) = every(world, Message)
    assert row.verdict == "ticket" and message.body == "it is broken" and message.html.split() == ["it", "is", "broken"]


def test_a_mail_to_ten_thousand_recipients_is_one_ticket_and_answered_to_its_sender_alone(world):
    many = ",\r\n ".join(f"Person {n} <p{n}@everybody.example>" for n in range(10_000))
    (row,) = receive(world, mail_bytes("Who took my stapler?", extra={"Cc": many}))
    (mail,) = confirmations(world)
    assert row.verdict == "ticket" and mail.to == ["dana@customer.example"] and len(mail.cc) <= 50


def test_a_header_of_a_megabyte_becomes_a_ticket_with_its_body(world):
    rows = receive(
        world,
        mail_bytes("One long line.", message_id="<1@c>", extra={"X-Spam-Report": "x" * 1_000_000}),
        mail_bytes("One long subject.", message_id="<2@c>", subject="please " * 150_000),
        mail_bytes("Many references.", message_id="<3@c>", extra={"References": "<a@b.example>\r\n " * 70_000}),
    )
    assert [row.verdict for row in rows] == ["ticket"] * 3
    assert [message.body for message in every(world, Message)] == [
        "One long line.", "One long subject.", "Many references.",
    ]  # fmt: skip


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 +0000", "Mon, 01 Jan 2099 00:00:00 +0000"])
def test_a_date_of_1970_or_2099_changes_neither_order_nor_promises(world, date):
    at = world.clock.now()
    (row,) = receive(world, mail_bytes(date=date))
    (ticket,) = every(world, Ticket)
    assert row.verdict == "ticket" and row.received_at == ticket.received_at == at
    assert all(message.at == at for message in every(world, Message))


def test_a_server_whose_clock_is_in_2099_is_not_believed(world):
    world.server.deliver(mail_bytes(), at=NOW + timedelta(days=27_000))
    poll(world)
    (ticket,) = every(world, Ticket)
    assert ticket.received_at <= world.clock.now()


def test_a_message_that_arrives_twice_in_one_poll_is_one_ticket(world):
    first, second = receive(world, mail_bytes(), mail_bytes())
    assert (first.verdict, second.verdict) == ("ticket", "duplicate") and second.ticket_id == first.ticket_id
    assert len(every(world, Ticket)) == len(every(world, Message)) == len(confirmations(world)) == 1


def test_a_message_that_is_listed_twice_in_one_poll_is_one_row(world, monkeypatch):
    fetch = world.server.fetch

    def twice(*args, **options):
        batch = fetch(*args, **options)
        return type(batch)(batch.mails * 2, batch.cursor, batch.has_more, batch.was_reset)

    monkeypatch.setattr(world.server, "fetch", twice)
    receive(world, mail_bytes())
    assert len(every(world, MailLedger)) == len(every(world, Ticket)) == 1


def test_the_same_mail_through_two_aliases_is_one_ticket(world):
    copies = [
        mail_bytes(
            to="help@shop.example, support@shop.example",
            extra={"Delivered-To": alias, "Received": f"from mx by {alias}; Fri, 21 Nov 2025 10:00:0{n} +0100"},
        )
        for n, alias in enumerate(("help@shop.example", "support@shop.example"))
    ]
    first, second = receive(world, *copies)
    assert (first.verdict, second.verdict) == ("ticket", "duplicate") and len(every(world, Ticket)) == 1
    assert [original(world, row.sha256) for row in (first, second)] == copies


def test_a_mailbox_whose_folder_disappears_is_told_and_goes_on_when_it_is_back(world):
    other = add_mailbox(world, name="Sales", imap=Server("imap2.shop.example", 993, "tls", "sales", "secret"))
    world.server.deliver(mail_bytes("before"), at=world.clock.now())
    world.server.gone.add("INBOX")
    for _ in range(3):
        poll(world)
    assert "INBOX" in load(world, world.mailbox_id).last_error and load(world, other).last_error == ""
    assert load(world, world.mailbox_id).failing_since_at is not None
    world.server.gone.clear()
    world.clock.move(3600)
    poll(world)
    assert load(world, world.mailbox_id).last_error == "" and len(every(world, Ticket)) == 1
    check_all_explained(world)


def test_a_revoked_token_is_told_asked_rarely_and_costs_no_mail(world):
    words = "Microsoft refused the token: AADSTS50173 the grant was revoked. Please sign in again."
    world.server.deliver(mail_bytes(), at=world.clock.now())
    world.server.fail_next(GatewayError(words, permanent=True, code="login"))
    poll(world)
    row = load(world, world.mailbox_id)
    assert row.last_error == words and row.failing_since_at is not None and not every(world, MailLedger)
    assert row.next_at - world.clock.now() > timedelta(minutes=2)
    world.clock.move(3600)
    poll(world)
    assert load(world, world.mailbox_id).last_error == "" and len(every(world, Ticket)) == 1


@pytest.mark.sqlite
def test_a_full_disk_while_storing_the_original_costs_no_mail(world):
    raws = [mail_bytes("x" * 1_500_000, message_id=f"<{n}@c>") for n in range(4)]
    for raw in raws:
        world.server.deliver(raw, at=world.clock.now())
    limit_pages(world, extra=60)
    with pytest.raises(OperationalError, match="full"):
        poll(world)
    assert every(world, MailLedger) == []
    limit_pages(world, extra=1_000)  # space for two originals, and not for what is made of them
    for _ in range(3):
        world.clock.move(3600)
        with pytest.raises(OperationalError, match="full"):
            poll(world)
    limit_pages(world, extra=10**6)
    world.clock.move(3600)
    poll(world)
    assert [original(world, row.sha256) for row in every(world, MailLedger)] == raws
    assert len(every(world, Ticket)) == len(every(world, Message)) == 4
    check_all_explained(world)


def limit_pages(world, *, extra):
    """A full disk for one connection: the pool has a single one in this thread."""
    with world.database.writer.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + extra}")


@pytest.fixture
def moody() -> Iterator[ScriptedImap]:
    with scripted_imap() as server:
        yield server


@pytest.fixture
def moody_world(tmp_path, moody):
    """A mailbox at a server that hangs up, with seven mails in it."""
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world, imap=Server("127.0.0.1", moody.port, "plain", "help", "secret"))
    world.mail = MailServers()
    poll(world)
    moody.mails = {uid: mail_bytes(f"Mail {uid}", message_id=f"<{uid}@c>") for uid in range(1, 8)}
    yield world
    world.mail.close()


@pytest.mark.parametrize("commands", [{"SEARCH"}, {"FETCH"}, {"SEARCH", "FETCH"}])
def test_a_server_that_drops_the_connection_after_each_command_is_read_to_the_end(moody_world, moody, commands):
    moody.hang_up_after = commands
    for _ in range(20):  # each try may bring only a part
        poll(moody_world)
        moody_world.clock.move(3600)
    assert sorted(message.body for message in every(moody_world, Message)) == [f"Mail {uid}" for uid in range(1, 8)]
    assert load(moody_world, moody_world.mailbox_id).lease_until is None


def test_a_server_that_hangs_up_before_it_can_be_asked_is_told_and_read_when_it_is_well_again(moody_world, moody):
    moody.hang_up_after = {"EXAMINE"}
    poll(moody_world)
    assert "broke off" in load(moody_world, moody_world.mailbox_id).last_error
    moody.hang_up_after = set()
    moody_world.clock.move(3600)
    poll(moody_world)
    assert len(every(moody_world, Ticket)) == 7 and load(moody_world, moody_world.mailbox_id).last_error == ""
