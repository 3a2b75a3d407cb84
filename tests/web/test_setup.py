"""The first run: the token, the account, and the steps that can wait."""

import pytest
from sqlalchemy import delete, select, update

from portal.models import Category, Page, Phone, ShiftRow, User
from portal.services.calendars import load_week
from portal.services.people import verify_sign_in
from portal.services.schedules import on_call_at
from portal.services.settings import load_settings
from portal.services.setup_token import ensure_setup_token
from tests.web.conftest import NOW

ACCOUNT = {"name": "Erin", "email": "Erin@A.example", "password": "correct horse", "again": "correct horse"}


@pytest.fixture
def fresh(web):
    """No administrator yet, no queue, and a token."""
    with web.database.unit_of_work() as uow:
        uow.session.execute(update(User).values(role="viewer"))
        uow.session.execute(delete(Category))
    web.token = ensure_setup_token(web.context, web.config.data_dir)
    return web


@pytest.fixture
def alice(web):
    return web.as_("alice")


def read(web, query):
    with web.database.read_session() as session:
        return session.scalars(query).all()


def test_before_there_is_an_administrator_every_page_says_so(fresh):
    page = fresh.anonymous().get("/login", status=503)
    assert "not set up yet" in page.text


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%01%FF"])
def test_without_the_right_token_the_page_says_what_is_needed(fresh, query):
    page = fresh.anonymous().get(f"/setup{query}", status=403)
    assert "setup link" in page.one("h1, .empty-title").get_text()
    assert "setup-token" in page.text
    assert not page.soup.select("input[name=password]")


def test_the_token_opens_the_form_and_the_form_makes_the_administrator(fresh):
    guest = fresh.anonymous()
    form = guest.get(f"/setup?token={fresh.token}")
    assert form.one("input[name=token]")["value"] == fresh.token
    answer = guest.post("/setup", {**ACCOUNT, "token": fresh.token}, status=303)
    assert answer.response.headers["Location"] == "/setup/site"
    guest.get("/setup/site")
    with fresh.database.read_session() as session:
        user = verify_sign_in(session, "erin@a.example", "correct horse")
    assert user is not None and user.role == "admin"
    assert not (fresh.config.data_dir / "setup-token").exists()


def test_the_token_works_once(fresh):
    fresh.anonymous().post("/setup", {**ACCOUNT, "token": fresh.token}, status=303)
    stranger = fresh.anonymous()
    stranger.get(f"/setup?token={fresh.token}", status=404)
    stranger.post("/setup", {**ACCOUNT, "email": "m@a.example", "token": fresh.token}, status=404)
    assert read(fresh, select(User).where(User.email == "m@a.example")) == []


def test_an_administrator_with_a_forged_token_is_not_made(fresh):
    fresh.anonymous().post("/setup", {**ACCOUNT, "token": "x" * 32}, status=403)
    assert read(fresh, select(User).where(User.role == "admin")) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"again": "other"}, "The two are not the same."),
        ({"password": "short", "again": "short"}, "at least 10 characters"),
        ({"email": "nowhere"}, "Give a mail address like"),
        ({"name": ""}, "Give a name."),
    ],
)
def test_what_is_wrong_with_the_account_is_said_and_nothing_typed_is_lost(fresh, wrong, words):
    page = fresh.anonymous().post("/setup", {**ACCOUNT, **wrong, "token": fresh.token}, status=422)
    assert words in page.text
    assert page.one("input[name=email]")["value"] == wrong.get("email", ACCOUNT["email"])
    assert (fresh.config.data_dir / "setup-token").exists()


@pytest.mark.parametrize("who", ["bob", "carol", "vera"])
@pytest.mark.parametrize("path", ["/setup", "/setup/site", "/setup/test", "/setup?token=x"])
def test_afterwards_setup_is_not_there_for_anybody_else(web, who, path):
    web.as_(who).get(path, status=404)
    web.anonymous().get(path, status=404)


def test_an_unknown_step_is_not_there(alice):
    alice.get("/setup/nonsense", status=404)


def test_the_list_of_steps_says_what_is_missing_and_links_there(alice):
    page = alice.get("/setup")
    missing = [item.a["href"] for item in page.soup.select(".check-missing")]
    assert "/setup/hours" in missing and "/setup/test" in missing
    assert "Watch mode" in page.text and "Nothing is sent to requesters" in page.text


def test_each_step_can_be_left_for_later(alice):
    path, seen = "/setup/site", []
    while path != "/setup":
        seen.append(path)
        page = alice.get(path)
        links = [a["href"] for a in page.soup.select("main a") if a.get_text(strip=True) in ("Later", "Go on")]
        path = links[0] if links else "/setup"
    assert len(seen) == 7


def test_name_and_zone_are_saved_and_the_step_counts_as_done_even_when_it_is_utc(web, alice):
    assert alice.get("/setup/site").soup.select("script[src*='zone.js']")
    alice.post("/setup/site", {"site_name": "Acme", "site_zone": "UTC"}, status=303)
    page = alice.get("/setup/site")
    assert page.one(".steps [aria-current=step]").a.get_text() == "Name and time zone"
    assert not page.soup.select("script[src*='zone.js']")
    assert "/setup/site" not in [item.a["href"] for item in alice.get("/setup").soup.select(".check-missing")]
    with web.database.read_session() as session:
        assert load_settings(session).site_name == "Acme"


