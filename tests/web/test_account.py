"""Signing in and out, the throttle, passwords, one-time links."""

import pytest
from sqlalchemy import select

from portal.models import User
from portal.services import people
from portal.services.audit import Change
from tests.web.conftest import NOW

PASSWORD = "correct horse"


@pytest.fixture
def world(web):
    """Bob has a password."""
    with web.database.unit_of_work() as uow:
        user = uow.session.scalars(select(User).where(User.email == "bob@a.example")).one()
        people.set_password(uow, user, people.make_password(PASSWORD), change=Change(None, NOW))
    return web


def sign_in(browser, password=PASSWORD, email="bob@a.example", query="", **kwargs):
    return browser.post(f"/login{query}", {"email": email, "password": password}, **kwargs)


def make_link(web, purpose=people.RESET):
    with web.database.unit_of_work() as uow:
        user = uow.session.scalars(select(User).where(User.email == "bob@a.example")).one()
        return people.make_link(uow, user, purpose, random=web.context.random, change=Change(None, web.clock.now()))


def test_the_right_password_leads_to_the_dashboard_and_is_noted(world):
    bob = world.anonymous()
    page = sign_in(bob, email=" Bob@A.example ", status=303)
    assert page.response.headers["Location"] == "/dashboard"
    bob.get("/account/password")
    with world.database.read_session() as session:
        assert session.get(User, 2).last_seen_at == NOW


@pytest.mark.parametrize(("email", "password"), [("bob@a.example", "wrong"), ("nobody@a.example", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_look_alike(world, email, password):
    page = sign_in(world.anonymous(), password, email, status=422)
    assert "Address and password do not fit together." in page.text
    assert page.one("input[name=email]")["value"] == email
    assert page.one("input[name=password]").get("value", "") == ""


def test_a_member_without_a_password_cannot_sign_in_with_none(world):
    sign_in(world.anonymous(), "x", "carol@a.example", status=422)


def test_a_disabled_member_cannot_sign_in(world):
    with world.database.unit_of_work() as uow:
        people.disable_person(uow, 2, change=Change(1, NOW))
    sign_in(world.anonymous(), status=422)


def test_after_five_wrong_passwords_even_the_right_one_waits_a_quarter_of_an_hour(world):
    guest = world.anonymous()
    for _ in range(5):
        sign_in(guest, "wrong", status=422)
    assert "Please wait a quarter of an hour." in sign_in(guest, status=429).text
    world.clock.pass_by(minutes=16)
    sign_in(guest, status=303)


def test_an_address_that_tries_many_accounts_is_throttled_too(world):
    guest = world.anonymous()
    with world.database.unit_of_work() as uow:
        for n in range(30):
            people.begin_sign_in(uow, f"user{n}@a.example", "127.0.0.1", now=NOW)
    sign_in(guest, status=429)


def test_logging_out_ends_the_session(world):
    bob = world.as_("bob")
    bob.post("/logout", status=303)
    assert bob.get("/account/password", status=303).response.headers["Location"].startswith("/login")
    bob.get("/logout", status=405)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("?next=/tickets?page=2", "/tickets?page=2"),
        ("?next=https://evil.example/", "/dashboard"),
        ("?next=//evil.example/", "/dashboard"),
        ("?next=/%5Cevil.example", "/dashboard"),
        ("?next=/%09%5Cevil.example", "/dashboard"),
        ("?next=/%0A/evil.example", "/dashboard"),
        ("?next=http://[", "/dashboard"),
        ("?next=javascript:alert(1)", "/dashboard"),
    ],
)
def test_where_one_goes_after_signing_in_is_in_this_site(world, query, target):
    page = sign_in(world.anonymous(), query=query, status=303)
    assert page.response.headers["Location"] == target


def test_somebody_signed_in_does_not_see_the_sign_in_page(world):
    world.as_("bob").get("/login", status=303)


def test_an_anonymous_visitor_is_sent_to_sign_in_and_comes_back(world):
    page = world.anonymous().get("/account/password?x=1", status=303)
    assert page.response.headers["Location"] == "/login?next=/account/password?x%3D1"


def test_an_htmx_request_whose_session_ended_is_told_by_header(world):
    client = world.app.test_client()
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/people?x=1"}
    answer = client.get("/people", headers=headers)
    assert answer.status_code == 401 and not answer.data
    assert answer.headers["HX-Redirect"] == "/login?next=/people?x%3D1"


def test_changing_the_password_asks_for_the_old_one(world):
    form = {"current": "wrong", "password": "another horse", "again": "another horse"}
    page = world.as_("bob").post("/account/password", form, status=422)
    assert "This is not your password." in page.text
    page = world.as_("bob").post("/account/password", {**form, "current": PASSWORD, "again": "x"}, status=422)
    assert "The two are not the same." in page.text


def test_changing_the_password_ends_all_other_sessions_but_not_this_one(world):
    here, elsewhere = world.as_("bob"), world.as_("bob")
    elsewhere.get("/account/password")
    form = {"current": PASSWORD, "password": "another horse", "again": "another horse"}
    here.post("/account/password", form, status=303)
    here.get("/account/password")
    elsewhere.get("/account/password", status=303)
    sign_in(world.anonymous(), PASSWORD, status=422)
    sign_in(world.anonymous(), "another horse", status=303)


def test_a_link_sets_a_password_once_and_signs_in(world):
    path = f"/link/{make_link(world)}"
    guest = world.anonymous()
    assert "Hello Bob" in guest.get(path).text
    guest.post(path, {"password": "short", "again": "short"}, status=422)
    guest.post(path, {"password": "brand new horse", "again": "brand new horse"}, status=303)
    guest.get("/account/password")
    late = world.anonymous().post(path, {"password": "other new horse", "again": "other new horse"}, status=404)
    assert "does not work any more" in late.text
    sign_in(world.anonymous(), "brand new horse", status=303)


def test_a_link_is_over_after_three_days(world):
    path = f"/link/{make_link(world)}"
    world.clock.pass_by(days=3, seconds=-1)
    world.anonymous().get(path)
    world.clock.pass_by(seconds=1)
    world.anonymous().get(path, status=404)


def test_a_newer_link_ends_the_one_before(world):
    first = make_link(world)
    make_link(world)
    world.anonymous().get(f"/link/{first}", status=404)
