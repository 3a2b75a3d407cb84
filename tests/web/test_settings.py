"""The settings pages: every setting on one of them, secrets never shown, watch mode, the test buttons."""

import pytest
from sqlalchemy import select

from portal.core.settings import GROUPS, SPECS
from portal.models import Page, Phone, SettingRow
from portal.services.checks import check_next
from portal.services.settings import load_settings, open_secret


@pytest.fixture
def alice(web):
    return web.as_("alice")


def settings_of(web):
    with web.database.read_session() as session:
        return load_settings(session)


def filled(page):
    """What the browser would post back."""
    data = {}
    for field in page.soup.select("#settings-form input, #settings-form textarea, #settings-form select"):
        if field.name == "textarea":
            data[field["name"]] = field.get_text().lstrip("\n")
        elif field.name == "select":
            data[field["name"]] = field.select_one("option[selected]")["value"]
        elif field["type"] in ("radio", "checkbox"):
            if field.has_attr("checked"):
                data[field["name"]] = field["value"]
        elif field["type"] != "hidden":
            data[field["name"]] = field.get("value", "")
    return data


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_of_a_group_is_on_its_page_and_saving_it_unchanged_changes_nothing(alice, group):
    page = alice.get(f"/settings/{group}")
    for spec in SPECS:
        if spec.key.startswith(f"{group}.") and spec.key != "site.live":
            assert page.soup.select(f"[name={spec.attribute}]"), spec.key
    page = alice.follow(alice.post(f"/settings/{group}", filled(page), status=303))
    assert "Nothing was different." in page.text


@pytest.mark.parametrize("who", ["bob", "carol", "vera"])
def test_settings_are_for_administrators(web, who):
    web.as_(who).get("/settings", status=403)
    web.as_(who).post("/settings/live", {"live": "yes"}, status=403)
    assert not settings_of(web).site_live


def test_an_unknown_group_is_not_there(alice):
    alice.get("/settings/nonsense", status=404)


def test_a_change_holds_at_once(web, alice):
    data = filled(alice.get("/settings/site")) | {"site_name": "Acme"}
    page = alice.follow(alice.post("/settings/site", data, status=303))
    assert page.one(".brand").get_text(strip=True) == "Acme"


def test_a_switch_that_is_not_ticked_is_off(web, alice):
    data = filled(alice.get("/settings/mail"))
    assert data.pop("mail_confirm")
    alice.post("/settings/mail", data, status=303)
    assert not settings_of(web).mail_confirm


def test_a_wrong_value_is_said_at_its_field_and_nothing_is_saved(web, alice):
    data = filled(alice.get("/settings/paging")) | {"paging_late_minutes": "soon", "paging_wake_for": "urgent"}
    page = alice.post("/settings/paging", data, status=422)
    assert page.one("#paging_late_minutes-error").get_text(strip=True) == "A whole number from 5 to 1440."
    assert page.one("[name=paging_late_minutes]")["value"] == "soon"
    assert settings_of(web).paging_wake_for == "everything"


def test_somebody_who_is_gone_cannot_be_the_fallback(web, alice):
    data = filled(alice.get("/settings/paging")) | {"paging_fallback": "999"}
    assert "not here any more" in alice.post("/settings/paging", data, status=422).text


def test_a_secret_is_written_never_shown_and_can_be_forgotten(web, alice):
    data = filled(alice.get("/settings/sms")) | {"sms_twilio_token": "geheim-123"}
    page = alice.follow(alice.post("/settings/sms", data, status=303))
    assert "geheim-123" not in str(page.soup)
    assert page.one("[name=sms_twilio_token]").get("value", "") == ""
    assert "Is set." in page.text
    with web.database.read_session() as session:
        assert open_secret(session, "sms.twilio_token", box=web.context.box) == "geheim-123"
        assert "geheim" not in session.get(SettingRow, "sms.twilio_token").value
    alice.post("/settings/sms", filled(page), status=303)
    assert "Is set." in alice.get("/settings/sms").text
    page = alice.get("/settings/secrets/sms.twilio_token/forget")
    alice.post(page.one("main form[action*=forget]")["action"], status=303)
    assert "Not set." in alice.get("/settings/sms").text


def test_only_secrets_can_be_forgotten(alice):
    alice.get("/settings/secrets/site.name/forget", status=404)


def test_going_live_asks_first_and_says_what_it_means_and_what_is_missing(web, alice):
    page = alice.get("/settings/live")
    assert "What was held back while watching stays held back." in page.text
    assert "Business hours" in page.one(".notice-warn").get_text()
    assert not settings_of(web).site_live
    form = page.one("main form[action$=live]")
    fields = {field["name"]: field["value"] for field in form.select("input[type=hidden]")}
    page = alice.follow(alice.post(form["action"], fields, status=303))
    assert settings_of(web).site_live
    assert "Watch mode." not in page.one("#banners").get_text()
    alice.post("/settings/live", {"live": "no"}, status=303)
    assert not settings_of(web).site_live


def test_the_account_is_checked_by_a_worker_and_the_page_waits_for_it(web, alice):
    page = alice.post("/settings/sms/check", htmx=True, status=200)
    box = page.one("#sms-check")
    assert box["hx-trigger"] == "every 1s" and web.queue.woken == ["checks"]
    assert web.sms.calls == []
    assert check_next(web.context)
    box = alice.get(box["hx-get"], htmx=True).one("#sms-check")
    assert "hx-trigger" not in box.attrs
    assert box.select(".notice-good")


def test_without_javascript_the_check_is_a_page_to_reload(web, alice):
    page = alice.follow(alice.post("/settings/sms/check", {"next": "/setup/sms"}, status=303))
    page = alice.get("/settings/sms/check")
    assert page.soup.select("nav") and "Asking the provider" in page.text


def test_the_next_page_after_a_check_is_one_of_ours(alice):
    page = alice.post("/settings/sms/check", {"next": "https://evil.example/"}, status=303)
    assert page.response.headers["Location"] == "/settings/sms"


def test_a_test_page_to_me_needs_a_provider(web, alice):
    assert "Choose an SMS provider first." in alice.post("/settings/test", status=422).text


def test_a_test_page_to_me_is_watched_until_it_is_answered(web, alice):
    with web.database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=1, number="+4915112345678"))
    alice.post("/settings/sms", filled(alice.get("/settings/sms")) | {"sms_provider": "sandbox"}, status=303)
    page = alice.post("/settings/test", htmx=True, status=200)
    assert page.one("#test-page")["hx-get"] == "/settings/test"
    with web.database.unit_of_work() as uow:
        row = uow.session.scalars(select(Page)).one()
        assert (row.kind, row.user_id) == ("test", 1)
        row.state, row.acknowledged_at = "acknowledged", web.clock.now()
    page = alice.get("/settings/test", htmx=True)
    assert "answered" in page.text and "hx-get" not in page.one("#test-page").attrs
    assert alice.get("/settings/test").soup.select("nav")


def test_a_test_page_to_nobody_is_not_found(web, alice):
    alice.post("/settings/test", {"person": "999"}, status=404)