def test_a_zone_that_is_none_is_refused(alice):
    page = alice.post("/setup/site", {"site_name": "Acme", "site_zone": "Mars/Olympus"}, status=422)
    assert "Mars/Olympus is not a zone" in page.text


def test_the_usual_week_is_one_line(web, alice):
    form = {"first": "mon", "last": "fri", "opens": "08:00", "closes": "17:30"}
    alice.post("/setup/hours", form, status=303)
    with web.database.read_session() as session:
        week = load_week(session)
    assert [str(day[0]) if day else "" for day in week.days] == ["08:00-17:30"] * 5 + [""] * 2
    assert "Saving here replaces them" in alice.get("/setup/hours").text


@pytest.mark.parametrize(
    ("form", "days"),
    [
        ({"first": "sat", "last": "mon", "opens": "22:00", "closes": "02:00"}, {5, 6, 0}),
        ({"first": "wed", "last": "wed", "opens": "00:00", "closes": "00:00"}, {2}),
    ],
)
def test_a_week_may_run_over_its_end_and_a_day_over_midnight(web, alice, form, days):
    alice.post("/setup/hours", form, status=303)
    with web.database.read_session() as session:
        assert {day for day, periods in enumerate(load_week(session).days) if periods} == days


def test_hours_without_length_are_refused(alice):
    form = {"first": "mon", "last": "fri", "opens": "08:00", "closes": "08:00"}
    assert "same minute" in alice.post("/setup/hours", form, status=422).text
    assert alice.post("/setup/hours", {**form, "opens": "8 o'clock"}, status=422).soup.select(".field-wrong")


def test_wake_for_what_is_stored(web, alice):
    alice.post("/setup/wake", {"paging_wake_for": "urgent"}, status=303)
    with web.database.read_session() as session:
        assert load_settings(session).paging_wake_for == "urgent"
    alice.post("/setup/wake", {"paging_wake_for": "never"}, status=422)


def test_the_provider_is_chosen_and_the_account_can_be_checked_there(web, alice):
    page = alice.follow(alice.post("/setup/sms", {"sms_provider": "sandbox"}, status=303))
    assert page.one("#sms-check form")["action"] == "/settings/sms/check"
    assert page.one("#sms-check input[name=next]")["value"] == "/setup/sms"


def test_the_first_technician_may_be_oneself(web, alice):
    form = {"name": "Alice", "email": "alice@a.example", "phone": "+49 151 12345678"}
    alice.post("/setup/technician", form, status=303)
    assert [(p.user_id, p.number) for p in read(web, select(Phone))] == [(1, "+4915112345678")]


def test_a_new_technician_gets_a_link_that_is_shown(web, alice):
    form = {"name": "Frank", "email": "frank@a.example", "phone": "+49 151 12345678"}
    page = alice.post("/setup/technician", form, status=200)
    link = page.one("code.token").get_text()
    assert link.startswith("https://help.acme.example/link/") and "on their device" not in page.text
    assert "Hello Frank" in web.anonymous().get(link.removeprefix("https://help.acme.example")).text


def test_a_wrong_number_is_said_beside_its_field(web, alice):
    form = {"name": "Frank", "email": "frank@a.example", "phone": "12"}
    page = alice.post("/setup/technician", form, status=422)
    assert "country code" in page.one("#phone-error").get_text()
    assert read(web, select(User).where(User.email == "frank@a.example")) == []


def test_the_first_shift_puts_somebody_on_call_and_makes_them_the_fallback(web, alice):
    page = alice.get("/setup/shift")
    assert page.one("input[name=starts]")["value"] == "2026-11-21T02:00"
    form = {"person": "2", "starts": "2026-11-21T02:00", "ends": "2026-11-28T02:00"}
    alice.post("/setup/shift", form, status=303)
    with web.database.read_session() as session:
        settings = load_settings(session)
        assert [duty.person_id for duty in on_call_at(session, NOW)] == [2]
    assert settings.paging_fallback == 2


def test_a_shift_that_ends_before_it_starts_is_refused(web, alice):
    form = {"person": "2", "starts": "2026-11-21T02:00", "ends": "2026-11-20T02:00"}
    assert "ends before it starts" in alice.post("/setup/shift", form, status=422).text
    assert read(web, select(ShiftRow)) == []


def test_the_test_step_names_what_it_still_needs(web, alice):
    assert "no way to send texts" in alice.get("/setup/test").text
    alice.post("/setup/sms", {"sms_provider": "sandbox"})
    assert "Nobody has a phone" in alice.get("/setup/test").text
    alice.post("/setup/technician", {"name": "Alice", "email": "alice@a.example", "phone": "+4915112345678"})
    page = alice.get("/setup/test")
    form = page.one("form:has(input[name=person])")
    fields = {field["name"]: field["value"] for field in form.select("input")}
    page = alice.follow(alice.post(form["action"], fields, status=303))
    assert page.one("#test-page")["hx-trigger"] == "every 1s"
    assert "about to be sent" in page.text and "Look again" in page.text
    with web.database.unit_of_work() as uow:
        row = uow.session.scalars(select(Page)).one()
        row.state, row.acknowledged_at, row.acknowledged_by = "acknowledged", NOW, 1
    page = alice.get("/setup/test")
    assert "Alice answered" in page.text
    assert "hx-trigger" not in page.one("#test-page").attrs


def test_every_item_of_the_panel_leads_to_a_page_that_opens(alice):
    links = [link["href"] for link in alice.get("/setup").soup.select(".checklist a")]
    assert len(links) == 11
    for link in links:
        alice.get(link)
