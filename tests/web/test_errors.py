import pytest

from tests.web.form_pages import DANA, photo, tickets


@pytest.mark.parametrize(
    "fields",
    [{"subject": "a\x00b"}, {"body": "\x00"}, {"files": [photo("a\x00.jpg")]}, {"files": [photo(), photo("\x00")]}],
)
def test_a_nul_in_a_form_is_refused_with_a_sentence(web, fields):
    page = web.anonymous().post("/", {**DANA, **fields}, status=400)
    assert "NUL" in page.text and tickets(web) == []


@pytest.mark.parametrize("path", ["/tickets?q=a%00b", "/tickets?q=a&q=%00", "/r/abc%00def", "/link/%00"])
def test_a_nul_in_an_address_is_refused_with_a_sentence(web, path):
    assert "NUL" in web.as_("alice").get(path, status=400).text


def test_a_failure_of_an_htmx_request_comes_as_a_notice_and_not_as_a_page(web):
    page = web.as_("alice").get("/tickets/999", htmx=True, status=404)
    assert page.one("[role=alert]") and not page.soup.select("html")
    page = web.as_("alice").post("/oncall/overrides/99/remove", {"seen": ""}, htmx=True, status=404)
    assert "Nothing here" in page.one(".notice-bad").text


def test_an_id_that_no_row_can_have_leads_nowhere(web):
    alice = web.as_("alice")
    for area in ("overrides/{}/remove", "shifts/{}/edit"):
        for number in (2**63 - 1, 2**63, 10**20):
            alice.get(f"/oncall/{area.format(number)}", status=404)
