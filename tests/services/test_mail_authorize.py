"""A person signs in for a mailbox: the page asks, a worker speaks to the provider, nobody calls outside in between."""

from dataclasses import replace

import pytest

from portal.core.errors import DomainError
from portal.integrations.oauth.refusals import SIGN_IN_AGAIN
from portal.services.checks import check_next
from portal.services.mail_authorize import (
    SIGN_IN,
    STILL_WAITING,
    begin_sign_in,
    check_name,
    find_by_name,
    finish_sign_in,
    load_sign_in,
    record_signed_in,
    try_sign_in,
)
from portal.services.mail_tokens import MailTokens
from tests.services.graph_world import FORM, poll, running_world, save
from tests.services.mail_world import add_mailbox, load
from tests.services.runtime_world import read, write

PERSON = replace(FORM, client_secret="")


@pytest.fixture
def world(tmp_path):
    with running_world(tmp_path) as world:
        yield world


def view(world, mailbox_id):
    return read(world, load_sign_in, load(world, mailbox_id))


def begin(world, mailbox_id):
    write(world, begin_sign_in, mailbox_id)
    assert view(world, mailbox_id).is_busy
    return work(world, mailbox_id)


def finish(world, mailbox_id, answer=""):
    with world.database.unit_of_work() as uow:
        from tests.services.runtime_world import by_alice

        finish_sign_in(uow, mailbox_id, answer=answer, box=world.box, change=by_alice(world))
    return work(world, mailbox_id)


def work(world, mailbox_id):
    assert check_next(world, {SIGN_IN: try_sign_in})
    return view(world, mailbox_id)


def test_a_link_is_followed_and_its_address_pasted(world):
    mailbox_id = save(world, PERSON, flow="code")
    before = view(world, mailbox_id)
    assert before.needs_person and before.url == "" and before.signed_in_at is None
    step = begin(world, mailbox_id)
    assert step.url.startswith("https://login.microsoftonline.com/") and step.code == "" and step.last.is_ok
    row = load(world, mailbox_id)
    assert "code_verifier" in row.secrets[SIGN_IN] and "code_verifier" not in str(row.options)
    done = finish(world, mailbox_id, world.graph.login.approve(step.url))
    assert done.last.result == "Signed in as dana@shop.example." and done.last.is_ok
    assert done.url == "" and done.signed_in_at == world.clock.now()
    assert SIGN_IN not in load(world, mailbox_id).secrets
    poll(world)
    assert load(world, mailbox_id).last_error == "" and load(world, mailbox_id).last_ok_at == world.clock.now()


def test_a_code_is_typed_elsewhere_and_looked_for_on_a_button(world):
    mailbox_id = save(world, PERSON, flow="device")
    step = begin(world, mailbox_id)
    assert (step.url, step.code) == ("https://microsoft.com/devicelogin", "F4NGRTP8") and step.expires_at
    waiting = finish(world, mailbox_id)
    assert (waiting.last.is_ok, waiting.last.result) == (False, STILL_WAITING) and waiting.code == step.code
    world.graph.login.approve_device()
    assert finish(world, mailbox_id).last.result == "Signed in as dana@shop.example."


def test_an_application_is_tried_out_in_one_step(world):
    mailbox_id = save(world)
    done = begin(world, mailbox_id)
    assert not done.needs_person and (done.last.is_ok, done.last.result) == (True, "Signed in.")
    assert "AccessToken" in MailTokens(world, mailbox_id).load()


def test_a_wrong_paste_may_be_mended_and_a_used_one_begins_anew(world):
    mailbox_id = save(world, PERSON, flow="code")
    step = begin(world, mailbox_id)
    wrong = finish(world, mailbox_id, "https://example.com")
    assert not wrong.last.is_ok and "not the address" in wrong.last.result and wrong.url == step.url
    answer = world.graph.login.approve(step.url)
    world.graph.login.codes.clear()
    used = finish(world, mailbox_id, answer)
    assert "used before" in used.last.result and used.url == ""
    with pytest.raises(DomainError, match="begin to sign in first"):
        finish(world, mailbox_id, answer)


def test_nothing_pasted_is_said_at_once(world):
    mailbox_id = save(world, PERSON, flow="code")
    begin(world, mailbox_id)
    with pytest.raises(DomainError, match="paste the address"):
        finish(world, mailbox_id, "  ")


def test_a_provider_that_is_away_is_the_answer_and_not_an_error(world):
    mailbox_id = save(world, PERSON, flow="code")
    world.graph.fail(503, on="openid")
    away = begin(world, mailbox_id)
    assert (away.last.is_ok, away.last.result) == (False, "Microsoft's sign-in cannot be reached.")


def test_a_revoked_sign_in_is_said_on_the_mailbox_until_somebody_signs_in_again(world):
    mailbox_id = save(world, PERSON, flow="code")
    finish(world, mailbox_id, world.graph.login.approve(begin(world, mailbox_id).url))
    poll(world)
    world.graph.login.revoke()
    world.graph.fail(401)
    poll(world)
    assert load(world, mailbox_id).last_error == SIGN_IN_AGAIN and load(world, mailbox_id).failing_since_at
    finish(world, mailbox_id, world.graph.login.approve(begin(world, mailbox_id).url))
    poll(world, 1)
    assert load(world, mailbox_id).last_error == "" and load(world, mailbox_id).last_ok_at == world.clock.now()


def test_who_signed_in_is_on_record_and_the_mailbox_is_read_at_once(world):
    mailbox_id = save(world, PERSON, flow="code")
    world.woken.clear()
    record_signed_in(world, mailbox_id, "dana@shop.example")
    assert {"mail_fetch", "mail_out"} <= set(world.woken) and load(world, mailbox_id).next_at == world.clock.now()
    assert check_name(mailbox_id) == f"sign_in:{mailbox_id}" and len(check_name(10**9)) <= 40


def test_a_mailbox_is_found_by_its_name(world):
    mailbox_id = save(world)
    assert read(world, find_by_name, " help ").id == mailbox_id
    with pytest.raises(DomainError, match="Those that do: Help"):
        read(world, find_by_name, "Other")


def test_a_mailbox_with_a_password_has_nothing_to_sign_in_for(world):
    from tests.services.fake_mail import FakeMailServers

    world.mail.close()
    world.mail, servers = FakeMailServers(), world.mail
    mailbox_id = add_mailbox(world)
    world.mail = servers
    assert view(world, mailbox_id) is None
    for gone in (mailbox_id, 999):
        with pytest.raises(DomainError, match="does not sign in by OAuth"):
            write(world, begin_sign_in, gone)
