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
