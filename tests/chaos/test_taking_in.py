"""Kill -9 at every step of taking in 500 mails: 500 tickets, none lost, none doubled, nothing touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

import pytest
from sqlalchemy import select

from portal.models import (
    Attachment,
    MailboxRow,
    MailLedger,
    Message,
    OutgoingMail,
    PageDecisionRow,
    SearchDocument,
    SessionBlobStore,
    Ticket,
    TicketEvent,
)
from portal.services.tickets import recount
from tests.chaos.conftest import KINDS, Inbox, Site
from tests.chaos.driver import Result, Spec
from tests.chaos.post import Letter, write_post

TICKETS = 500
SAMPLE = 40
WAVE = 7


def take_in(site: Site, inbox: Inbox, *, tickets: int, seconds: float, **plan: object) -> Result:
    """Let the workers take in the post while they are killed, and hold what they made against it."""
    site.fill(inbox=inbox)
    spec = Spec(site.url, KINDS, **plan)  # type: ignore[arg-type]
    options = {"port": inbox.port, "user": inbox.user, "maildir": inbox.maildir, "tickets": tickets, "wave": WAVE}
    result = site.run("take_in", seconds=seconds, spec=spec, **options)
    letters = write_post(tickets)
    rows = check_ledger(site, letters)
    check_tickets(site, letters, rows)
    check_nothing_waits(site)
    check_inbox(inbox, letters)
    return result


def check_ledger(site: Site, letters: Sequence[Letter]) -> list[MailLedger]:
    """One row a mail, one verdict a row, the original byte by byte. Rows in the order of the post."""
    by_content: dict[str, list[MailLedger]] = {}
    for row in site.rows(MailLedger):
        by_content.setdefault(row.sha256 or "", []).append(row)
    # A mail that came twice has two rows, the first one first.
    rows = [by_content[sha256(letter.raw).hexdigest()].pop(0) for letter in letters]
    beyond = [(row.provider_id, row.verdict, row.reason, row.is_cut, row.is_found_late, row.listed_at, row.received_at)
              for left in by_content.values() for row in left]  # fmt: skip
    assert not beyond
    with site.context.database.read_session() as session:
        blobs = SessionBlobStore(session)
        for row, letter in zip(rows, letters, strict=True):
            assert (row.state, row.verdict, row.reason[:80]) == ("done", letter.verdict, row.reason[:80]), letter
            assert blobs.get(row.sha256 or "") == letter.raw, letter
            assert letter.of < 0 or row.ticket_id == rows[letter.of].ticket_id, letter
    return rows


def check_tickets(site: Site, letters: Sequence[Letter], rows: Sequence[MailLedger]) -> None:
    """One ticket a letter that asks for one, with everything that belongs to it once."""
    made = {row.ticket_id: letter for row, letter in zip(rows, letters, strict=True) if letter.verdict == "ticket"}
    assert (
        set(made) == {ticket.id for ticket in site.rows(Ticket)}
        and len(made) == Counter(letter.verdict for letter in letters)["ticket"]
    )
    said = [letter.verdict != "duplicate" for letter in letters].count(True)
    messages = site.rows(Message)
    assert len(messages) == len({message.ledger_id for message in messages}) == said
    assert Counter(site_files(site)) == Counter(
        {row.id: n.files for row, n in zip(rows, letters, strict=True) if n.files}
    )
    once = dict.fromkeys(made, 1)
    assert Counter(event.ticket_id for event in site.rows(TicketEvent) if event.kind == "created") == once
    assert Counter(decision.ticket_id for decision in site.rows(PageDecisionRow)) == once
    answered = {ticket_id: 1 for ticket_id, letter in made.items() if letter.is_answered}
    assert Counter(mail.ticket_id for mail in site.rows(OutgoingMail) if mail.event == "confirmation") == answered
    with site.context.database.unit_of_work() as uow:
        assert recount(uow) == 0
        found = uow.session.scalars(select(SearchDocument.message_id)).all()
        assert sorted(found) == sorted(message.id for message in messages)


def site_files(site: Site) -> list[int]:
    """The ledger row of each file."""
    by_message = {message.id: message.ledger_id for message in site.rows(Message)}
    return [by_message[file.message_id] for file in site.rows(Attachment)]


def check_nothing_waits(site: Site) -> None:
    """No lease of the dead blocks the mailbox, no error is left on it, every ticket was triaged."""
    (mailbox,) = site.rows(MailboxRow)
    assert (mailbox.lease_until, mailbox.last_error, mailbox.tries) == (None, "", 0)
    assert all(ticket.triaged_at for ticket in site.rows(Ticket))


def check_inbox(inbox: Inbox, letters: Sequence[Letter]) -> None:
    """Every mail lies where it lay, byte by byte, without a mark."""
    client = inbox.server.connect(inbox.user, "secret")
    client.select("INBOX", readonly=True)
    _, data = client.fetch("1:*", "(FLAGS BODY.PEEK[])")
    client.logout()
    parts = [piece for piece in data if isinstance(piece, tuple)]
    assert sorted(piece[1] for piece in parts) == sorted(letter.raw for letter in letters)
    flags = {piece[0].split(b"FLAGS (")[1].split(b")")[0] for piece in parts}
    assert flags <= {b"", b"\\Recent"}


@pytest.mark.timeout(120)
def test_killed_at_a_sample_of_the_steps_every_mail_is_taken_in_once(open_site, inbox, tell):
    result = take_in(open_site(), inbox, tickets=SAMPLE, seconds=100, schedule=[1], of=7)
    tell(result, f"{SAMPLE} tickets")
    assert len(result.killed) > 20


@pytest.mark.more
@pytest.mark.timeout(1200)
def test_killed_at_every_step_of_500_mails_none_is_lost_and_none_doubled(open_site, inbox, tell):
    result = take_in(open_site(), inbox, tickets=TICKETS, seconds=1100, schedule=[1, 20, 200])
    tell(result, f"{TICKETS} tickets")
    check_every_step(result)


@pytest.mark.more
@pytest.mark.timeout(1200)
def test_two_pollers_on_postgresql_killed_at_every_step_lose_and_double_nothing(open_site, inbox, postgresql_url, tell):
    site = open_site(postgresql_url)
    result = take_in(site, inbox, tickets=TICKETS, seconds=1100, schedule=[1, 60], workers=2)
    tell(result, f"{TICKETS} tickets, two pollers on PostgreSQL")
    check_every_step(result)


def check_every_step(result: Result) -> None:
    """A step that was met several times has ended a process. One that was met just now and then may have come to one
    mail's third death."""
    assert len(result.seen) > 150
    assert {step for step, count in result.seen.items() if count > 20} <= set(result.killed)
