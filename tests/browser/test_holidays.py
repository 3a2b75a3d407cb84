"""Holidays, driven in the browser: with JavaScript in the dialog, without it on pages of their own."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stories.shop import OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(180)]


def open_month(page: Page, shop) -> None:
    page.goto(f"{shop.url}/holidays?year=2026&month=5")


@pytest.mark.parametrize("java_script", [True, False], ids=["JavaScript", "plain"])
def test_a_day_is_added_made_a_half_day_looked_at_and_taken_back(open_shop, open_page, sign_in, java_script):
    shop, page = open_shop(at=OFFICE_MORNING), open_page(java_script_enabled=java_script)
    dialog = page.locator("#dialog")
    sign_in(page, shop, "alice")
    open_month(page, shop)
    page.get_by_role("link", name="14 May", exact=True).click()
    if java_script:
        expect(dialog).to_be_visible()
    page.get_by_label("Name").fill("Founding Day")
    page.get_by_role("button", name="Show what changes").click()
    expect(page.locator(".effects")).to_contain_text("Closed then, and open now: 08:00–18:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#accepted")).to_contain_text("Founding Day")
    expect(dialog).not_to_be_visible()

    page.get_by_role("link", name="Edit Founding Day").click()
    page.get_by_role("textbox", name="Closed").fill("13:00-24:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".month td.is-half")).to_contain_text("Founding Day 13:00-24:00")

    page.get_by_role("link", name="Remove Founding Day").click()
    expect(page.locator(".effects")).to_contain_text("Open then, and closed now: 13:00–18:00")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#accepted")).not_to_contain_text("Founding Day")


@pytest.mark.parametrize("java_script", [True, False], ids=["JavaScript", "plain"])
def test_a_list_is_imported_decided_at_once_and_a_day_ignored_and_taken_back(
    open_shop, open_page, sign_in, java_script
):
    shop, page = open_shop(at=OFFICE_MORNING), open_page(java_script_enabled=java_script)
    sign_in(page, shop, "alice")
    page.goto(f"{shop.url}/holidays?year=2027")
    page.get_by_role("link", name="Import a list").last.click()
    page.get_by_label("Country").select_option("DE")
    if not java_script:
        page.get_by_role("button", name="Show regions").click()
    page.get_by_label("Region").select_option("BY")
    page.get_by_role("button", name="Propose the days").click()
    expect(page.locator("#proposed")).to_contain_text("Epiphany")
    page.get_by_role("link", name="all", exact=True).click()
    expect(page.locator("[name=ids]:not(:checked)")).to_have_count(0)
    page.get_by_role("button", name="Show what changes").first.click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    page.get_by_role("button", name="Accept", exact=True).last.click()
    expect(page.locator("#accepted")).to_contain_text("Epiphany")
    expect(page.locator("#proposed")).to_have_count(0)
    expect(page.locator(".mini .is-holiday")).not_to_have_count(0)


@pytest.mark.parametrize("java_script", [True, False], ids=["JavaScript", "plain"])
def test_a_day_of_every_year_is_added_and_left_out_of_one_year(open_shop, open_page, sign_in, java_script):
    shop, page = open_shop(at=OFFICE_MORNING), open_page(java_script_enabled=java_script)
    sign_in(page, shop, "alice")
    page.goto(f"{shop.url}/holidays/every-year")
    page.get_by_role("link", name="Add a day of every year").first.click()
    page.get_by_label("Name").fill("Company outing")
    page.get_by_label("Day of the year").fill("last Monday of May")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#every-year")).to_contain_text("31 May 2027")
    open_month(page, shop)
    page.get_by_role("link", name="25 May: Company outing").click()
    page.get_by_role("link", name="Open in 2026").click()
    page.get_by_role("button", name="Ignore in 2026").click()
    expect(page.locator(".month td.is-holiday")).to_have_count(0)
    page.get_by_text("Ignored days (1)").click()
    page.get_by_role("button", name="Accept after all").click()
    expect(page.locator(".month td.is-holiday")).to_contain_text("Company outing")
