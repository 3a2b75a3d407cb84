"""The restart from its page: the page comes back by itself, and nobody else notices."""

from __future__ import annotations

import http.client
import threading

import pytest
from playwright.sync_api import expect

from tests.stories.shop import OFFICE_MORNING

pytestmark = [pytest.mark.more, pytest.mark.timeout(120)]


class Visitor(threading.Thread):
    """Somebody who asks for /healthz again and again, each time on a new connection."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port, self.enough = port, threading.Event()
        self.answers: list[int] = []
        self.troubles: list[str] = []

    def run(self) -> None:
        while not self.enough.wait(0.02):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
            try:
                connection.request("GET", "/healthz")
                self.answers.append(connection.getresponse().status)
            except (OSError, http.client.HTTPException) as error:
                self.troubles.append(repr(error))
            finally:
                connection.close()

    def leave(self) -> None:
        self.enough.set()
        self.join(20)


def test_a_restart_is_seen_by_whoever_asked_and_by_nobody_else(open_shop, open_page, sign_in):
    shop, page = open_shop(at=OFFICE_MORNING), open_page()
    sign_in(page, shop, "alice")
    old = {role: shop.running.pid_of(role) for role in ("worker-urgent", "worker-outside")}
    visitor = Visitor(shop.running.port)
    visitor.start()
    try:
        page.goto(f"{shop.url}/system")
        page.get_by_role("link", name="Restart").click()
        page.get_by_role("button", name="Restart").click()
        expect(page.get_by_text("Nightdesk has restarted.")).to_be_visible(timeout=40_000)
    finally:
        visitor.leave()
    assert visitor.troubles == []
    assert set(visitor.answers) == {200}
    assert len(visitor.answers) > 20
    for role, pid in old.items():
        assert shop.running.pid_of(role) not in (0, pid)
