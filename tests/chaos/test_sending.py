"""Kill -9 at every step of sending: each mail goes out, and a second time only under the same Message-ID."""

from __future__ import annotations

from collections import defaultdict

import pytest
from sqlalchemy import insert, select

from portal.models import Attachment, MailboxRow, Message, OutgoingMail, SessionBlobStore, Ticket
from portal.services.tickets import ANSWER, Actor, NewMessage, NewTicket, create_ticket, find_or_add_requester
from tests.chaos.conftest import Site
from tests.chaos.driver import Result, Spec
from tests.smtp_sink import SinkMail, SmtpSink

FILE = bytes(range(256)) * 40


def write_answers(site: Site, count: int) -> None:
    """One answer of Alice's in each of so many tickets, every third with a file, all waiting to be sent."""
    now = site.context.clock.now().replace(year=2020)
    with site.context.database.unit_of_work() as uow:
        mailbox = uow.session.scalars(select(MailboxRow)).one()
        sha256 = SessionBlobStore(uow.session).put(FILE)
        for number in range(count):
            requester = find_or_add_requester(uow, f"p{number}@customer{number % 7}.example", now=now)
            first = NewMessage(ANSWER, f"Answer {number}")
            new = NewTicket(f"Case {number}", first, "staff", requester.id, now, {"mailbox_id": mailbox.id})
            ticket, message = create_ticket(uow, new, actor=Actor("Alice"), now=now)
            uow.session.add(_outgoing(ticket, message, mailbox, requester.email))
            file = {"message_id": message.id, "filename": "notes.bin", "content_type": "application/octet-stream"}
            if number % 3 == 0:
                uow.session.execute(insert(Attachment), {**file, "size": len(FILE), "sha256": sha256})
        uow.session.flush()
        for mail in uow.session.scalars(select(OutgoingMail)):
            files = select(Attachment.id).where(Attachment.message_id == mail.message_row_id)
            mail.attachment_ids = list(uow.session.scalars(files))


def _outgoing(ticket: Ticket, message: Message, mailbox: MailboxRow, to: str) -> OutgoingMail:
    return OutgoingMail(
        ticket_id=ticket.id,
        message_row_id=message.id,
        mailbox_id=mailbox.id,
        event="answer",
        dedupe_key=f"answer:{message.id}",
        to=[to],
        subject=f"[#{ticket.id}] {ticket.subject}",
        text=message.body,
        message_id=f"<nd.{ticket.id}.{message.id}@shop.example>",
        is_automatic=False,
        created_at=ticket.created_at,
        state="pending",
        due_at=ticket.created_at,
    )


def send_all(site: Site, sink: SmtpSink, *, mails: int, seconds: float, **plan: object) -> tuple[Result, int]:
    """Let the workers send while they are killed. Returns how many mails came twice as well."""
    site.fill(smtp_port=sink.port, is_live=True)
    write_answers(site, mails)
    result = site.run("send", seconds=seconds, spec=Spec(site.url, ["mail_out"], **plan))  # type: ignore[arg-type]
    rows = site.rows(OutgoingMail)
    assert [row.state for row in rows] == ["sent"] * mails
    came: dict[str, list[SinkMail]] = defaultdict(list)
    for mail in sink.mails:
        came[mail.message["Message-ID"]].append(mail)
    assert set(came) == {row.message_id for row in rows}
    for row in rows:
        check_copies(row, came[row.message_id])
    return result, len(sink.mails) - mails


def check_copies(row: OutgoingMail, copies: list[SinkMail]) -> None:
    """Whole mails, all of them to the one it was written for."""
    for copy in copies:
        files = [part.get_content() for part in copy.message.iter_attachments()]
        assert (copy.recipients, copy.text.strip()) == (row.to, row.text)
        assert files == [FILE] * len(row.attachment_ids)


@pytest.mark.timeout(120)
def test_killed_at_every_step_of_sending_each_mail_goes_out(open_site, sink, tell):
    result, doubles = send_all(open_site(), sink, mails=40, seconds=100, schedule=[1], of=2)
    tell(result, f"40 mails sent, {doubles} of them again under the same id")
    assert 0 < doubles < result.deaths


@pytest.mark.more
@pytest.mark.timeout(600)
def test_two_senders_on_postgresql_killed_at_every_step_send_each_mail(open_site, sink, postgresql_url, tell):
    site = open_site(postgresql_url)
    result, doubles = send_all(site, sink, mails=200, seconds=550, schedule=[1, 15], workers=2)
    tell(result, f"200 mails sent by two senders on PostgreSQL, {doubles} of them again under the same id")
    assert {step for step, count in result.seen.items() if count > 8} <= set(result.killed)
    assert 0 < doubles < result.deaths
