from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.mail import parse_mail
from portal.core.mail_kinds import decide_kind
from portal.models import KnownMessageId, MailboxRow, MailLedger, Message, OutgoingMail, Ticket
from portal.services.mail_facts import TOKEN_PURPOSE, load_facts
from tests.mails import DELIVERY_REPORT, mail_bytes
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.paging_world import add_ticket
from tests.services.ticket_world import counted_statements


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    world.ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        uow.session.add(KnownMessageId(message_id="<known@c>", ticket_id=world.ticket_id))
    return world


def add_row(world, raw, **changes):
    mail = parse_mail(raw)
    with world.database.unit_of_work() as uow:
        number = len(list(uow.session.scalars(select(MailLedger.id))))
        values = {
            "state": "done",
            "verdict": "ticket",
            "message_id": mail.message_id,
            "content_hash": mail.content_hash,
        }
        row = MailLedger(
            mailbox_id=world.mailbox_id, folder="INBOX", provider_id=str(number), received_at=NOW, listed_at=NOW,
            ticket_id=world.ticket_id, **{**values, **changes},
        )  # fmt: skip
        uow.session.add(row)
        uow.session.flush()
        return row.id


def facts(world, raw, *, now=NOW):
    ledger_id = add_row(world, raw, state="stored", verdict="", message_id="", content_hash="")
    mail = parse_mail(raw)
    kind = decide_kind(mail, own_addresses=(), is_own_id=lambda one: False)
    with world.database.read_session() as session:
        row = session.get_one(MailLedger, ledger_id)
        mac = lambda message: world.box.mac(TOKEN_PURPOSE, message)  # noqa: E731
        with counted_statements(session) as seen:
            found = load_facts(session, row, mail, kind=kind, mac=mac, now=now)
        assert len(seen) <= 13
        return found


def test_a_twin_is_found_by_content_and_beats_one_by_id(world):
    first = add_row(world, mail_bytes())
    found = facts(world, mail_bytes())
    assert (found.twin_id, found.twin_ticket, found.has_id_twin) == (first, world.ticket_id, False)
    assert facts(world, mail_bytes("other")).has_id_twin


@pytest.mark.parametrize("verdict", ["duplicate", "quarantined"])
def test_what_was_not_taken_in_is_no_twin(world, verdict):
    add_row(world, mail_bytes(), verdict=verdict)
    assert facts(world, mail_bytes()).twin_id is None


def test_a_known_parent_names_the_ticket(world):
    found = facts(world, mail_bytes(extra={"In-Reply-To": "<known@c>"}))
    assert found.thread.ticket_id == world.ticket_id and not found.is_over


def test_a_bounce_belongs_to_what_it_returns(world):
    found = facts(world, DELIVERY_REPORT.replace(b"<nd.7@shop.example>", b"<known@c>"))
    assert found.thread.ticket_id == world.ticket_id and found.thread.reason == "returns <known@c>"


@pytest.mark.parametrize(("days", "is_over"), [(13, False), (15, True)])
def test_a_ticket_closed_longer_than_the_window_is_over(world, days, is_over):
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, world.ticket_id)
        ticket.status, ticket.closed_at = "closed", NOW
    raw = mail_bytes(extra={"In-Reply-To": "<known@c>"})
    assert facts(world, raw, now=NOW + timedelta(days=days)).is_over is is_over


@pytest.mark.parametrize(
    ("sender", "joins"),
    [
        ("dana@customer.example", True),  # the requester
        ("Eve@customer.example", True),  # wrote on it
        ("copy@customer.example", True),  # we wrote to
        ("alice@a.example", True),  # one of us
        ("mallory@evil.example", False),
    ],
)
def test_only_who_takes_part_joins_by_number(world, sender, joins):
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, world.mailbox_id)
        message = Message(ticket_id=world.ticket_id, kind="reply", is_public=True, body="x", at=NOW)
        message.author = "Eve <eve@customer.example>"
        uow.session.add(message)
        sent = OutgoingMail(ticket_id=world.ticket_id, event="answer", dedupe_key="x", to=["dana@customer.example"])
        sent.cc, sent.subject, sent.text, sent.message_id = ["Copy@customer.example"], "x", "x", "<x@y>"
        sent.created_at, sent.state, sent.mailbox_id = NOW, "sent", row.id
        uow.session.add(sent)
    found = facts(world, mail_bytes(subject=f"[#{world.ticket_id}] x", sender=sender))
    assert (found.thread.ticket_id == world.ticket_id) is joins
