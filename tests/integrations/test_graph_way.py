"""A mail's whole way through Microsoft 365: simulator, real O365 and msal, our services, a ticket, and the answer back.

Each fault once, and every time the same: no mail lost, none doubled, none answered twice.
"""

import threading
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select

from portal.integrations.mail_transport import MailServers
from portal.models import (
    Attachment,
    MailboxRow,
    MailLedger,
    MailToken,
    Message,
    OutgoingMail,
    SessionBlobStore,
    SettingRow,
    Ticket,
)
from portal.services.mail_authorize import begin_sign_in, finish_sign_in, load_sign_in, try_sign_in
from portal.services.mail_fetch import fetch_next
from portal.services.mail_out import add_confirmation
from portal.services.mail_outbox import send_next
from portal.services.mail_reconcile import check_mailboxes
from portal.services.mail_tokens import open_account
from portal.services.mailboxes import ask_check
from portal.services.settings import load_settings
from tests.mails import mail_bytes
from tests.services.graph_world import FORM, every, move, poll, running_world, save
from tests.services.mail_world import load
from tests.services.runtime_world import by_alice, write


@pytest.fixture
def world(tmp_path):
    with running_world(tmp_path) as world:
        with world.database.unit_of_work() as uow:
            uow.session.add(SettingRow(key="site.live", value="true"))
        world.mailbox_id = save(world)
        poll(world)
        move(world, 60)
        yield world


def arrive(world, number, **more):
    """A mail from a customer, now."""
    raw = mail_bytes(
        f"Printer {number} is on fire.", message_id=f"<{number}@customer.example>", subject=f"Printer {number}",
        sender=f"Dana <dana{number}@customer.example>",
    )  # fmt: skip
    return world.graph.box.deliver(raw, at=world.graph.now, **more)


def subjects(world):
    return sorted(ticket.subject for ticket in every(world, Ticket))


def settle(world):
    """Time passes until nothing is in the way any more."""
    for _ in range(4):
        poll(world, 400)


def test_a_night_mail_becomes_a_ticket_and_is_answered_in_its_thread(world):
    arrive(world, 1, conversation="AAQk-thread=")
    poll(world)
    (ticket,) = every(world, Ticket)
    (row,) = every(world, MailLedger)
    assert (row.verdict, row.conversation_id, row.folder) == ("ticket", "AAQk-thread=", "inbox")
    with world.database.unit_of_work() as uow:
        fresh = uow.session.get_one(Ticket, ticket.id)
        add_confirmation(world, uow, fresh, settings=load_settings(uow.session))
    assert send_next(world) and every(world, OutgoingMail)[0].state == "sent"
    (out,) = world.graph.outside
    assert b"In-Reply-To: <1@customer.example>" in out and b"Auto-Submitted: auto-replied" in out
    poll(world)  # our own mail lies in Sent Items: it is nobody's request
    assert len(every(world, Ticket)) == 1 and len(every(world, Message)) <= 2

    own_id = every(world, OutgoingMail)[0].message_id
    reply = mail_bytes("Still burning.", message_id="<2@c>", sender="Dana <dana1@customer.example>",
                       extra={"In-Reply-To": own_id})  # fmt: skip
    world.graph.box.deliver(reply, at=world.graph.now)
    poll(world)
    assert len(every(world, Ticket)) == 1 and every(world, MailLedger)[-1].verdict == "reply"


def test_an_answer_written_by_hand_joins_its_ticket_as_ours(world):
    arrive(world, 1)
    poll(world)
    raw = mail_bytes("Bob is on his way.", message_id="<hand@shop.example>", sender="Shop <help@shop.example>",
                     extra={"In-Reply-To": "<1@customer.example>"})  # fmt: skip
    world.graph.box.deliver(raw, at=world.graph.now, folder="sentitems")
    poll(world)
    row = every(world, MailLedger)[-1]
    assert (row.is_sent, row.verdict, row.folder) == (True, "reply", "sentitems")
    assert len(every(world, Ticket)) == 1 and "Bob is on his way." in every(world, Message)[-1].body


