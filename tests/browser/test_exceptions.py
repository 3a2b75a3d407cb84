"""Exceptions, holiday duty and swaps, driven with JavaScript and without: the same words do the same."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.stories.shop import OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(120)]

# Bob and Carol are on call day and night that week.
NIGHT = {"starts_on": "2025-12-18", "starts_at": "18:00", "ends_on": "2025-12-19", "ends_at": "08:00"}


def fill_night(form):
    for name, value in NIGHT.items():
        form.locator(f"[name={name}]").fill(value)


@pytest.mark.parametrize("has_script", [True, False])
def test_an_exception_is_seen_saved_undone_and_a_swap_is_answered_by_text(open_shop, open_page, sign_in, has_script):
    shop = open_shop(at=OFFICE_MORNING)
    page = open_page(java_script_enabled=has_script)
    sign_in(page, shop, "alice")
    page.goto(f"{shop.url}/oncall/overrides")
    page.get_by_role("link", name="Add an exception").click()
    form = page.locator("#override-form")
    form.get_by_label("Who").select_option(label="Alice")
    form.get_by_label("Instead of").select_option(label="Carol")
    fill_night(form)
    form.get_by_role("button", name="Show the roster").click()
    row = page.locator("#roster-preview tr", has_text="Thu 18 Dec, 18:00 to Fri 19 Dec, 08:00")
    expect(row).to_contain_text("Bob and Carol")
    expect(row).to_contain_text("Alice and Bob")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("table")).to_contain_text("Alice instead of Carol")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#main")).to_contain_text("No exceptions to come")

    page.goto(f"{shop.url}/oncall/holidays")
    page.get_by_label("On call on Thu 25 Dec, Christmas Day").select_option(label="Nobody; managers ring")
    page.get_by_role("button", name="Show the roster").click()
    expect(page.locator("#holiday-duty")).to_contain_text("Nothing is saved yet.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#main")).to_contain_text("Nobody; the managers ring")

    bobs = open_page(java_script_enabled=has_script)
    sign_in(bobs, shop, "bob")
    bobs.goto(f"{shop.url}/oncall/mine")
    bobs.get_by_role("link", name="Ask a colleague to take one").click()
    bobs.locator("#duties").get_by_role("link", name="Ask for a part").click()
    form = bobs.locator("#swap-form")
    form.get_by_label("Colleague").select_option(label="Alice")
    fill_night(form)
    form.get_by_role("button", name="Ask").click()
    expect(bobs.locator("#waiting")).to_contain_text("You ask Alice to take Thu 18 Dec 18:00 to Fri 19 Dec 08:00")
    assert "Reply YES S1 or NO S1" in shop.wait_for_texts("alice", 1)[0]
    shop.answer("alice", "yes s1")
    told = shop.wait_for_texts("bob", 1)
    assert "Alice takes your duty Thu 18 Dec 18:00 to Fri 19 Dec 08:00" in told
    page.goto(f"{shop.url}/oncall/overrides")
    expect(page.locator("table")).to_contain_text("Alice instead of Bob")
