"""The real msal package against our own sign-in: three ways in, renewing, and each refusal in words."""

import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.core.errors import GatewayError
from portal.integrations.oauth.microsoft import MicrosoftProvider
from portal.integrations.oauth.refusals import BY_NUMBER, SIGN_IN_AGAIN
from portal.integrations.oauth.settings import CLOUDS, OAuthSettings
from tests.login_simulator import CLIENT_ID, SECRET, TENANT


@pytest.fixture
def settings(graph):
    return OAuthSettings(CLIENT_ID, SECRET, tenant=TENANT, login_url=graph.base, user="help@shop.example")


def refused(work):
    with pytest.raises(GatewayError) as caught:
        work()
    return caught.value


def signed_in(login, settings):
    """The tokens of a person who signed in by a link."""
    provider = MicrosoftProvider(replace(settings, flow="code"))
    step = provider.begin()
    return provider, provider.finish(step.state, login.approve(step.url))[0]


def test_an_application_signs_in_by_its_own_right(login, settings):
    provider = MicrosoftProvider(settings)
    assert provider.begin().url == "" and provider.current("") == ("", 0.0)
    tokens, who = provider.finish("", "")
    access, until = provider.current(tokens)
    assert access in login.access and until > 0 and who == ""
    assert SECRET not in tokens


def test_a_person_follows_a_link_and_pastes_the_address_back(login, settings):
    provider = MicrosoftProvider(replace(settings, flow="code"))
    step = provider.begin()
    asked = {key: values[0] for key, values in parse_qs(urlsplit(step.url).query).items()}
    assert step.url.startswith("https://login.microsoftonline.com/") and step.code == ""
    assert asked["redirect_uri"] == "https://login.microsoftonline.com/common/oauth2/nativeclient"
    assert asked["code_challenge_method"] == "S256" and asked["login_hint"] == "help@shop.example"
    assert {"offline_access", "https://graph.microsoft.com/Mail.Send"} <= set(asked["scope"].split())
    assert json.loads(step.state)["code_verifier"] not in step.url  # it stays with us
    tokens, who = provider.finish(step.state, f"  {login.approve(step.url)} ")
    assert who == login.user and provider.current(tokens)[0] in login.access


def test_a_person_types_a_code_elsewhere(login, settings):
    provider = MicrosoftProvider(replace(settings, flow="device"))
    step = provider.begin()
    assert (step.url, step.code) == ("https://microsoft.com/devicelogin", "F4NGRTP8") and step.expires_at
    assert provider.finish(step.state, "") == ("", "")
    login.approve_device()
    tokens, who = provider.finish(step.state, "")
    assert who == login.user
    assert provider.current(provider.renew(tokens))[0] in login.access


@pytest.mark.parametrize(("word", "words"), [("declined", "declined"), ("expired_token", "not entered in time")])
def test_a_code_that_comes_to_nothing_is_said(login, settings, word, words):
    provider = MicrosoftProvider(replace(settings, flow="device"))
    step = provider.begin()
    login.approve_device(word)
    error = refused(lambda: provider.finish(step.state, ""))
    assert words in error.message and error.permanent


def test_a_rotated_refresh_token_is_what_is_kept(login, settings):
    provider, tokens = signed_in(login, settings)
    (first,) = login.refresh
    fresh = provider.renew(tokens)
    second = next(token for token, state in login.refresh.items() if state == "valid")
    assert second in fresh and first not in fresh and login.refresh[first] == "used"
    assert provider.current(fresh)[0] != provider.current(tokens)[0]
    assert provider.current(provider.renew(fresh))[0] in login.access


def test_a_revoked_sign_in_asks_for_a_person(login, settings):
    provider, tokens = signed_in(login, settings)
    login.revoke()
    error = refused(lambda: provider.renew(tokens))
    assert (error.message, error.permanent, error.code) == (SIGN_IN_AGAIN, True, "login")


def test_nobody_signed_in_yet(settings):
    assert (
        "Nobody has signed in" in refused(lambda: MicrosoftProvider(replace(settings, flow="code")).renew("")).message
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("7000215", "Enter its value, not its id"),
        ("7000222", "has expired"),
        ("7000999", "The provided client secret is no good"),
    ],
)
def test_what_is_wrong_with_the_secret_is_said(login, settings, number, words):
    login.secret_error = number
    error = refused(lambda: MicrosoftProvider(settings).renew(""))
    assert words in error.message and (error.permanent, error.code) == (True, "login")
    assert "Trace ID" not in error.message and SECRET not in error.message