FAULTS = [
    *((kind, "messages/delta") for kind in (401, 410, 429, 500, 503, "reset", "cut", "garbage", "twice", "hang")),
    *((kind, "$value") for kind in (401, 429, 500, 503, "reset", "cut", "hang")),
]


@pytest.mark.parametrize(("kind", "on"), FAULTS)
def test_no_fault_loses_a_mail_or_doubles_one(world, kind, on):
    if kind == "hang":
        world.graph.released.set()  # the answer is cut off at once instead
    poll(world)
    for number in range(3):
        arrive(world, number)
    world.graph.fail(kind, on=on, retry_after="30" if kind in (429, 503) else "")
    poll(world)
    arrive(world, 3)
    settle(world)
    assert subjects(world) == [f"Printer {number}" for number in range(4)]
    assert all(not item.is_read for item in world.graph.box.items.values())
    (check,) = check_mailboxes(world, days=2)
    assert (check.missing, check.error) == (0, "")
    assert load(world, world.mailbox_id).last_error == ""


def test_a_fault_in_the_middle_of_many_pages_loses_nothing(world):
    world.graph.page_size = 2
    for number in range(9):
        arrive(world, number)
    for kind, on in ((503, "skiptoken"), ("cut", "$value"), (410, "skiptoken"), ("twice", "delta"), (401, "$value")):
        world.graph.fail(kind, on=on)
    settle(world)
    assert world.graph.faults == [] and subjects(world) == [f"Printer {number}" for number in range(9)]


def test_a_server_that_forgets_in_the_middle_each_time_is_not_asked_without_a_pause(world):
    world.graph.page_size = 2
    for number in range(5):
        arrive(world, number)
    for _ in range(50):
        world.graph.fail(410, on="skiptoken")
    poll(world)
    assert 45 < len(world.graph.faults) < 50
    world.graph.faults.clear()
    settle(world)
    assert subjects(world) == [f"Printer {number}" for number in range(5)]


@pytest.mark.parametrize("code", ["BadRequest", "ErrorInvalidUrlQuery"])
def test_a_link_of_another_tenant_is_forgotten_and_not_asked_for_ever(world, code):
    arrive(world, 1)
    poll(world)
    world.graph.fail(400, on="token", code=code)
    arrive(world, 2)
    poll(world)
    settle(world)
    assert subjects(world) == ["Printer 1", "Printer 2"] and load(world, world.mailbox_id).last_error == ""


def test_a_long_forgotten_place_is_read_anew_without_doubles(world):
    for number in range(3):
        arrive(world, number)
    poll(world)
    world.graph.forget()
    arrive(world, 3)
    settle(world)
    assert subjects(world) == [f"Printer {number}" for number in range(4)]
    assert [row.verdict for row in every(world, MailLedger)] == ["ticket"] * 4


def test_a_mail_that_people_move_and_touch_stays_one(world):
    item = arrive(world, 1)
    poll(world)
    world.graph.box.touch(item)
    world.graph.box.move(item, "junkemail")
    poll(world)
    world.graph.box.move(item, "inbox")
    settle(world)
    assert subjects(world) == ["Printer 1"] and len(every(world, MailLedger)) == 1


def test_a_mail_taken_out_of_the_spam_folder_comes_in(world):
    item = arrive(world, 1, folder="junkemail")
    poll(world)
    assert subjects(world) == []
    world.graph.box.move(item, "inbox")
    poll(world)
    assert subjects(world) == ["Printer 1"]


def test_a_waiting_time_is_kept(world):
    arrive(world, 1)
    world.graph.fail(429, on="delta", retry_after=world.graph.date_in(180))
    poll(world, 0)
    poll(world, 120)
    assert subjects(world) == [] and "asks us to wait" in load(world, world.mailbox_id).last_error
    poll(world, 61)
    assert subjects(world) == ["Printer 1"]


