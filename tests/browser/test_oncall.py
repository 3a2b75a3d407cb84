"""The on-call pages as people use them, with JavaScript and without: add, move, undo, a rotation with its preview."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.stories.shop import OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(120)]

PHONE = {"width": 390, "height": 844}
TIMES = {"starts_on": "2025-12-18", "starts_at": "18:00", "ends_on": "2025-12-19", "ends_at": "08:00"}
BOTH = pytest.mark.parametrize("scripted", [True, False], ids=["with JavaScript", "without"])


@pytest.fixture
def visit(open_shop, open_page, sign_in):
    """`visit(scripted=...)`: the roster of a shop, seen by Alice on a phone."""

    def go(*, scripted: bool) -> Page:
        shop = open_shop(at=OFFICE_MORNING)
        page = open_page(viewport=PHONE, java_script_enabled=scripted)
        sign_in(page, shop, "alice")
        page.goto(f"{shop.url}/oncall")
        return page

    return go


def add_shift(page: Page) -> None:
    page.get_by_role("link", name="Add a shift").first.click()
    page.locator("[name=person_id]").select_option(label="Alice")
    for name, value in TIMES.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_label("Note").fill("Ladder at the door")
    page.get_by_role("button", name="Save").click()


@BOTH
def test_a_shift_is_added_moved_and_each_step_undone(visit, scripted):
    page = visit(scripted=scripted)
    shift = page.get_by_role("link", name="Ladder at the door")
    add_shift(page)
    expect(page.get_by_text("The shift is added.")).to_be_visible()
    expect(shift).to_contain_text("Thu 18 Dec, 18:00 to Fri 19 Dec, 08:00")
    shift.click()
    page.get_by_role("button", name="a day earlier").click()
    expect(page.get_by_text("The shift is changed.")).to_be_visible()
    expect(shift).to_contain_text("Wed 17 Dec, 18:00 to Thu 18 Dec, 08:00")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("That is undone.")).to_be_visible()
    expect(shift).to_contain_text("Thu 18 Dec, 18:00 to Fri 19 Dec, 08:00")
    shift.click()
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The shift is removed.")).to_be_visible()
    expect(shift).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(shift).to_have_count(1)


@BOTH
def test_a_rotation_is_saved_after_its_preview_and_rings_by_it(visit, scripted):
    page = visit(scripted=scripted)
    page.get_by_role("link", name="Rotations").click()
    page.get_by_role("link", name="Add a rotation").first.click()
    page.get_by_label("Name").fill("Nights")
    page.get_by_label("Person 1").select_option(label="Bob")
    page.get_by_label("Person 2").select_option(label="Carol")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="The next eight weeks would be")).to_be_visible()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("The rotation is saved.")).to_be_visible()
    expect(page.locator("#rotations")).to_contain_text("every week on Monday at 09:00")
    page.get_by_role("link", name="Who when").click()
    page.get_by_label("Day").fill("2026-01-02")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#who-then")).to_contain_text("rotation Nights")


def test_the_roster_is_worked_with_the_keyboard_alone(visit):
    page = visit(scripted=True)
    page.get_by_role("link", name="Add a shift").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.locator("[name=person_id]").focus()
    page.keyboard.type("Alice")
    for name, value in TIMES.items():
        page.locator(f"[name={name}]").fill(value)
    page.get_by_label("Note").fill("Ladder at the door")
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("That is undone.")).to_be_visible()