def test_a_mended_secret_works_at_once(login, settings):
    provider = MicrosoftProvider(replace(settings, client_secret="wrong"))
    refused(lambda: provider.renew(""))
    login.secret = "wrong"
    assert provider.renew("")  # msal alone would repeat its refusal for a minute


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tenant": "elsewhere"}, "does not know this tenant"),
        ({"client_id": "other"}, "does not know this application"),
    ],
)
def test_a_wrong_id_is_told_from_the_other(settings, changes, words):
    error = refused(lambda: MicrosoftProvider(replace(settings, **changes)).renew(""))
    assert words in error.message and error.permanent


@pytest.mark.parametrize(
    ("kind", "on"),
    [(503, "openid"), (503, "/token"), ("reset", "/token"), ("garbage", "/token"), ("garbage", "openid")],
)
def test_a_sign_in_out_of_order_is_tried_again(graph, settings, kind, on):
    graph.fail(kind, on=on, retry_after="11")
    error = refused(lambda: MicrosoftProvider(settings).renew(""))
    assert not error.permanent and (error.retry_after == 11 or kind != 503)
    assert MicrosoftProvider(settings).renew("")


def test_a_sign_in_that_never_answers_is_given_up(graph, settings):
    graph.fail("hang", on="/token")
    assert not refused(lambda: MicrosoftProvider(replace(settings, timeout=0.3)).renew("")).permanent


def test_what_is_pasted_is_looked_at(login, settings):
    provider = MicrosoftProvider(replace(settings, flow="code"))
    step = provider.begin()
    assert refused(lambda: provider.finish(step.state, "https://example.com/")).code == "answer"
    other = login.approve(provider.begin().url)
    assert "another try" in refused(lambda: provider.finish(step.state, other)).message
    denied = "https://login.microsoftonline.com/x?error=access_denied&error_description=No&state="
    state = parse_qs(urlsplit(step.url).query)["state"][0]
    assert "declined" in refused(lambda: provider.finish(step.state, denied + state)).message
    answer = login.approve(step.url)
    provider.finish(step.state, answer)
    assert "used before" in refused(lambda: provider.finish(step.state, answer)).message


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_signs_in_at_its_own_place(cloud, monkeypatch):
    asked = []

    def request(self, method, url, **more):
        asked.append(url)
        raise __import__("requests").ConnectionError

    monkeypatch.setattr("requests.Session.request", request)
    settings = OAuthSettings(CLIENT_ID, SECRET, tenant=TENANT, cloud=cloud)
    refused(lambda: MicrosoftProvider(settings).renew(""))
    assert asked[0].startswith(f"{CLOUDS[cloud].login}/{TENANT}/")
    assert settings.scopes == [f"{CLOUDS[cloud].graph}/.default"]
    imap = replace(settings, protocol="imap", flow="code")
    assert imap.scopes[0] == f"{CLOUDS[cloud].outlook}/IMAP.AccessAsUser.All"


def test_a_secret_is_in_no_words(settings):
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("number", BY_NUMBER)
def test_every_number_we_know_has_its_words(login, settings, number):
    login.secret_error = number
    error = refused(lambda: MicrosoftProvider(settings).renew(""))
    assert error.message == BY_NUMBER[number] and error.permanent and "AADSTS" not in error.message


@pytest.mark.parametrize("number", ["90033", "90055"])
def test_a_number_that_passes_by_itself_is_waited_for(login, settings, number):
    login.secret_error = number
    assert not refused(lambda: MicrosoftProvider(settings).renew("")).permanent


@pytest.mark.parametrize(("status", "waits"), [(429, 33), (408, None), (302, None)])
def test_a_sign_in_that_makes_us_wait_ends_nothing(graph, settings, status, waits):
    graph.fail(status, on="/token", retry_after="33" if waits else "", location="https://elsewhere.example/")
    error = refused(lambda: MicrosoftProvider(settings).renew(""))
    assert (error.permanent, error.retry_after) == (False, waits)
    assert len(graph.asked("/token")) == 1
