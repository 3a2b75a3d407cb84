"""Tokens in the database: sealed, renewed by one process at a time, and never an old one over a new one."""

import threading
import time

import pytest

from portal.core.errors import GatewayError
from portal.integrations.oauth.tokens import AccessTokens
from portal.models import MailToken
from portal.services.mail_tokens import LEASE, MailTokens, open_account
from portal.services.mailboxes import delete_mailbox
from tests.services.graph_world import every, running_world, save
from tests.services.mail_world import load
from tests.services.runtime_world import write


@pytest.fixture
def world(tmp_path):
    with running_world(tmp_path) as world:
        world.mailbox_id = save(world)
        yield world


@pytest.fixture
def store(world):
    return MailTokens(world, world.mailbox_id, wait=lambda seconds: None)


def test_tokens_are_sealed_and_read_back_by_any_process(world, store):
    assert store.load() == ""
    store.save("secret tokens")
    (row,) = every(world, MailToken)
    assert row.sealed == "sealed:secret tokens" and row.authorized_at == row.changed_at == world.clock.now()
    assert MailTokens(world, world.mailbox_id).load() == "secret tokens"


def test_tokens_of_another_key_file_need_a_person(world, store):
    with world.database.unit_of_work() as uow:
        uow.session.add(MailToken(mailbox_id=world.mailbox_id, sealed="other key", changed_at=world.clock.now()))
    with pytest.raises(GatewayError, match="cannot be opened") as caught:
        store.load()
    assert (caught.value.permanent, caught.value.code) == (True, "login")


def test_one_renews_and_the_other_waits_for_what_came_of_it(world, store):
    other = MailTokens(world, world.mailbox_id)
    seen = []
    with store.refreshing() as is_mine:
        assert is_mine
        thread = threading.Thread(target=lambda: seen.append(refresh(other)))
        thread.start()
        store.save("renewed")
    thread.join()
    # Either it saw the new tokens and leaves it at that, or it came when all was over and looks for itself.
    assert store.load() == "renewed" and len(seen) == 1
    assert every(world, MailToken)[0].authorized_at is None


class Provider:
    """Tokens that are good once renewed; a refresh takes a moment."""

    def __init__(self):
        self.renewed = []

    def current(self, tokens):
        return tokens, time.time() + 3600 if tokens.startswith("new") else 0.0

    def renew(self, tokens):
        self.renewed.append(tokens)
        return f"new {len(self.renewed)}"


def test_many_processes_at_once_renew_once_and_all_have_the_stored_token(world, store):
    store.save("old")
    provider, start, got = Provider(), threading.Barrier(4), []

    def ask():
        own = AccessTokens(provider, MailTokens(world, world.mailbox_id))  # its own, as in another process
        start.wait()
        got.append(own.get())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert provider.renewed == ["old"] and got == ["new 1"] * 4 and store.load() == "new 1"


def test_a_token_that_could_not_be_stored_is_not_used(world, store):
    """The rotated refresh token in it would be lost with the process."""
    provider = Provider()
    tokens = AccessTokens(provider, store)
    save, store.save = store.save, lambda tokens: (_ for _ in ()).throw(OSError("disk full"))
    with pytest.raises(OSError, match="full"):
        tokens.get()
    assert provider.renewed == [""] and store.load() == ""
    store.save = save
    assert tokens.get() == "new 2" == store.load()


def refresh(store):
    with store.refreshing() as is_ours:
        return is_ours


def test_who_takes_too_long_loses_and_must_not_save(world, store):
    other = MailTokens(world, world.mailbox_id)
    with store.refreshing() as is_mine:
        assert is_mine
        world.clock.move(LEASE.total_seconds() + 1)
        with other.refreshing() as is_theirs:
            assert is_theirs
            other.save("theirs")
        with pytest.raises(GatewayError, match="meanwhile") as caught:
            store.save("mine, too late")
    assert not caught.value.permanent and store.load() == "theirs"


def test_nobody_takes_over_while_the_clock_is_unsure(world, store):
    with store.refreshing():
        world.clock.move(LEASE.total_seconds() + 1)
        world.clock.is_settled = False
        assert not MailTokens(world, world.mailbox_id)._take("other")


def test_a_person_who_signs_in_wins_over_a_renewal_under_way(world, store):
    with store.refreshing():
        MailTokens(world, world.mailbox_id).save("a person's")
        with pytest.raises(GatewayError, match="meanwhile"):
            store.save("renewed from the old ones")
    assert store.load() == "a person's"


def test_the_lease_is_given_back_also_after_trouble(store):
    with pytest.raises(ZeroDivisionError), store.refreshing():
        _ = 1 / 0
    assert refresh(store)


def test_an_account_opens_with_its_tokens(world, store):
    account = open_account(load(world, world.mailbox_id), world)
    assert account.oauth["client_secret"] and account.kind == "graph"
    account.tokens.save("x")
    assert store.load() == "x"
    write(world, delete_mailbox, world.mailbox_id)
    assert store.load() == ""
