from dataclasses import replace
from datetime import date

import pytest

from portal.core.errors import DomainError
from portal.models import MailFolder, MailToken
from portal.services.mail_tokens import MailTokens
from portal.services.mailboxes import load_account
from portal.services.mailboxes_graph import GraphPlace, load_place, make_form, save_graph_mailbox
from tests.graph_simulator import ADDRESS
from tests.login_simulator import CLIENT_ID, SECRET, TENANT
from tests.services.graph_world import FORM, every, place_of, running_world, save
from tests.services.mail_world import load
from tests.services.runtime_world import by_alice

KEEP = replace(FORM, client_secret="")


@pytest.fixture
def world(tmp_path):
    with running_world(tmp_path) as world:
        yield world


def test_a_mailbox_is_kept_with_its_secret_sealed(world):
    row = load(world, save(world, replace(FORM, secret_expires_on=date(2027, 5, 1))))
    assert row.kind == "graph" and row.secrets == {"oauth": f"sealed:{SECRET}"} and SECRET not in str(row.options)
    assert load_place(row) == place_of(world.graph)
    account = load_account(row, world.box)
    assert account.graph == {"address": ADDRESS, "cloud": "global", "url": world.graph.base}
    assert account.oauth["client_secret"] == SECRET and account.oauth["flow"] == "app"
    assert row.secret_expires_on == date(2027, 5, 1)
    assert [(one.name, one.role) for one in every(world, MailFolder)] == [("inbox", "inbox"), ("sentitems", "sent")]


def test_nothing_is_kept_of_a_mailbox_whose_place_is_wrong(world):
    with pytest.raises(DomainError), world.database.unit_of_work() as uow:
        save_graph_mailbox(uow, FORM, place_of(world.graph, tenant=""), box=world.box, change=by_alice(world))
    assert every(world, MailFolder) == []


def test_an_empty_secret_keeps_the_stored_one(world):
    mailbox_id = save(world)
    assert load(world, save(world, replace(KEEP, name="Desk"), mailbox_id)).secrets == {"oauth": f"sealed:{SECRET}"}


@pytest.mark.parametrize("change", [{"tenant": "other.example"}, {"client_id": CLIENT_ID.replace("a", "b")},
                                    {"login_url": "http://elsewhere.example"}, {"cloud": "us"}])  # fmt: skip
def test_a_stored_secret_goes_to_no_other_place(world, change):
    mailbox_id = save(world)
    with pytest.raises(DomainError, match="client secret again"):
        save(world, KEEP, mailbox_id, **change)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tenant": ""}, "tenant"),
        ({"tenant": "a b"}, "tenant"),
        ({"tenant": "common"}, "its own tenant"),
        ({"client_id": "my app"}, "client"),
        ({"flow": "password"}, "lists"),
        ({"cloud": "mars"}, "lists"),
        ({"graph_url": "graph.example"}, "is not an address"),
    ],
)
def test_what_is_wrong_is_said(world, changes, words):
    with pytest.raises(DomainError, match=words):
        save(world, **changes)


def test_an_application_needs_a_secret_and_a_person_need_not_have_one(world):
    with pytest.raises(DomainError, match="Please enter the client secret"):
        save(world, KEEP)
    assert load(world, save(world, KEEP, flow="device")).secrets == {}


def test_an_imap_mailbox_does_not_become_one_of_microsoft(world):
    mailbox_id = save(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(type(load(world, mailbox_id)), mailbox_id).kind = "imap"
    with pytest.raises(DomainError, match="not at Microsoft 365"):
        save(world, FORM, mailbox_id)


def test_another_account_needs_a_new_sign_in_and_the_same_does_not(world):
    mailbox_id = save(world, KEEP, flow="code")
    MailTokens(world, mailbox_id).save("tokens")
    save(world, replace(KEEP, name="Desk"), mailbox_id, flow="code")
    assert len(every(world, MailToken)) == 1
    save(world, replace(KEEP, address="other@shop.example"), mailbox_id, flow="code")
    assert every(world, MailToken) == []


def test_a_new_secret_of_an_application_counts_at_once(world):
    mailbox_id = save(world)
    MailTokens(world, mailbox_id).save("tokens made with the old one")
    save(world, replace(FORM, client_secret="new"), mailbox_id)
    assert every(world, MailToken) == []


def test_blanks_around_what_is_pasted_do_not_matter():
    form = make_form(FORM, GraphPlace(f" {TENANT} ", f"{CLIENT_ID}\n", graph_url="https://graph.example/ "))
    assert (form.oauth["tenant"], form.oauth["client_id"]) == (TENANT, CLIENT_ID)
    assert form.graph["url"] == "https://graph.example" and form.kind == "graph"
