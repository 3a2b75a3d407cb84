"""The words of our mails are edited beside a preview, and can be ours again."""

import pytest

from portal.core.mail_templates import EVENTS, LANGUAGES

PAGE = "/mail/words/answer/en"


def test_the_list_names_every_mail_in_every_language(web) -> None:
    page = web.as_("alice").get("/mail/words")
    assert len(page.soup.select("#mail-words tbody tr")) == len(EVENTS)
    assert len(page.soup.select("#mail-words a")) == len(EVENTS) * len(LANGUAGES)
    web.as_("bob").get("/mail/words", status=403)
    web.anonymous().get("/mail/words", status=303)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_page_shows_words_places_and_preview(web, event: str, language: str) -> None:
    page = web.as_("alice").get(f"/mail/words/{event}/{language}")
    preview = page.one("#words-preview").text
    assert "[#1234]" in preview and "Ref: nd.1234." in preview and "{{" not in preview
    assert page.one("#words-form textarea").text.strip() and "{{ subject }}" in page.one("#places dl").text
    assert not page.soup.select("#words-preview .notice")


@pytest.mark.parametrize("path", ["/mail/words/alarm/en", "/mail/words/answer/xx", "/mail/words/answer/en/nothing"])
def test_what_is_not_there_is_not_there(web, path: str) -> None:
    web.as_("alice").get(path, status=404)


def test_without_javascript_a_button_shows_the_preview_and_keeps_what_was_typed(web) -> None:
    alice = web.as_("alice")
    assert alice.get(PAGE).one("button[formaction]")["formaction"] == f"{PAGE}/preview"
    page = alice.post(f"{PAGE}/preview", {"subject": "Yo {{ subject }}", "body": "Hey {{ name }}\n{{ words }}"})
    assert "Hey Dana Reed" in page.one("#words-preview").text and "Yo The printer" in page.one("#words-preview").text
    assert page.one("textarea").text.strip() == "Hey {{ name }}\n{{ words }}"
    assert "I have taken out" in alice.get(PAGE).one("#words-preview").text


def test_with_htmx_only_the_preview_comes_and_says_what_is_wrong(web) -> None:
    page = web.as_("alice").post(f"{PAGE}/preview", {"subject": "x", "body": "a\n{{ nmae }}"}, htmx=True)
    assert not page.soup.select("html, h1") and page.one("section")["id"] == "words-preview"
    assert "Line 2: there is no “nmae” here." in page.text and "needs {{ words }}" in page.text


def test_own_words_are_saved_used_and_marked(web) -> None:
    alice = web.as_("alice")
    page = alice.follow(alice.post(PAGE, {"subject": "{{ subject }}", "body": "Well:\r\n{{ words }}"}, status=303))
    assert "These words are used from now on." in page.text and "Your words" in page.text
    assert alice.get("/mail/words").text.count("yours") == 1


def test_a_refused_text_is_kept_and_each_fault_named_with_its_line(web) -> None:
    page = web.as_("alice").post(PAGE, {"subject": "", "body": "Hello {{ world }}"}, status=422)
    notice = page.one("#words-form .notice").text
    assert "Subject: please write one." in notice and "Line 1: there is no “world” here." in notice
    assert page.one("textarea").text.strip() == "Hello {{ world }}"


def test_words_are_ours_again_after_a_question(web) -> None:
    alice = web.as_("alice")
    alice.post(PAGE, {"subject": "x", "body": "{{ words }}"})
    form = alice.get(f"{PAGE}/reset").one("form[method=post]:has(.button-danger)")
    page = alice.follow(alice.post(form["action"], {}, status=303))
    assert "Our words are used again." in page.text and not page.soup.select(f"a[href='{PAGE}/reset']")


def test_what_is_typed_is_shown_as_text(web) -> None:
    page = web.as_("alice").post(f"{PAGE}/preview", {"subject": "<b>x</b>", "body": "<script>1</script>{{ words }}"})
    assert not page.soup.select("#words-preview script, #words-preview b")


def test_nobody_else_changes_words(web) -> None:
    for name in ("bob", "carol", "vera"):
        web.as_(name).post(PAGE, {"subject": "x", "body": "{{ words }}"}, status=403)
        web.as_(name).post(f"{PAGE}/reset", {}, status=403)
