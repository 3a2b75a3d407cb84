import gc
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from portal.core.mail import parse_mail
from portal.core.ports import FetchedMail
from portal.models import (
    Attachment,
    KnownMessageId,
    MailboxRow,
    MailLedger,
    MailSuspension,
    Message,
    OutgoingMail,
    PageDecisionRow,
    Requester,
    SessionBlobStore,
    Ticket,
    TicketEvent,
    User,
)
from portal.models.database import DatabaseBusyError
from portal.services import mail_intake
from portal.services.mail_facts import load_facts
from portal.services.mail_intake import count_due_mails, count_unexplained, take_next
from portal.services.mail_out import add_confirmation
from portal.services.mail_reader import TooCostlyError
from portal.services.mail_store import Arrival, store_mails
from portal.services.settings import load_settings
from portal.services.tickets import Actor, set_status
from tests.mails import DELIVERY_REPORT, mail_bytes, multipart, part
from tests.services.mail_world import NOW, add_mailbox, make_mail_world

BOB = Actor("Bob", 2)


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world, queue_id=2)
    world.uid = 0
    return world


def store(world, raw, *, mailbox_id=None, is_quiet=False, **changes):
    world.uid += 1
    mail = FetchedMail(f"7:{world.uid}", "INBOX", NOW, len(raw), raw, **changes)
    with world.database.unit_of_work() as uow:
        mailbox = uow.session.get_one(MailboxRow, mailbox_id or world.mailbox_id)
        store_mails(uow, mailbox, [mail], now=world.clock.now(), arrival=Arrival(is_quiet=is_quiet))


def take(world, raw, **options):
    """Store one mail, give it its verdict, return its ledger row."""
    store(world, raw, **options)
    assert take_next(world, pause=lambda seconds: None)
    return last(world, MailLedger)


def last(world, model):
    with world.database.read_session() as session:
        return session.scalar(select(model).order_by(model.id.desc()).limit(1))


def every(world, model, **where):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).filter_by(**where)))


def count(world, model):
    with world.database.read_session() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_a_mail_becomes_a_ticket_with_the_senders_own_words(world):
    row = take(world, mail_bytes("Nothing  prints.\n\nDana", extra={"Reply-To": "x@y.example"}))
    assert (row.state, row.verdict, row.sender, row.subject) == (
        "done",
        "ticket",
        "dana@customer.example",
        "Printer on fire",
    )
    ticket, message, dana = last(world, Ticket), last(world, Message), last(world, Requester)
    assert row.ticket_id == ticket.id and ticket.subject == "Printer on fire" and ticket.source == "mail"
    assert ticket.received_at == NOW and ticket.mailbox_id == world.mailbox_id and ticket.queue_id == 2
    assert message.body == "Nothing  prints.\n\nDana" and message.author == "Dana Reyes <dana@customer.example>"
    assert message.ledger_id == row.id and (dana.email, dana.name) == ("dana@customer.example", "Dana Reyes")
    assert "triage" in world.woken and row.verdict_at == NOW and row.reason


def test_a_mail_is_taken_once_also_by_two_workers(world, monkeypatch):
    store(world, mail_bytes())
    read = mail_intake._read

    def read_twice(context, stored):
        ready = read(context, stored)
        monkeypatch.setattr(mail_intake, "_read", read)
        take_next(context)  # the other worker was faster
        return ready

    monkeypatch.setattr(mail_intake, "_read", read_twice)
    assert take_next(world)
    assert count(world, Ticket) == 1 and not take_next(world)