def test_a_mail_that_delta_never_told_of_is_found_by_the_reconcile(world):
    item = arrive(world, 1)
    world.graph.box.log.clear()  # Graph forgets to mention it
    for token, place in world.graph.rounds.items():
        world.graph.rounds[token] = replace(place, end=0)
    poll(world, 3600)
    assert subjects(world) == []
    (check,) = check_mailboxes(world, days=2)
    assert check.missing == 1
    poll(world)
    assert subjects(world) == ["Printer 1"] and every(world, MailLedger)[0].is_found_late
    assert every(world, MailLedger)[0].provider_id == item.id(immutable=True)


def test_what_just_arrived_is_not_called_missed(world):
    poll(world)
    arrive(world, 1)
    (check,) = check_mailboxes(world, days=2)
    assert (check.listed, check.missing) == (1, 0)
    poll(world)
    assert subjects(world) == ["Printer 1"] and not every(world, MailLedger)[0].is_found_late


def test_two_processes_that_find_the_token_ended_renew_it_once(world):
    """The simulator revokes the whole sign-in when a refresh token is used twice."""
    sign_in_by_link(world)
    world.graph.login.expire()
    world.graph.login.asked.clear()
    account = open_account(load(world, world.mailbox_id), world)
    others = [MailServers() for _ in range(4)]
    start, counts = threading.Barrier(len(others)), []

    def read(servers):
        start.wait()
        counts.append(servers.mailbox(account).count("inbox"))

    threads = [threading.Thread(target=read, args=(servers,)) for servers in others]
    expire_kept(world)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for servers in others:
        servers.close()
    assert counts == [0] * len(others) and world.graph.login.asked == ["refresh_token"]


def sign_in_by_link(world):
    save(world, FORM, world.mailbox_id, flow="code")
    write(world, begin_sign_in, world.mailbox_id)
    try_sign_in(world, f"sign_in:{world.mailbox_id}")
    with world.database.read_session() as session:
        url = load_sign_in(session, session.get_one(MailboxRow, world.mailbox_id)).url
    with world.database.unit_of_work() as uow:
        answer = world.graph.login.approve(url)
        finish_sign_in(uow, world.mailbox_id, answer=answer, box=world.box, change=by_alice(world))
    try_sign_in(world, f"sign_in:{world.mailbox_id}")


def expire_kept(world):
    """The access token that lies in the database is over."""
    with world.database.unit_of_work() as uow:
        row = uow.session.scalars(select(MailToken)).one()
        kept = world.box.open(row.sealed)
        import json

        cache = json.loads(kept)
        for token in cache["AccessToken"].values():
            token["expires_on"] = "1"
        row.sealed = world.box.seal(json.dumps(cache))


def test_a_crash_after_the_renewal_was_committed_goes_on_with_the_new_token(world):
    sign_in_by_link(world)
    for _ in range(3):  # each time another process, as after a crash
        expire_kept(world)
        world.graph.login.expire()
        world.mail.close()
        world.mail = MailServers()
        poll(world)
        assert load(world, world.mailbox_id).last_error == ""
    assert world.graph.login.asked.count("refresh_token") >= 3


def test_a_lost_answer_to_a_sent_mail_is_looked_up_and_not_sent_again(world):
    arrive(world, 1)
    poll(world)
    with world.database.unit_of_work() as uow:
        fresh = uow.session.scalars(select(Ticket)).one()
        add_confirmation(world, uow, fresh, settings=load_settings(uow.session))
    world.graph.released.set()
    world.graph.fail("hang", on="sendMail")
    send_next(world)
    assert len(world.graph.outside) == 1 and every(world, OutgoingMail)[0].state != "failed"
    move(world, 400)
    while send_next(world):
        continue
    assert every(world, OutgoingMail)[0].state == "sent"
    ids = {row.message_id for row in every(world, OutgoingMail)}
    assert all(any(one.encode() in raw for one in ids) for raw in world.graph.outside)


