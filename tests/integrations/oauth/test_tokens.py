import threading
import time

import pytest

from portal.core.errors import GatewayError
from portal.core.ports import MailAccount, SignInStep
from portal.integrations.oauth.google import GoogleProvider
from portal.integrations.oauth.microsoft import MicrosoftProvider
from portal.integrations.oauth.tokens import AccessTokens, MemoryTokens, SignIn, make_provider


class FakeProvider:
    """Tokens are "name until"."""

    def __init__(self):
        self.renewed = 0

    def current(self, tokens):
        name, _, until = tokens.partition(" ")
        return name, float(until or 0)

    def renew(self, tokens):
        self.renewed += 1
        return f"token-{self.renewed} {time.time() + 3600}"

    def begin(self):
        return SignInStep("https://login.example", state="s")

    def finish(self, state, answer):
        return (f"person {time.time() + 3600}", "dana") if answer else ("", "")


@pytest.fixture
def provider():
    return FakeProvider()


def test_a_token_is_renewed_only_when_it_ends(provider):
    store = MemoryTokens()
    tokens = AccessTokens(provider, store)
    assert [tokens() for _ in range(3)] == ["token-1"] * 3
    store.save(f"short {time.time() + 60}")
    assert AccessTokens(provider, store).get() == "token-2"


def test_what_another_process_renewed_is_used(provider):
    store = MemoryTokens()
    mine, other = AccessTokens(provider, store), AccessTokens(provider, store)
    assert mine() == other() == "token-1"
    assert mine.get(refused="token-1") == "token-2" == other.get(refused="token-1")


def test_threads_of_one_mailbox_renew_once(provider):
    tokens = AccessTokens(provider, MemoryTokens())
    threads = [threading.Thread(target=tokens) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert provider.renewed == 1


def test_somebody_else_who_takes_too_long_is_told_as_trouble_that_passes(provider):
    class Busy(MemoryTokens):
        def refreshing(self):
            from contextlib import nullcontext

            return nullcontext(False)

    with pytest.raises(GatewayError, match="Another process") as caught:
        AccessTokens(provider, Busy())()
    assert not caught.value.permanent and provider.renewed == 0


def test_a_sign_in_is_saved_when_the_person_has_finished(provider):
    store = MemoryTokens()
    sign_in = SignIn(provider, store)
    assert sign_in.begin().url and sign_in.finish("s", "") is None and store.load() == ""
    assert sign_in.finish("s", "yes") == "dana" and store.load().startswith("person ")


def test_the_account_names_its_provider():
    assert isinstance(make_provider(MailAccount("1", oauth={"client_id": "x"})), MicrosoftProvider)
    assert isinstance(make_provider(MailAccount("1", oauth={"client_id": "x", "provider": "google"})), GoogleProvider)
    with pytest.raises(GatewayError, match="does not sign in by OAuth"):
        make_provider(MailAccount("1"))


class Refusing(FakeProvider):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def renew(self, tokens):
        self.renewed += 1
        raise self.error


def ask(tokens):
    with pytest.raises(GatewayError) as caught:
        tokens.get()
    return caught.value


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (GatewayError("ended", permanent=True, code="login"), 10),
        (GatewayError("busy", retry_after=90), 90),
        (GatewayError("busy", retry_after=10**9), 3600),
    ],
)
def test_a_refusal_is_not_asked_for_a_hundred_times(monkeypatch, error, pause):
    clock = [1000.0]
    monkeypatch.setattr("portal.integrations.oauth.tokens.time.monotonic", lambda: clock[0])
    provider, store = Refusing(error), MemoryTokens()
    tokens = AccessTokens(provider, store)
    said = [ask(tokens) for _ in range(100)]
    assert {(one.message, one.permanent, one.code) for one in said} == {(error.message, error.permanent, error.code)}
    assert provider.renewed == 1
    clock[0] += pause
    ask(tokens)
    assert provider.renewed == 2
    store.save("another 1")  # somebody signed in meanwhile
    ask(tokens)
    assert provider.renewed == 3


def test_a_provider_that_is_away_is_asked_each_time():
    provider = Refusing(GatewayError("away"))
    tokens = AccessTokens(provider, MemoryTokens())
    for _ in range(2):
        ask(tokens)
    assert provider.renewed == 2
