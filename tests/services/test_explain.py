"""`portal explain`: one ticket's whole way, fit to be passed on."""

from zoneinfo import ZoneInfo

from portal.models import InboundText, MailboxRow, MailLedger, OutgoingMail, Page, Ticket, TicketEvent
from portal.services.explain import explain_ticket
from portal.services.notifications import send_next
from tests.services.paging_world import BOB, NOW, NUMBERS, add_ticket, decide, later

BERLIN = ZoneInfo("Europe/Berlin")
TRIAGE = {
    "category": "network", "runner_up": "printer", "confidence": 0.8, "priority": 2,
    "reasons": [{"aspect": "category", "text": "vpn"}, {"aspect": "priority", "text": "vpn"}],
    "rules": ["VPN goes to Servers"],
    "subject_changes": [{"start": 7, "end": 11, "wrong": "donw", "right": "down", "reason": "one letter moved"}],
}  # fmt: skip


def explain(world, ticket_id):
    with world.database.read_session() as session:
        return explain_ticket(session, ticket_id, zone=BERLIN)


def add_story(world, ticket_id):
    with world.database.unit_of_work() as uow:
        session = uow.session
        session.add(MailboxRow(id=1, name="help", address="help@acme.example", kind="imap", next_at=NOW))
        session.flush()
        mail = MailLedger(
            mailbox_id=1,
            folder="INBOX",
            provider_id="7:1",
            sender="dana@x",
            received_at=NOW,
            listed_at=NOW,
            state="done",
        )
        mail.verdict, mail.reason, mail.verdict_at, mail.ticket_id = "ticket", "A person wrote it.", NOW, ticket_id
        session.add(mail)
        session.add(
            TicketEvent(
                ticket_id=ticket_id,
                at=later(minutes=2),
                kind="status",
                actor="Bob",
                data={"before": "new", "after": "open"},
            )
        )
        ticket = session.get_one(Ticket, ticket_id)
        ticket.triaged_at, ticket.triage = NOW, TRIAGE
        out = OutgoingMail(ticket_id=ticket_id, event="confirmation", dedupe_key="c", subject="s", text="t")
        out.message_id, out.created_at, out.state, out.to = "<m>", NOW, "sent", ["dana@x"]
        out.delivery, out.delivery_text, out.delivery_at = "failed", "No such user.", later(minutes=1)
        session.add(out)
        page = session.get_one(Page, 1)
        page.acknowledged_at, page.acknowledged_by, page.closed_at = later(minutes=1), BOB, later(minutes=3)
        answer = InboundText(
            provider="twilio", provider_id="R1", sender="x", text="1 A", received_at=NOW, stored_at=NOW, user_id=BOB
        )
        answer.page_id, answer.handled_at, answer.outcome = 1, later(minutes=1), "Answered: You have #1."
        session.add(answer)


def test_the_whole_way_stands_in_order_in_the_sites_zone(world):
    ticket_id = add_ticket(world.database, "Server donw")
    decide(world.database, ticket_id, on_call=(BOB,))
    while send_next(world.context):
        pass
    add_story(world, ticket_id)
    lines = explain(world, ticket_id)
    text = "\n".join(lines)
    assert lines[0] == "#1 Server donw: new, P3, from mail"
    assert lines[1].startswith("2026-12-25 03:10:00  mail      7:1 from dana@x to help, INBOX: received")
    for part in (
        "mail      7:1: ticket. A person wrote it.",
        "decision  created: page. Today is a holiday: Christmas Day.",
        "text 1    page to Bob (...0101): claimed, try 1",
        "text 1    page to Bob (...0101): twilio took it as F1",
        "answer 1  Bob wrote '1 A' (twilio R1). Answered: You have #1.",
        "page 1    taken by Bob",
        "page 1    ended",
        "history   Bob: new → open",
        "mail out  confirmation to dana@x: written as <m>",
        "mail out  confirmation to dana@x: sent.",
        "mail out  confirmation to dana@x: failed. No such user.",
        "triage    network, 80 percent sure, else printer: vpn",
        "triage    P2: vpn",
        "triage    rule: VPN goes to Servers",
        "triage    spelling: Server [-donw-]{+down+}",
    ):
        assert part in text
    assert NUMBERS[BOB] not in text


def test_what_was_not_sent_says_why(world):
    ticket_id = add_ticket(world.database)
    decide(world.database, ticket_id, on_call=(BOB,))
    world.sms.fail_next(permanent=True, code="21614")
    send_next(world.context)
    assert any("failed. scripted 21614 21614." in line for line in explain(world, ticket_id))


def test_an_unknown_ticket_has_no_way(world):
    assert explain(world, 99) is None