def test_a_crash_before_the_commit_leaves_the_mail_for_the_next(world, monkeypatch):
    store(world, mail_bytes())

    def die(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(mail_intake, "apply_plan", die)
    with pytest.raises(KeyboardInterrupt):
        take_next(world)
    assert count(world, Ticket) == 0 and last(world, MailLedger).state == "stored"
    monkeypatch.undo()
    assert take_next(world) and count(world, Ticket) == 1


def test_a_reply_joins_by_its_parent(world):
    first = take(world, mail_bytes())
    reply = take(
        world,
        mail_bytes(
            "More smoke.", message_id="<two@c>", subject="Re: x", extra={"In-Reply-To": "<one@customer.example>"}
        ),
    )
    assert (reply.verdict, reply.ticket_id) == ("reply", first.ticket_id) and count(world, Ticket) == 1
    assert [message.kind for message in every(world, Message)] == ["request", "reply"]


def test_a_reply_to_a_mail_we_never_saw_joins_its_sibling(world):
    first = take(world, mail_bytes(extra={"References": "<root@elsewhere>"}))
    other = take(world, mail_bytes("x", message_id="<b@c>", extra={"References": "<root@elsewhere>"}))
    assert (other.verdict, other.ticket_id) == ("reply", first.ticket_id)


def confirm(world, ticket_id):
    with world.database.unit_of_work() as uow:
        settings = load_settings(uow.session)
        return add_confirmation(world, uow, uow.session.get_one(Ticket, ticket_id), settings=settings).message_id


def test_a_reply_to_our_confirmation_joins_also_when_the_client_drops_the_headers(world):
    first = take(world, mail_bytes())
    token = confirm(world, first.ticket_id)[1:].split("@")[0]
    reply = take(world, mail_bytes(f"Thanks\n> Ref: {token}\n", message_id="<two@c>", sender="eve@c.example"))
    assert (reply.verdict, reply.ticket_id) == ("reply", first.ticket_id) and "signed reference" in reply.reason


def test_a_subject_alone_never_joins(world):
    take(world, mail_bytes())
    assert take(world, mail_bytes("again", message_id="<two@c>", subject="Re: Printer on fire")).verdict == "ticket"


def test_a_number_in_the_subject_joins_only_from_somebody_in_the_ticket(world):
    first = take(world, mail_bytes())
    subject = f"[#{first.ticket_id}] more"
    dana = take(world, mail_bytes("a", message_id="<2@c>", subject=subject, sender="DANA@customer.example"))
    mallory = take(world, mail_bytes("b", message_id="<3@c>", subject=subject, sender="mallory@evil.example"))
    bob = take(world, mail_bytes("c", message_id="<4@c>", subject=subject, sender="bob@a.example"))
    assert (dana.verdict, bob.verdict) == ("reply", "reply") and bob.ticket_id == first.ticket_id
    assert mallory.verdict == "ticket" and mallory.ticket_id != first.ticket_id
    (event,) = every(world, TicketEvent, kind="may_belong")
    assert event.ticket_id == mallory.ticket_id and event.data["other"] == first.ticket_id


@pytest.mark.sqlite
def test_a_token_of_a_ticket_that_is_not_here_makes_a_new_one(world):
    first = take(world, mail_bytes())
    token = confirm(world, first.ticket_id)[1:].split("@")[0]
    with world.database.unit_of_work() as uow:
        uow.session.get_one(MailLedger, first.id).ticket_id = None
        for model in (KnownMessageId, OutgoingMail):
            for one in uow.session.scalars(select(model)):
                uow.session.delete(one)
        uow.session.connection().exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for model in (TicketEvent, Message):
            for one in uow.session.scalars(select(model)):
                uow.session.connection().exec_driver_sql("DELETE FROM search_document")
                uow.session.delete(one)
        uow.session.flush()
        uow.session.delete(uow.session.get_one(Ticket, first.ticket_id))
    row = take(world, mail_bytes(f"Ref: {token}", message_id="<9@c>"))
    assert row.verdict == "ticket" and "is not here" in row.reason


def move(world, ticket_id, *statuses):
    with world.database.unit_of_work() as uow:
        for status in statuses:
            ticket = uow.session.get_one(Ticket, ticket_id)
            set_status(uow, ticket, status, actor=BOB, now=world.clock.now(), resolution="done")


def reply_to(world, **options):
    world.reply = getattr(world, "reply", 0) + 1
    raw = mail_bytes("still broken", message_id=f"<r{world.reply}@c>", extra={"In-Reply-To": "<one@customer.example>"})
    return take(world, raw, **options)


@pytest.mark.parametrize("statuses", [("resolved",), ("resolved", "closed"), ("waiting for requester",)])
def test_a_reply_opens_what_waited_or_had_ended(world, statuses):
    first = take(world, mail_bytes())
    move(world, first.ticket_id, *statuses)
    reply_to(world)
    ticket = last(world, Ticket)
    assert ticket.status == "open" and ticket.is_open
    causes = [row.cause.split(":")[0] for row in every(world, PageDecisionRow)]
    assert causes == ([] if statuses == ("waiting for requester",) else ["reopened"])


def test_a_reply_long_after_closing_opens_a_ticket_that_follows(world):
    first = take(world, mail_bytes())
    move(world, first.ticket_id, "resolved", "closed")
    world.clock.move(15 * 86400)
    row = reply_to(world)
    assert row.verdict == "ticket" and row.ticket_id != first.ticket_id
    assert every(world, TicketEvent, kind="follows")[0].data == {"other": first.ticket_id}


def test_automatic_mail_is_kept_as_a_note_and_changes_nothing(world):
    first = take(world, mail_bytes())
    move(world, first.ticket_id, "resolved")
    before = last(world, Ticket)
    out_of_office = {"In-Reply-To": "<one@customer.example>", "Auto-Submitted": "auto-replied"}
    row = take(world, mail_bytes("I am away", message_id="<ooo@c>", extra=out_of_office))
    after = last(world, Ticket)
    assert (row.verdict, row.ticket_id) == ("automatic", first.ticket_id)
    assert (after.status, after.changed_at, after.version) == (before.status, before.changed_at, before.version)
    note = last(world, Message)
    assert (note.kind, note.is_public, note.body) == ("automatic", False, "I am away")


def test_an_out_of_office_mail_out_of_nowhere_makes_no_ticket(world):
    row = take(world, mail_bytes("I am away", extra={"Auto-Submitted": "auto-replied"}))
    assert (row.verdict, row.ticket_id) == ("automatic", None) and count(world, Ticket) == 0


def test_a_monitors_mail_makes_a_ticket_that_is_never_answered(world):
    row = take(world, mail_bytes("disk full", extra={"Auto-Submitted": "auto-generated"}))
    assert row.verdict == "ticket" and last(world, Ticket).is_automatic
    with world.database.unit_of_work() as uow:
        ticket = uow.session.get_one(Ticket, row.ticket_id)
        assert add_confirmation(world, uow, ticket, settings=load_settings(uow.session)) is None


def test_a_bounce_of_a_mail_we_sent_suspends_the_dead_address(world):
    first = take(world, mail_bytes())
    message_id = confirm(world, first.ticket_id)
    raw = DELIVERY_REPORT.replace(b"<nd.7@shop.example>", message_id.encode())
    row = take(world, raw)
    assert (row.verdict, row.ticket_id) == ("bounce", first.ticket_id)
    assert count(world, MailSuspension) == 1 and last(world, Ticket).status == "new"
    assert "5.1.1" in last(world, OutgoingMail).last_error
    assert [event.data["address"] for event in every(world, TicketEvent, kind="address_suspended")] == [
        "dana@customer.example"
    ]


def test_a_forged_bounce_suspends_nobody(world):
    first = take(world, mail_bytes())
    raw = DELIVERY_REPORT.replace(b"<nd.7@shop.example>", b"<one@customer.example>")
    row = take(world, raw)
    assert row.verdict == "bounce" and row.ticket_id == first.ticket_id
    assert count(world, MailSuspension) == 0
    assert take(world, DELIVERY_REPORT.replace(b"5.1.1", b"5.1.2")).ticket_id is None


def test_our_own_mail_is_ignored(world):
    row = take(world, mail_bytes(sender="Help Desk <help@shop.example>"))
    assert row.verdict == "ignored" and count(world, Ticket) == 0


def test_the_same_mail_through_two_mailboxes_makes_one_ticket(world):
    first = take(world, mail_bytes())
    second = add_mailbox(world, name="Info", address="info@shop.example")
    row = take(world, b"Received: by another route; x\r\n" + mail_bytes(), mailbox_id=second)
    assert (row.verdict, row.ticket_id) == ("duplicate", first.ticket_id) and count(world, Ticket) == 1


def test_the_same_id_with_other_content_is_taken_in_and_flagged(world):
    take(world, mail_bytes())
    row = take(world, mail_bytes("other words"))
    assert row.verdict == "ticket" and "other content" in row.reason and count(world, Ticket) == 2


@pytest.mark.parametrize(
    "raw",
    [mail_bytes(sender=""), mail_bytes(sender="Dana Reyes"), b"", b"\x00\xff garbage", b"Subject: x\r\n\r\nwords"],
)
def test_a_mail_without_a_sender_is_in_quarantine_with_its_reason_and_original(world, raw):
    row = take(world, raw)
    assert row.verdict == "quarantined" and "no sender" in row.reason
    with world.database.read_session() as session:
        assert SessionBlobStore(session).get(row.sha256) == raw


def test_broken_mime_and_ten_thousand_parts_become_tickets(world):
    raw = multipart([part("text/plain", b"x")] * 10_000)
    assert take(world, raw).verdict == "ticket"
    raw = multipart([part("text/plain", b"words")], message_id="<b@c>").replace(b"--frontier--", b"")
    assert take(world, raw).verdict == "ticket" and last(world, Message).body == "words"


def test_a_mail_of_fifty_megabytes_is_taken_in_with_its_file(world):
    line = b"QUJD" * 19 + b"\r\n"
    data = line * (50_000_000 // len(line))
    file = part(
        "application/pdf", data, Content_Transfer_Encoding="base64", Content_Disposition="attachment; filename=a.pdf"
    )
    row = take(world, multipart([part("text/plain", b"see file"), file]))
    gc.collect()
    assert (
        row.verdict == "ticket"
        and last(world, Attachment).size > 30_000_000
        and last(world, Attachment).filename == "a.pdf"
    )


def test_a_mail_too_large_to_fetch_is_a_ticket_that_says_so(world):
    header = mail_bytes("").rstrip() + b"\r\n\r\n"
    world.uid += 1
    with world.database.unit_of_work() as uow:
        mailbox = uow.session.get_one(MailboxRow, world.mailbox_id)
        store_mails(uow, mailbox, [FetchedMail("7:9", "INBOX", NOW, 52_000_000, None, header)], now=NOW)
    take_next(world)
    assert last(world, MailLedger).verdict == "ticket" and "over the size limit" in last(world, MailLedger).reason
    assert last(world, Message).body.startswith("This mail is 52 MB")


def test_html_is_stored_clean_and_files_with_their_bytes(world):
    rich = part("text/html", b"<p onclick='x()'>rich</p><script>1</script>")
    nothing = {"sender": "", "to": "", "subject": "", "message_id": "", "date": ""}
    alternative = multipart([rich], kind="alternative", boundary="in", **nothing)
    picture = part("image/png", b"aGk=", Content_Transfer_Encoding="base64", Content_Id="<p@x>")
    take(world, multipart([alternative.lstrip(), picture]))
    message, file = last(world, Message), last(world, Attachment)
    assert message.html == "<p>rich</p>" and message.body == "rich"
    assert (file.content_id, file.is_inline, file.size) == ("p@x", True, 2)
    with world.database.read_session() as session:
        assert SessionBlobStore(session).get(file.sha256) == b"hi"


def test_quiet_mail_is_marked_and_comes_after_night_mail_with_pauses(world):
    pauses = []
    store(world, mail_bytes("old", message_id="<old@c>"), is_quiet=True)
    store(world, mail_bytes("new", message_id="<new@c>"))
    while take_next(world, pause=pauses.append):
        continue
    with world.database.read_session() as session:
        tickets = list(session.scalars(select(Ticket).order_by(Ticket.id)))
    assert [ticket.is_imported for ticket in tickets] == [False, True] and len(pauses) == 1


def test_only_one_mailbox_can_be_taken_from(world):
    store(world, mail_bytes())
    assert not take_next(world, mailbox_id=99) and take_next(world, mailbox_id=world.mailbox_id)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_fails_five_times_is_in_quarantine_and_the_next_is_taken(world, monkeypatch):
    def fail(*args, **options):
        raise RecursionError("a bug")

    monkeypatch.setattr(mail_intake, "read_mail", fail)
    store(world, mail_bytes())
    for tries in range(1, 6):
        assert take_next(world)
        assert last(world, MailLedger).tries == tries and not take_next(world)
        world.clock.move(600)
    row = last(world, MailLedger)
    assert row.verdict == "quarantined" and "tried 5 times" in row.reason and "a bug" in row.reason
    monkeypatch.undo()
    assert take(world, mail_bytes(message_id="<2@c>")).verdict == "ticket"


def test_a_large_mail_that_kills_the_program_is_put_aside(world, monkeypatch):
    store(world, mail_bytes("x" * 1_100_000))

    def killed(context, ready):
        raise KeyboardInterrupt

    monkeypatch.setattr(mail_intake, "_take", killed)
    for _ in range(5):
        with pytest.raises(KeyboardInterrupt):
            take_next(world)
    assert take_next(world)
    assert "ended the program 5 times" in last(world, MailLedger).reason


def test_a_mail_that_costs_too_much_is_in_quarantine_at_once_with_the_reason(world, monkeypatch):
    def give_up(raw):
        raise TooCostlyError("reading it took longer than 60 seconds")

    monkeypatch.setattr(mail_intake, "read_mail", give_up)
    row = take(world, mail_bytes())
    assert row.verdict == "quarantined" and row.reason == "it was not read: reading it took longer than 60 seconds"


@pytest.mark.parametrize("error", [DatabaseBusyError("busy"), OperationalError("x", {}, Exception("disk is full"))])
def test_the_databases_trouble_is_not_counted_against_the_mail(world, monkeypatch, error):
    store(world, mail_bytes())

    def fail(*args, **options):
        raise error

    monkeypatch.setattr(mail_intake, "_take", fail)
    with pytest.raises(type(error)):
        take_next(world)
    assert last(world, MailLedger).tries == 0 and last(world, MailLedger).state == "stored"
    monkeypatch.undo()
    assert take_next(world) and count(world, Ticket) == 1


def test_a_mail_that_the_database_can_never_take_holds_up_no_other(world, monkeypatch):
    store(world, mail_bytes(message_id="<first@x>"))
    store(world, mail_bytes(message_id="<second@x>"))
    take = mail_intake._take

    def fail(context, ready):
        if ready.mail.message_id == "<first@x>":
            limit = sqlite3.OperationalError("too many SQL variables")
            limit.sqlite_errorcode = sqlite3.SQLITE_ERROR
            raise OperationalError("x", {}, limit)
        take(context, ready)

    monkeypatch.setattr(mail_intake, "_take", fail)
    assert take_next(world) and take_next(world) and not take_next(world)
    assert [row.state for row in every(world, MailLedger)] == ["stored", "done"]


@pytest.mark.sqlite
def test_a_full_disk_while_taking_in_loses_nothing(world):
    store(world, multipart([part("application/pdf", b"x" * 3_000_000)]))
    limit_pages(world, extra=100)
    with pytest.raises(OperationalError, match="full"):
        take_next(world)
    assert last(world, MailLedger).state == "stored" and count(world, Ticket) == 0
    limit_pages(world, extra=10**6)
    assert take_next(world) and last(world, MailLedger).verdict == "ticket"


def limit_pages(world, *, extra):
    with world.database.writer.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + extra}")


def test_a_mail_without_verdict_for_ten_minutes_is_unexplained(world):
    store(world, mail_bytes())
    with world.database.read_session() as session:
        assert count_due_mails(session, now=NOW) == 1
        assert count_unexplained(session, now=NOW + timedelta(minutes=10)) == 0
        assert count_unexplained(session, now=NOW + timedelta(minutes=11)) == 1
    take_next(world)
    with world.database.read_session() as session:
        assert count_due_mails(session, now=NOW) == count_unexplained(session, now=NOW + timedelta(days=1)) == 0


def test_facts_cost_a_handful_of_lookups(world):
    store(world, mail_bytes(extra={"References": " ".join(f"<{n}@c>" for n in range(100))}))
    row, mail = last(world, MailLedger), parse_mail(mail_bytes())
    kind = mail_intake.decide_kind(mail, own_addresses=(), is_own_id=lambda one: False)
    with world.database.read_session() as session:
        facts = load_facts(session, row, mail, kind=kind, mac=mail_intake._mac(world), now=NOW)
    assert facts.twin_id is None and not facts.is_over


def test_a_member_is_known_by_their_address(world):
    assert every(world, User, email="bob@a.example")


@pytest.mark.parametrize(
    ("text", "status", "rating"),
    [
        ("CLOSE", "resolved", 0),
        ("Erledigt, danke!", "resolved", 0),
        ("RATE 5", "new", 5),
        ("It is not solved", "new", 0),
    ],
)
def test_a_requester_orders_by_mail(world, text, status, rating):
    first = take(world, mail_bytes())
    row = take(world, mail_bytes(text, message_id="<c@c>", extra={"In-Reply-To": "<one@customer.example>"}))
    ticket = last(world, Ticket)
    assert (row.verdict, row.ticket_id, ticket.status, ticket.rating) == ("reply", first.ticket_id, status, rating)
    assert last(world, Message).body == text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sender": "eve@customer.example"}, "new"),  # copied, not the requester
        ({"extra": {"Auto-Submitted": "auto-replied"}}, "new"),
        ({"extra": {"Authentication-Results": "mx; dmarc=fail"}}, "new"),
        ({"text": "> CLOSE"}, "new"),
        ({}, "resolved"),
    ],
)
def test_nobody_else_orders_anything(world, changes, status):
    take(world, mail_bytes())
    extra = {"In-Reply-To": "<one@customer.example>", **changes.pop("extra", {})}
    take(world, mail_bytes(changes.pop("text", "CLOSE"), message_id="<c@c>", extra=extra, **changes))
    assert last(world, Ticket).status == status


def test_a_web_form_that_writes_in_our_name_opens_a_ticket_for_who_filled_it(world):
    row = take(world, mail_bytes(sender="Website <help@shop.example>", extra={"Reply-To": "Eve <eve@c.example>"}))
    assert (row.verdict, row.sender) == ("ticket", "eve@c.example") and last(world, Requester).email == "eve@c.example"
