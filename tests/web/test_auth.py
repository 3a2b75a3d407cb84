"""Every route says who may open it, and the guard holds everybody to it."""

import re

import pytest
from flask import Flask

from portal.core.permissions import ACTIONS, Role, is_allowed
from portal.web.auth import PUBLIC, SETUP, access_of, carries_signature, check_every_view, public, requires

WHO = {"admin": "alice", "manager": "carol", "technician": "bob", "viewer": "vera"}


def rules_of(app):
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


def address(rule):
    """Some address of the route: every part that may vary is a 1, which fits every converter but that of a date."""
    path = re.sub(r"<date:[^>]+>", "2026-12-25", rule.rule)
    return re.sub(r"<[^>]+>", "1", path)


def send(browser, method, path):
    return browser.client.open(path, method=method)


def test_every_route_declares_an_action_of_the_table_or_is_public(web):
    for rule, _ in rules_of(web.app):
        assert access_of(web.app, rule.endpoint) in {PUBLIC, SETUP, *ACTIONS}, rule.endpoint


def test_a_view_that_forgot_to_declare_stops_the_start():
    app = Flask("empty", static_folder=None)
    app.add_url_rule("/x", "x", lambda: "")
    with pytest.raises(RuntimeError, match="no access declared for: x"):
        check_every_view(app)


def test_an_action_nobody_has_heard_of_stops_the_start():
    with pytest.raises(KeyError):
        requires("tickets.destroy")


def test_every_action_of_the_table_protects_something_or_is_asked_by_a_page(web):
    used = {access_of(web.app, rule.endpoint) for rule, _ in rules_of(web.app)}
    assert len(set(ACTIONS) - used) <= 2, set(ACTIONS) - used


@pytest.mark.parametrize("role", list(Role))
def test_each_role_opens_what_it_may_and_nothing_else(web, role):
    browser = web.as_(WHO[role])
    for rule, method in rules_of(web.app):
        access = access_of(web.app, rule.endpoint)
        if access in ACTIONS and not is_allowed(role, access):
            status = send(browser, method, address(rule)).status_code
            assert status == 403, f"{role} {method} {rule.rule} ({access}): {status}"


@pytest.mark.parametrize("role", list(Role))
def test_each_role_reads_every_page_without_a_part_that_varies(web, role):
    browser = web.as_(WHO[role])
    for rule, method in rules_of(web.app):
        access = access_of(web.app, rule.endpoint)
        if method == "GET" and access in ACTIONS and is_allowed(role, access) and not rule.arguments:
            status = send(browser, method, rule.rule).status_code
            assert status not in (401, 403) and status < 500, f"{role} {rule.rule}: {status}"


def test_an_anonymous_visitor_gets_to_the_sign_in_page_from_everywhere(web):
    browser = web.anonymous()
    for rule, method in rules_of(web.app):
        if access_of(web.app, rule.endpoint) in ACTIONS:
            answer = send(browser, method, address(rule))
            assert answer.status_code == 303, f"{method} {rule.rule}: {answer.status_code}"
            assert answer.headers["Location"].startswith("/login")


def test_a_forged_form_is_refused_everywhere_but_at_signed_webhooks(web):
    web.app.config["WTF_CSRF_ENABLED"] = True
    browser = web.as_("alice")
    for rule, method in rules_of(web.app):
        if method == "GET" or carries_signature(web.app.view_functions[rule.endpoint]):
            continue
        answer = send(browser, method, address(rule))
        assert answer.status_code == 400, f"{method} {rule.rule}: {answer.status_code}"
        if access_of(web.app, rule.endpoint) in ACTIONS:
            assert "This form was not made by us" in answer.get_data(as_text=True)


def test_a_form_with_its_token_is_taken_also_after_a_night(web):
    web.app.config["WTF_CSRF_ENABLED"] = True
    alice = web.as_("alice")
    token = alice.get("/settings/live").soup.select("main input[name=csrf_token]")[0]["value"]
    web.clock.pass_by(hours=14)
    alice.post("/settings/live", {"csrf_token": token, "live": "no"}, status=303)


@pytest.mark.parametrize("path", ["/login", "/settings", "/nowhere"])
def test_every_answer_carries_the_headers_that_protect_it(web, path):
    headers = web.as_("alice").client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"] == "max-age=31536000"  # the site's address is https
    assert "HX-Request" in headers["Vary"]


def test_a_session_of_another_epoch_is_nobody(web):
    browser = web.as_("bob")
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = "2.99"
    browser.get("/account/password", status=303)


@pytest.mark.parametrize("stored", ["", "x", "2", "999.0", "2.0.0"])
def test_a_session_that_makes_no_sense_is_nobody(web, stored):
    browser = web.anonymous()
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = stored
    browser.get("/account/password", status=303)


def test_public_views_say_so():
    assert public(lambda: "").access == PUBLIC
