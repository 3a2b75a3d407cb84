"""From an empty folder to an answered emergency, all of it in a browser."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.integrations.system.clock import move_clock
from tests.runtime.running import Running, eventually

pytestmark = [pytest.mark.more, pytest.mark.timeout(180)]

TUESDAY_MORNING = datetime(2027, 1, 12, 9, 0, tzinfo=UTC)
TUESDAY_NIGHT = datetime(2027, 1, 12, 23, 30, tzinfo=UTC)


def set_clock(data_dir: Path, at: datetime) -> None:
    move_clock(data_dir, seconds=(at - datetime.now(UTC)).total_seconds())


@pytest.fixture
def running(tmp_path):
    """Everything `make run` starts, on an empty folder, on a Tuesday morning."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    env = {"NIGHTDESK_DATA_DIR": str(data_dir), "NIGHTDESK_ENV": "testing", "NIGHTDESK_PORT": "0"}
    set_clock(data_dir, TUESDAY_MORNING)
    running = Running(data_dir, [sys.executable, "run_production.py"], {**env, "PYTHONUNBUFFERED": "1"})
    try:
        running.wait_until_up()
        yield running
    finally:
        running.stop()


def setup_link(running: Running) -> str:
    """The link that the start prints."""
    found = re.search(r"http://\S+/setup\?token=\S+", running.said)
    assert found, running.said
    return found[0]


def make_account(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Your name").fill("Alice")
    page.get_by_label("Your mail address").fill("alice@acme.example")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_label("The same again").fill("correct horse battery")
    page.get_by_role("button", name="Create the account").click()


def go_on(page: Page, button: str = "Save and go on") -> None:
    page.get_by_role("button", name=button, exact=True).click()


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def describe_the_shop(page: Page) -> None:
    """Name, zone, hours, and what wakes somebody."""
    heading(page, "Name and time zone")
    page.get_by_label("Name of the help desk").fill("Acme IT")
    page.locator("[name=site_zone]").select_option("Europe/London")
    go_on(page)
    heading(page, "Business hours")
    page.get_by_label("Closes").fill("18:00")
    go_on(page)
    heading(page, "Wake for what?")
    page.get_by_label("Confirmed emergencies only").check()
    go_on(page)


def make_somebody_reachable(page: Page) -> None:
    """Sandbox phones, a number for Alice, her first shift."""
    heading(page, "Texts")
    page.get_by_label("Sandbox phones on a page").check()
    go_on(page, "Save")
    page.get_by_role("link", name="Go on").click()
    heading(page, "First technician")
    page.get_by_label("Phone").fill("+44 20 7946 0100")
    go_on(page)
    heading(page, "First shift")
    go_on(page)


def answer_the_test_page(page: Page, phones: Page) -> None:
    """A test page rings the pretended phone; A answers it; the first page sees it by itself."""
    heading(page, "Test page")
    page.get_by_role("button", name="Send a test page to Alice").click()
    answer_on(phones, "TEST from Acme IT", "A")
    expect(page.get_by_text("Alice answered.")).to_be_visible(timeout=30_000)


def answer_on(phones: Page, words: str, answer: str) -> None:
    """The text arrives on the pretended phone; its owner types an answer."""
    expect(phones.locator(".sms-in").last).to_contain_text(words, timeout=30_000)
    phones.get_by_label("Answer of Alice").fill(answer)
    phones.get_by_role("button", name="Send").click()
    expect(phones.locator(".sms-out").last).to_contain_text(answer)


def go_live(page: Page) -> None:
    page.get_by_role("link", name="To the list of steps").click()
    page.get_by_role("link", name="Go live").first.click()
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("Nightdesk is live")).to_be_visible()


def declare_an_emergency(dana: Page, address: str) -> None:
    """Dana, who has no account, at night."""
    dana.goto(address)
    expect(dana.get_by_text("We look at new requests")).to_be_visible()
    dana.get_by_label("What is wrong?").fill("Server is down")
    dana.get_by_label("Tell us more").fill("Nobody in the building can work.")
    dana.get_by_label("Yes, it cannot wait.").check()
    dana.get_by_label("Your name").fill("Dana Reed")
    dana.get_by_label("Mail address").fill("dana@customer.example")
    dana.get_by_label("Phone", exact=False).fill("020 7946 0999")
    dana.get_by_role("button", name="Send").click()
    heading(dana, "Thank you. Your request is #1")
    expect(dana.get_by_text("The person on call has been told")).to_be_visible(timeout=30_000)


def see_it_taken(page: Page, address: str) -> None:
    """The ticket says who has it, and the timeline of its page how that came."""

    def is_taken() -> bool:
        page.goto(address)
        return "Taken" in page.locator("#page-timeline").inner_text()

    eventually(is_taken, what="the answer on the ticket")
    expect(page.locator("#page-timeline .timeline")).to_contain_text("Alice")


def test_a_first_run_ends_with_an_answered_emergency(running, open_page):
    base = f"http://127.0.0.1:{running.port}"
    page, dana = open_page(), open_page()
    make_account(page, setup_link(running))
    describe_the_shop(page)
    make_somebody_reachable(page)
    phones = page.context.new_page()
    phones.goto(base + "/sandbox")
    answer_the_test_page(page, phones)
    go_live(page)
    set_clock(running.data_dir, TUESDAY_NIGHT)
    declare_an_emergency(dana, base + "/")
    answer_on(phones, "Server is down", "a")
    see_it_taken(page, base + "/tickets/1")
    dana.get_by_role("link", name="Open my page").click()
    expect(dana.get_by_text("The person on call has taken it.")).to_be_visible()
