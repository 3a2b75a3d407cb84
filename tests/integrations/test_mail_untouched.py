"""Nothing is marked, moved or deleted in a mailbox: everything that Nightdesk does to a real one, and what is left."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.integrations.mail_transport import MailServers
from portal.models import MailboxRow, MailLedger
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from portal.services.mail_reconcile import ask_reconcile, check_mailboxes
from portal.services.mailboxes import Server, ask_check
from portal.services.triage import triage_next
from tests.chaos.post import write_post
from tests.dovecot import Dovecot, running_dovecot
from tests.services.mail_world import add_mailbox, make_mail_world
from tests.services.runtime_world import by_alice
from tests.smtp_sink import SmtpSink, running_smtp_sink

NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)  # past: Dovecot takes no date that has not come yet
READING = {
    "CAPABILITY", "LOGIN", "AUTHENTICATE", "STARTTLS", "EXAMINE", "UID SEARCH", "UID FETCH", "LIST", "LOGOUT", "NOOP",
    "ID", "ENABLE",
}  # fmt: skip


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        server.create_user("quiet", "secret")
        yield server


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running_smtp_sink() as server:
        yield server


@pytest.fixture
def world(tmp_path, dovecot, sink):
    world = make_mail_world(tmp_path)
    world.clock.product = NIGHT
    imap = Server("127.0.0.1", dovecot.port, "plain", "quiet", "secret")
    smtp = Server("127.0.0.1", sink.port, "plain")
    world.mailbox_id = add_mailbox(world, imap=imap, smtp=smtp, read_from_at=NIGHT - timedelta(days=1))
    world.mail = MailServers()
    yield world
    world.mail.close()


@pytest.fixture
def commands(monkeypatch):
    """Every command that is sent to an IMAP server."""
    sent: list[str] = []
    send = imaplib.IMAP4._command

    def note(self, name, *args):
        sent.append(f"{name} {args[0]}" if name == "UID" else name)
        assert name != "UID" or args[0] != "FETCH" or "BODY[" not in args[2].replace("BODY.PEEK[", ""), args
        return send(self, name, *args)

    monkeypatch.setattr(imaplib.IMAP4, "_command", note)
    return sent


def deliver(dovecot, raws):
    for n, raw in enumerate(raws):
        dovecot.append("quiet", "secret", raw, at=NIGHT + timedelta(seconds=n))


def look(dovecot):
    """(flags, bytes) of every message, as an ordinary client sees them."""
    client = imaplib.IMAP4("127.0.0.1", dovecot.port, timeout=10)
    client.login("quiet", "secret")
    client.select("INBOX", readonly=True)
    _, data = client.fetch("1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
    _, folders = client.list()
    client.logout()
    pieces = [piece for piece in data if isinstance(piece, tuple)]
    return [(piece[0].replace(b"\\Recent", b""), piece[1]) for piece in pieces], sorted(folders)


def poll(world):
    world.clock.move(20)
    for step in (fetch_next, take_next, triage_next):
        while step(world):
            continue


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_after_reading_comparing_and_testing_the_mailbox_is_as_it_was(world, dovecot, commands):
    raws = [letter.raw for letter in write_post(30)]
    deliver(dovecot, raws)
    before = look(dovecot)
    commands.clear()
    poll(world)
    with world.database.unit_of_work() as uow:
        ask_check(uow, world.mailbox_id, change=by_alice(world))
        ask_reconcile(uow, now=world.clock.now())
    poll(world)
    check_mailboxes(world, days=2)
    assert set(commands) <= READING, "something else than reading was asked for"
    (mailbox,) = every(world, MailboxRow)
    assert mailbox.check_ok and mailbox.reconciled_at is not None
    assert [row.state for row in every(world, MailLedger)] == ["done"] * len(raws)
    assert look(dovecot) == before and [raw for _, raw in before[0]] == raws


def test_what_breaks_between_reading_and_the_commit_leaves_the_mailbox_as_it_was(world, dovecot, commands, monkeypatch):
    before = look(dovecot)
    poll(world)
    deliver(dovecot, [letter.raw for letter in write_post(3, seed=3)])
    after = look(dovecot)
    with monkeypatch.context() as broken:
        broken.setattr(world.database, "unit_of_work", _Broken(world.database.unit_of_work, 1))
        world.clock.move(20)
        with pytest.raises(RuntimeError, match="no commit"):
            fetch_next(world)
    assert look(dovecot) == after and len(after[0]) == len(before[0]) + 3
    world.clock.move(3600)
    poll(world)
    assert set(commands) - {"SELECT", "APPEND", "FETCH"} <= READING | {"LOGOUT"}
    assert look(dovecot) == after and len(every(world, MailLedger)) >= 3


class _Broken:
    """The first units of work commit, what comes then does not."""

    def __init__(self, real, good):
        self.real, self.good = real, good

    def __call__(self):
        self.good -= 1
        if self.good < 0:
            raise RuntimeError("no commit")
        return self.real()
