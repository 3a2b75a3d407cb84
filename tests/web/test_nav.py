"""The navigation shows what exists and is allowed, and where one is."""

import pytest

from portal.web.nav import ITEMS


def entries(page):
    return {link["href"]: link for link in page.soup.select(".sidebar > ul > li > a")}


@pytest.mark.parametrize(("name", "hidden"), [("vera", {"/people", "/settings", "/jobs", "/rules"}), ("alice", set())])
def test_everybody_sees_the_pages_of_their_role(web, name, hidden):
    seen = set(entries(web.as_(name).get("/tickets")))
    assert "/tickets" in seen
    assert {"/people", "/settings", "/jobs", "/rules"} - seen == hidden


def test_every_entry_leads_to_a_page_that_opens(web):
    alice = web.as_("alice")
    found = entries(alice.get("/tickets"))
    assert len(found) == len(ITEMS)
    for address in found:
        alice.get(address)


def test_the_current_area_is_marked_on_its_inner_pages_too(web):
    found = entries(web.as_("bob").get("/tickets/new"))
    assert [address for address, link in found.items() if link.get("aria-current")] == ["/tickets"]
    for inner in ("/mail/rules", "/mail/words", "/mail/stopped", "/mailboxes", "/mailboxes/new"):
        found = entries(web.as_("alice").get(inner))
        assert [address for address, link in found.items() if link.get("aria-current")] == ["/mail"]


def test_a_phone_shows_the_main_entries_and_the_rest_behind_more(web):
    page = web.as_("alice").get("/settings")
    rest = [link["href"] for link in page.soup.select(".nav-more .menu-sheet a")]
    assert "/tickets" not in rest and "/settings" in rest
    assert "is-current" in page.one(".nav-more")["class"]


def test_every_page_loads_only_from_here_and_holds_no_inline_code(web):
    page = web.as_("bob").get("/tickets")
    assert page.soup.select("[style], style, script:not([src])") == []
    loaded = [tag.get("src") or tag.get("href") for tag in page.soup.select("script, link, img")]
    assert all(address.startswith("/static/") for address in loaded)
    policy = page.response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_the_page_carries_the_settings_of_htmx_and_the_token(web):
    page = web.as_("bob").get("/tickets")
    settings = page.one("meta[name=htmx-config]")["content"]
    for wanted in (
        '"historyCacheSize":0',
        '"allowEval":false',
        '"historyRestoreAsHxRequest":false',
        '"422","swap":true',
    ):
        assert wanted in settings
    assert "X-CSRFToken" in page.one("body")["hx-headers"]
    assert page.one("a.skip-link")["href"] == "#main"
