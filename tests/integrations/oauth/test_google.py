from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.core.errors import GatewayError
from portal.integrations.oauth.google import SIGN_IN_AGAIN, GoogleProvider
from portal.integrations.oauth.settings import OAuthSettings
from tests.login_simulator import SECRET


@pytest.fixture
def provider(graph):
    return GoogleProvider(
        OAuthSettings("desk", SECRET, provider="google", login_url=graph.base, user="help@gmail.example")
    )


@pytest.fixture
def tokens(provider, login):
    step = provider.begin()
    found, who = provider.finish(step.state, login.approve(step.url))
    assert who == "help@gmail.example"
    return found


def refused(work):
    with pytest.raises(GatewayError) as caught:
        work()
    return caught.value


def test_a_person_signs_in_once_and_it_is_renewed_from_then_on(provider, login, tokens):
    first, until = provider.current(tokens)
    fresh = provider.renew(provider.renew(tokens))
    assert first in login.access and until > 0
    assert provider.current(fresh)[0] in login.access and provider.current(fresh)[0] != first
    assert login.asked == ["authorization_code", "refresh_token", "refresh_token"]


def test_the_link_asks_for_mail_and_for_a_lasting_sign_in(provider):
    asked = {key: values[0] for key, values in parse_qs(urlsplit(provider.begin().url).query).items()}
    assert (asked["scope"], asked["access_type"], asked["prompt"]) == ("https://mail.google.com/", "offline", "consent")
    assert SECRET not in str(asked)


def test_a_revoked_sign_in_asks_for_a_person(provider, login, tokens):
    login.revoke()
    error = refused(lambda: provider.renew(tokens))
    assert (error.message, error.permanent, error.code) == (SIGN_IN_AGAIN, True, "login")
    assert "Nobody has signed in" in refused(lambda: provider.renew("")).message


def test_what_is_pasted_is_looked_at(provider, login):
    step = provider.begin()
    assert refused(lambda: provider.finish(step.state, "http://127.0.0.1/?error=x")).code == "answer"
    assert "another try" in refused(lambda: provider.finish("else", login.approve(step.url))).message


@pytest.mark.parametrize(("kind", "permanent"), [(503, False), (429, False), ("reset", False), ("garbage", False)])
def test_a_fault_is_tried_again(graph, provider, tokens, kind, permanent):
    graph.fail(kind, on="/token", retry_after="7")
    error = refused(lambda: provider.renew(tokens))
    assert error.permanent is permanent and (error.retry_after == 7 or kind not in (429, 503))
    assert provider.renew(tokens)


def test_a_wrong_secret_is_said(provider):
    other = GoogleProvider(replace(provider._settings, client_secret="wrong"))
    step = other.begin()
    answer = f"http://127.0.0.1/?code=1&state={step.state}"
    assert refused(lambda: other.finish(step.state, answer)).message == "Google refuses to sign in: Unauthorized"
