"""The check of the roster, everybody's share and the sheet for pay, with JavaScript and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.core.xlsx import read_xlsx
from tests.stories.shop import OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(120)]


@pytest.mark.parametrize("has_script", [True, False])
def test_what_is_wrong_is_found_and_the_hours_for_pay_are_downloaded(open_shop, open_page, sign_in, has_script):
    shop, page = open_shop(at=OFFICE_MORNING), open_page(java_script_enabled=has_script)
    sign_in(page, shop, "alice")
    page.goto(f"{shop.url}/oncall")
    if has_script:
        expect(page.locator("#roster-check-panel")).to_contain_text("The roster ends on Sat 20 Dec 2025 00:00")
    page.locator("#roster-check a").click()
    expect(page.locator("#check-ends")).to_contain_text("nobody is on call after that")
    page.get_by_role("link", name="Fairness and pay").click()
    page.get_by_label("From").fill("2025-12-14")
    page.get_by_label("To the end of").fill("2025-12-19")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("table.loads tbody tr")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download for pay").click()
    assert download.value.suggested_filename == "on-call-2025-12-14-to-2025-12-19.xlsx"
    totals = read_xlsx(Path(download.value.path()).read_bytes())["Totals"]
    assert [(row[0], row[-1]) for row in totals[1:]] == [("Bob", 144), ("Carol", 144), ("All", 288)]