def write_large(world, monkeypatch):
    """A confirmation with a photo that no request holds; the photo."""
    for name, value in (("sender.MAX_BYTES", 100_000), ("large_mail.SESSION_FROM", 90_000)):
        monkeypatch.setattr(f"portal.integrations.graph.{name}", value)
    monkeypatch.setattr("tests.graph_drafts.MIN_SESSION", 90_000)
    photo = bytes(range(251)) * 500
    arrive(world, 1)
    poll(world)
    with world.database.unit_of_work() as uow:
        message = uow.session.scalars(select(Message)).first()
        sha256 = SessionBlobStore(uow.session).put(photo)
        file = Attachment(
            message_id=message.id, filename="photo.jpg", content_type="image/jpeg", size=len(photo), sha256=sha256
        )
        uow.session.add(file)
        uow.session.flush()
        ticket = uow.session.scalars(select(Ticket)).one()
        add_confirmation(world, uow, ticket, settings=load_settings(uow.session)).attachment_ids = [file.id]
    return photo


def send_all(world):
    for _ in range(8):
        while send_next(world):
            continue
        move(world, 3600)


LARGE_FAULTS = [
    *((kind, "PUT /upload") for kind in (401, 429, "reset")),
    *(
        pytest.param(kind, on, marks=pytest.mark.more)
        for on in ("POST /v1.0", "createUploadSession")
        for kind in (401, 429, 503, "reset")
    ),
    *((kind, "/send") for kind in (401, 429, 503, 500, "reset", "cut", "hang")),
]


@pytest.mark.parametrize(("kind", "on"), LARGE_FAULTS)
def test_no_fault_loses_a_large_mail_or_doubles_it(world, monkeypatch, kind, on):
    photo = write_large(world, monkeypatch)
    world.graph.released.set()
    world.graph.fail(kind, on=on)
    send_all(world)
    assert world.graph.faults == [] and [row.state for row in every(world, OutgoingMail)] == ["sent"]
    (raw,) = world.graph.outside
    assert [part.get_content() for part in message_from_bytes(raw, policy=policy.default).iter_attachments()] == [photo]
    poll(world)
    assert len(every(world, Ticket)) == 1


def test_a_large_mail_without_the_right_fails_at_once_and_says_which(world, monkeypatch):
    write_large(world, monkeypatch)
    world.graph.may_write = False
    send_all(world)
    (row,) = every(world, OutgoingMail)
    assert row.state == "failed" and "add it to the application in Microsoft Entra" in row.last_error
    assert world.graph.outside == [] and len(world.graph.asked("POST /v1.0")) == 1


def test_the_test_button_speaks_to_microsoft(world):
    with world.database.unit_of_work() as uow:
        ask_check(uow, world.mailbox_id, change=by_alice(world))
    fetch_next(world)
    row = load(world, world.mailbox_id)
    assert row.check_ok and "Reading works: 0 messages in inbox." in row.check_result
    assert "Signed in at Microsoft 365 as help@shop.example" in row.check_result


def test_a_wrong_secret_is_said_on_the_mailbox_and_mended_on_the_page(world):
    world.graph.login.secret = "another"
    world.graph.login.access.clear()
    poll(world)
    assert "refuses the client secret" in load(world, world.mailbox_id).last_error
    arrive(world, 1)
    save(world, replace(FORM, client_secret="another"), world.mailbox_id)
    poll(world, 0)
    poll(world)
    assert subjects(world) == ["Printer 1"] and load(world, world.mailbox_id).last_error == ""


def test_a_folder_that_disappears_is_named_and_read_again_when_it_is_back(world):
    place = world.graph.box.add_folder("Requests")
    save(world, replace(FORM, folders=("inbox", "Requests")), world.mailbox_id)
    poll(world)
    world.graph.box.remove_folder(place)
    arrive(world, 1)
    poll(world)
    assert "The folder Requests does not exist" in load(world, world.mailbox_id).last_error
    assert subjects(world) == ["Printer 1"]  # the other folder is read all the same
    assert timedelta(0) < load(world, world.mailbox_id).next_at - world.clock.now()
