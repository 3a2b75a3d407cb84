"""Debian's Chromium, driven by Playwright; a page that complains in its console fails the test."""

from __future__ import annotations

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.watching import listen
from tests.programs import require_program
from tests.stories.shop import PASSWORD, Shop

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


@pytest.fixture(scope="package")
def chromium():
    path = require_program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """`open_page(java_script_enabled=False)`: a page in a browser of its own, heard until the test ends."""
    contexts, complaints = [], []

    def make(**options):
        context = chromium.new_context(**options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        listen(context, complaints)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_shop(tmp_path):
    """`open_shop(at=...)`: a running shop."""
    shops = []

    def make(**options) -> Shop:
        shops.append(Shop(tmp_path, **options))
        return shops[-1].start()

    yield make
    for shop in shops:
        shop.close()


@pytest.fixture
def sign_in():
    """`sign_in(page, shop, "alice")`."""

    def fill(page, shop: Shop, name: str) -> None:
        page.goto(f"{shop.url}/login")
        page.get_by_label("Mail address").fill(f"{name}@acme.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Dashboard").wait_for()

    return fill
