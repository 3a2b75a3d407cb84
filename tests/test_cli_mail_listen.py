"""The mailboxes from the command line, against a real Dovecot and a server that says nothing."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from portal.cli import main
from portal.cli_mail_listen import Listener
from portal.config import load_config
from portal.models import MailboxRow, MailFolder, Ticket
from portal.services.audit import Change
from portal.services.mailboxes import MailboxForm, Server, save_mailbox
from portal.wiring import build
from tests.dovecot import Dovecot, running_dovecot
from tests.mails import mail_bytes


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """The command line over a fresh data folder."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    monkeypatch.delenv("NIGHTDESK_DATABASE_URL", raising=False)

    def run(*words: str, code: int = 0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    run("db", "upgrade")
    return run


def add(dovecot: Dovecot, name: str, *, port: int = 0, user: str = "") -> str:
    user = user or f"{name.lower()}{time.monotonic_ns()}"
    dovecot.create_user(user, "secret")
    context = build(load_config())
    form = MailboxForm(name, f"{name}@shop.example", Server("127.0.0.1", port or dovecot.port, "plain", user, "secret"))
    with context.database.unit_of_work() as uow:
        save_mailbox(uow, form, box=context.box, change=Change(None, context.clock.now()))
    return user


def deliver(dovecot: Dovecot, user: str, words: str = "It burns.") -> None:
    raw = mail_bytes(words, message_id=f"<{time.monotonic_ns()}@customer.example>")
    dovecot.append(user, "secret", raw, at=datetime.now(UTC))


def count(model) -> int:
    with build(load_config()).database.read_session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_without_a_mailbox_there_is_nothing_to_read(portal):
    assert "No mailbox is set up" in portal("mail", "listen", "--once", code=2).output
    assert portal("mail", "check").output == ""


def test_each_read_is_a_line_and_its_mails_become_tickets(portal, dovecot):
    user = add(dovecot, "Help")
    assert "Help: nothing new" in portal("mail", "listen", "--once").output
    deliver(dovecot, user)
    assert "Help: 1 new" in portal("mail", "listen", "--once").output and count(Ticket) == 1


def test_a_mailbox_that_cannot_be_read_is_named_and_the_exit_code_says_so(portal, dovecot):
    user = add(dovecot, "Good")
    add(dovecot, "Broken", port=1)
    portal("mail", "listen", "--once", code=1)
    deliver(dovecot, user)
    output = portal("mail", "listen", "--once", code=1).output
    assert "Good: 1 new" in output and "Broken: The mail server 127.0.0.1 broke off" in output


def test_what_was_missed_comes_in_and_what_cannot_be_compared_makes_the_check_fail(portal, dovecot):
    user = add(dovecot, "Help")
    portal("mail", "listen", "--once")
    deliver(dovecot, user)
    context = build(load_config())
    with context.database.unit_of_work() as uow:  # reading passed the mail without seeing it
        folder = uow.session.scalars(select(MailFolder)).one()
        folder.cursor = folder.cursor.replace(":0", ":1")
    portal("mail", "listen", "--once")
    assert count(Ticket) == 0
    check = portal("mail", "check", "--days", "3")
    assert check.stdout == "Help: 1 message compared, 1 had been missed and came in now.\n"
    assert "mails had been missed" in check.stderr
    add(dovecot, "Broken", port=1)
    assert "Broken: Could not be compared: not read yet" in portal("mail", "check", code=1).output
    with context.database.read_session() as session:
        results = dict(session.execute(select(MailboxRow.name, MailboxRow.reconcile_result)).all())
    assert results["Help"] == "1 message compared, none was missed."


def test_a_hanging_mailbox_holds_up_no_other(portal, dovecot):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        user = add(dovecot, "Good")
        add(dovecot, "Hanging", port=silent.getsockname()[1])
        context, lines = build(load_config()), []
        listener = Listener(context, lines.append)
        runner = threading.Thread(target=lambda: listener.run(lanes=2), daemon=True)
        runner.start()
        _wait(lambda: any("Good: nothing new" in line for line in lines))
        deliver(dovecot, user)
        with context.database.unit_of_work() as uow:
            for row in uow.session.scalars(select(MailboxRow).where(MailboxRow.name == "Good")):
                row.next_at = context.clock.now()
        _wait(lambda: any("Good: 1 new" in line for line in lines))
        assert not any("Hanging" in line for line in lines), "it still says nothing"
        listener.stop()
        context.mail.close()
        runner.join(10)
        assert not runner.is_alive()


def test_ctrl_c_ends_it_in_order(portal, dovecot):
    add(dovecot, "Help")
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.cli", "mail", "listen"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=_hear_ctrl_c,
    )
    try:
        assert process.stdout is not None
        assert "Help: nothing new" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0 and "Stopping." in output and "Traceback" not in output
    finally:
        process.kill()


def _hear_ctrl_c() -> None:
    """A test run in the background was told to ignore Ctrl-C, and its children would be, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait(is_true) -> None:
    give_up = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < give_up
        threading.Event().wait(0.02)
