"""Signing in at a terminal: a link to paste back, a code to type elsewhere, an application by its own right."""

from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal import cli_mail_authorize
from portal.cli import main
from portal.config import load_config
from portal.models import MailboxRow, MailToken
from portal.services.audit import Change
from portal.services.mailboxes_graph import save_graph_mailbox
from portal.wiring import build
from tests.graph_simulator import running_graph
from tests.login_simulator import SECRET
from tests.services.graph_world import FORM, place_of


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """The command line over a fresh data folder, and a Microsoft 365 to sign in at."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    monkeypatch.delenv("NIGHTDESK_DATABASE_URL", raising=False)
    assert CliRunner().invoke(main, ["db", "upgrade"]).exit_code == 0
    with running_graph() as graph:
        yield graph


def add(graph, flow):
    context = build(load_config())
    form = FORM if flow == "app" else replace(FORM, client_secret="")
    with context.database.unit_of_work() as uow:
        change = Change(None, context.clock.now())
        save_graph_mailbox(uow, form, place_of(graph, flow=flow), box=context.box, change=change)


def tokens():
    with build(load_config()).database.read_session() as session:
        return session.scalars(select(MailToken)).all(), session.scalars(select(MailboxRow)).one()


def run(name="Help", *, code=0, typed=None):
    result = CliRunner().invoke(main, ["mail", "authorize", name], input=typed)
    assert result.exit_code == code, result.output
    return result.output


def test_an_application_needs_nobody(desk):
    add(desk, "app")
    assert "by its own right" in run("help")
    (row,), _ = tokens()
    assert row.sealed and row.authorized_at and SECRET not in row.sealed


def test_a_person_pastes_the_address_back(desk, monkeypatch):
    add(desk, "code")
    shown = []
    monkeypatch.setattr(cli_mail_authorize.click, "echo", lambda text="", **more: shown.append(str(text)))

    def prompt(text):
        address = next(word for text in shown for word in text.split() if word.startswith("https://"))
        return desk.login.approve(address)

    monkeypatch.setattr(cli_mail_authorize.click, "prompt", prompt)
    run()
    assert shown[-1] == "Signed in as dana@shop.example." and len(tokens()[0]) == 1


def test_a_wrong_paste_is_asked_for_again_and_one_of_another_try_is_refused(desk, monkeypatch):
    add(desk, "code")
    shown, given = [], []
    monkeypatch.setattr(cli_mail_authorize.click, "echo", lambda text="", **more: shown.append(str(text)))

    def prompt(text):
        address = next(word for text in shown for word in text.split() if word.startswith("https://"))
        given.append(len(given))
        return ("", "https://example.com/?x=1", "nonsense", desk.login.approve(address))[given[-1]]

    monkeypatch.setattr(cli_mail_authorize.click, "prompt", prompt)
    run()
    assert shown[-1] == "Signed in as dana@shop.example." and len(given) == 4
    foreign = desk.login.approve("https://x/?redirect_uri=https://y/&state=another")
    monkeypatch.setattr(cli_mail_authorize.click, "prompt", lambda text: foreign)
    run(code=1)
    assert "belongs to another try" in shown[-1]


@pytest.mark.parametrize("number", [54005, 70008])
def test_an_address_that_was_used_or_is_too_old_is_named(desk, monkeypatch, number):
    add(desk, "code")
    shown = []
    monkeypatch.setattr(cli_mail_authorize.click, "echo", lambda text="", **more: shown.append(str(text)))
    monkeypatch.setattr("tests.login_simulator._error", lambda name, _, text: {
        "error": name, "error_description": f"AADSTS{number}: {text}", "error_codes": [number]
    })  # fmt: skip

    def prompt(text):
        answer = desk.login.approve(next(w for t in shown for w in t.split() if w.startswith("https://")))
        desk.login.codes.clear()
        return answer

    monkeypatch.setattr(cli_mail_authorize.click, "prompt", prompt)
    run(code=1)
    assert "has expired, or was used before" in shown[-1] and tokens()[0] == []


def test_a_code_is_waited_for_while_the_sign_in_is_away(desk, monkeypatch):
    add(desk, "device")
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) < 3:
            desk.fail(503 if len(waited) == 1 else "reset", on="/token")
        else:
            desk.login.approve_device()

    monkeypatch.setattr(cli_mail_authorize.time, "sleep", sleep)
    assert "Signed in as dana@shop.example." in run() and len(waited) == 3
    desk.login.devices.clear()

    monkeypatch.setattr(cli_mail_authorize.time, "sleep", lambda seconds: desk.login.approve_device("declined"))
    assert "was declined" in run(code=1)


def test_a_code_is_waited_for(desk, monkeypatch):
    add(desk, "device")
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            desk.login.approve_device()

    monkeypatch.setattr(cli_mail_authorize.time, "sleep", sleep)
    output = run()
    assert "type F4NGRTP8" in output and "Signed in as dana@shop.example." in output and waited == [5.0, 5.0]


def test_what_goes_wrong_is_one_sentence(desk):
    add(desk, "app")
    desk.login.secret = "another"
    assert run(code=1).strip() == "Microsoft refuses the client secret. Enter its value, not its id."
    assert "Those that do: Help." in run("Other", code=1)
    assert len(tokens()[0]) <= 1
