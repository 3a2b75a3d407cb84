"""Every action is a form: with JavaScript off all of it still works."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stories.shop import CHRISTMAS_NIGHT, OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(120)]


@pytest.fixture
def plain_page(open_page) -> Page:
    return open_page(java_script_enabled=False)


def test_a_request_with_a_file_arrives_and_its_private_page_shows_both(open_shop, plain_page):
    shop, page = open_shop(at=OFFICE_MORNING), plain_page
    page.goto(shop.url)
    page.get_by_label("What is wrong?").fill("Printer prints nothing")
    page.get_by_label("Tell us more").fill("Since this morning.")
    page.get_by_label("Photos and files").set_input_files(
        {"name": "error.txt", "mimeType": "text/plain", "buffer": b"PC LOAD LETTER"}
    )
    page.get_by_label("Your name").fill("Dana Reed")
    page.get_by_label("Mail address").fill("dana@customer.example")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("link", name="Open my page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Printer prints nothing")
    expect(page.locator(".message-body")).to_contain_text("Since this morning.")
    with page.expect_download() as download:
        page.get_by_role("link", name="error.txt").click()
    assert download.value.path().read_bytes() == b"PC LOAD LETTER"


def test_a_page_is_taken_on_the_ticket(open_shop, plain_page, sign_in):
    shop, page = open_shop(at=CHRISTMAS_NIGHT), plain_page
    shop.post_form(subject="Server is down", body="Nobody can work.", emergency="declared", phone="+49 30 123")
    ticket = shop.wait_for_ticket()
    shop.wait_for_texts("bob", 1)
    sign_in(page, shop, "bob")
    page.goto(f"{shop.url}/tickets/{ticket.id}")
    page.get_by_role("button", name="Take it").first.click()
    assert page.url == f"{shop.url}/tickets/{ticket.id}"
    expect(page.locator("#page-timeline")).to_contain_text("Taken")
    assert "Bob" in shop.wait_for_texts("carol", 2)[1]


def test_a_shift_is_added_and_removed(open_shop, plain_page, sign_in):
    shop, page = open_shop(at=OFFICE_MORNING), plain_page
    sign_in(page, shop, "alice")
    page.goto(f"{shop.url}/oncall")
    page.get_by_role("link", name="Add a shift").first.click()
    page.locator("[name=person_id]").select_option(label="Bob")
    for name, value in {
        "starts_on": "2025-12-18",
        "starts_at": "18:00",
        "ends_on": "2025-12-19",
        "ends_at": "08:00",
    }.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_label("Note").fill("Ladder at the door")
    page.get_by_role("button", name="Save").click()
    shift = page.get_by_role("link", name="Ladder at the door")
    expect(shift).to_have_count(1)
    shift.click()
    page.get_by_role("link", name="Remove").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove this shift?")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("On call")
    expect(shift).to_have_count(0)
