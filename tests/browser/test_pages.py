"""Every page that the navigation leads to, as it looks on a phone and in the dark."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.stories.shop import CHRISTMAS_NIGHT, Shop

pytestmark = [pytest.mark.more, pytest.mark.timeout(180)]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
# Links that are no pages: files, feeds, and what leaves.
NO_PAGE = re.compile(r"/(logout|static)\b|\.(yaml|yml|csv|ics|eml|json)$|/raw$|/original$|/files?/")


def a_night_with_a_page(open_shop) -> Shop:
    """An emergency that rings, so that no page is empty; in the longest words that somebody may type."""
    shop = open_shop(at=CHRISTMAS_NIGHT)
    long = {"subject": "Server down " + "W" * 280, "name": "Donaudampfschiffer" * 10}
    shop.post_form(body="Nobody can work.", emergency="declared", phone="+49 30 123", **long)
    shop.wait_for_texts("bob", 1)
    return shop


def kind_of(path: str) -> str:
    """Two pages of one kind differ by numbers only."""
    return re.sub(r"\d+", "N", urlsplit(path).path)


def links_of(page: Page, base: str) -> list[str]:
    """Where the page leads within the site."""
    found = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(a => a.href)")
    return [link.split("#")[0] for link in found if link.startswith(base) and not NO_PAGE.search(urlsplit(link).path)]


def find_pages(page: Page, base: str) -> list[str]:
    """One address of each kind of page, as far as three links from the start."""
    known, fresh = {kind_of("/"): "/"}, [f"{base}/dashboard"]
    for _ in range(3):
        ahead, fresh = fresh, []
        for address in ahead:
            if kind_of(address) in known:
                continue
            known[kind_of(address)] = address.removeprefix(base)
            page.goto(address, wait_until="domcontentloaded")
            fresh += links_of(page, base)
    return sorted(known.values())


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page as it stands."""
    faults = []
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wide > 0:
        faults.append(f"{wide} px too wide")
    headings = page.locator("h1:visible").all_inner_texts()
    if len(headings) != 1:
        faults.append(f"main headings: {headings}")
    if not page.title():
        faults.append("no title")
    return faults


def is_dark(page: Page) -> bool:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(float(part)) for part in re.findall(r"[\d.]+", colour)[:3]) < 3 * 100


def test_no_page_complains_or_overflows_on_a_phone_in_light_and_dark(open_shop, open_page, sign_in):
    shop, page = a_night_with_a_page(open_shop), open_page(viewport=PHONE)
    sign_in(page, shop, "alice")
    paths = find_pages(page, shop.url)
    assert len(paths) > 25
    faults = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for path in paths:
            page.goto(shop.url + path, wait_until="load")
            wrong = faults_of(page)
            if is_dark(page) != (scheme == "dark"):
                wrong.append("does not follow the colours of the machine")
            if wrong:
                faults[f"{path} ({scheme})"] = wrong
    page.set_viewport_size(DESK)
    for path in ("/dashboard", "/tickets", "/tickets/1", "/pages", "/oncall"):
        page.goto(shop.url + path, wait_until="load")
        if wrong := faults_of(page):
            faults[f"{path} (wide)"] = wrong
    assert faults == {}


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.innerText")


def test_the_keyboard_stays_where_it_was_when_a_part_of_the_page_is_replaced(open_shop, open_page, sign_in):
    shop, page = a_night_with_a_page(open_shop), open_page()
    sign_in(page, shop, "alice")
    link = page.locator("#by-priority a").nth(1)
    link.focus()
    was = focused(page)
    for _ in range(2):  # what the page does by itself every thirty seconds
        old = link.element_handle()
        page.evaluate("htmx.ajax('GET', '/dashboard', {source: '#dashboard', target: '#dashboard', swap: 'outerHTML'})")
        page.wait_for_function("old => !old.isConnected", arg=old)
        assert focused(page) == was != ""
    page.goto(f"{shop.url}/tickets/1")
    page.get_by_label("Your words").fill("Bob is on his way.")
    page.get_by_role("button", name="Save as note").press("Enter")
    page.get_by_text("For the team only").wait_for()
    page.wait_for_function("() => document.activeElement.innerText.includes('Save as note')")
    page.get_by_role("button", name="Assign to me").press("Enter")  # gone afterwards
    page.wait_for_function("() => document.activeElement.id === 'ticket-side'")


def test_the_first_key_reaches_the_skip_link(open_shop, open_page, sign_in):
    """On the sign-in page the first field has the focus already."""
    shop, page = open_shop(at=CHRISTMAS_NIGHT), open_page()
    page.goto(shop.url)
    assert_skips(page)
    sign_in(page, shop, "alice")
    for path in ("/dashboard", "/tickets", "/oncall", "/settings"):
        page.goto(shop.url + path)
        assert_skips(page)


def assert_skips(page: Page) -> None:
    """Tab, Enter, and the keyboard stands in the content."""
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
