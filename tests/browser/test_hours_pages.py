"""The pages of the business hours, driven with JavaScript and without: the same words do the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.stories.shop import OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(120)]

PARTY = {"starts_on": "2025-12-18", "starts_at": "14:00", "ends_on": "2025-12-19", "ends_at": "00:00"}


@pytest.mark.parametrize("has_script", [True, False])
def test_a_calendar_is_added_set_tried_and_removed(open_shop, open_page, sign_in, has_script):
    shop, page = open_shop(at=OFFICE_MORNING), open_page(java_script_enabled=has_script)
    sign_in(page, shop, "alice")
    page.goto(f"{shop.url}/hours")
    page.get_by_role("link", name="Add a calendar").click()
    form = page.locator("#calendar-form")
    form.get_by_label("Name").fill("New York")
    form.get_by_label("Time zone").select_option("America/New_York")
    form.get_by_label("Begin with").select_option(label="An empty week")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#week-title")).to_have_text("New York")

    page.get_by_label("Monday").fill("9-18")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator("#preview")).to_contain_text("Mon 22 Dec, 09:00-18:00")
    if has_script:
        expect(page.locator("#preview")).to_be_focused()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".content")).to_contain_text("The hours are saved and hold from now on.")
    expect(page.get_by_label("Monday")).to_have_value("09:00-18:00")

    page.get_by_role("link", name="Add special hours").click()
    form = page.locator("#special-form")
    for name, value in PARTY.items():
        form.locator(f"[name={name}]").fill(value)
    form.get_by_label("open", exact=True).check()
    form.get_by_role("button", name="Save").click()
    special = page.locator("#special")
    expect(special).to_contain_text("Thu 18 Dec, 14:00-24:00")

    page.locator("#on").fill("2025-12-22")
    page.locator("#at").fill("17:00")
    page.get_by_label("Minutes of open time").fill("120")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#try")).to_contain_text("After 120 minutes of open time it is Mon 29 Dec, 10:00")

    page.goto(f"{shop.url}/hours")
    page.get_by_role("navigation", name="Calendars").get_by_role("link", name="New York").click()
    special.get_by_role("link", name="Edit").click()
    form.get_by_role("link", name="Remove").click()
    page.locator("#special-remove").get_by_role("button", name="Remove").click()
    expect(special).to_contain_text("Nothing special ahead")

    page.locator("#week").get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove the calendar").click()
    expect(page.locator(".content")).to_contain_text("Business hours")
    expect(page.get_by_role("navigation", name="Calendars")).to_have_count(0)
