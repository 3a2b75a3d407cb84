"""Words that a shop may edit, and what it can never edit away."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.mail_templates import (
    ANSWER,
    CONFIRMATION,
    EVENTS,
    LANGUAGES,
    MAX_BODY,
    Template,
    find_faults,
    parse_template,
    render_template,
)

SHIPPED = Path(__file__).resolve().parents[2] / "templates" / "messages"
REF = "nd.7.1.aebagbaf.abcdefghijklmnop"


def render(body: str, subject: str = "{{ subject }}", **values: str):
    return render_template(Template(subject, body), {"subject": "Printer", **values}, tag="[#7]", ref=REF)


def faults(body: str, subject: str = "x", event: str = CONFIRMATION) -> list[str]:
    return [str(fault) for fault in find_faults(event, Template(subject, body))]


def test_places_are_filled_in() -> None:
    words = render("Hello {{name}},\nabout {{   subject }}.", name="Dana")
    assert words.subject == "[#7] Printer"
    assert words.text == f"Hello Dana,\nabout Printer.\n\nRef: {REF}\n"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("One\nSee {{ link }}\nTwo", "One\nTwo"),
        ("One\n\n{{ promise }}\n\nTwo", "One\n\nTwo"),
        ("{{ priority }}, {{ queue }}\nTwo", "P1,\nTwo"),
        ("Hello {{ name }} of {{ promise }}\nTwo", "Two"),
        ("One\n  \n\n\n\nTwo", "One\n  \n\nTwo"),
    ],
)
def test_a_line_whose_places_are_all_empty_disappears(body: str, text: str) -> None:
    assert render(body, priority="P1", link=" ").text.partition("\n\nRef:")[0].replace("P1, ", "P1,") == text


def test_what_a_value_holds_is_text_and_no_place() -> None:
    words = render("{{ words }}", words="Use {{ name }} and {{ 7*7 }} and {% x %}", name="Dana")
    assert words.text.startswith("Use {{ name }} and {{ 7*7 }} and {% x %}\n")


@pytest.mark.parametrize("subject", ["", "Hello", "{{ nothing }}", "[#7] again [#7]", "a\nBcc: b@c"])
def test_the_number_always_stands_in_the_subject_once_and_on_one_line(subject: str) -> None:
    words = render("x", subject)
    assert words.subject.startswith("[#7]") and words.subject.count("[#7]") == 1 and "\n" not in words.subject


@given(st.text(max_size=200), st.text(max_size=80))
def test_no_template_can_lose_number_or_reference_or_break_out_of_the_html(body: str, subject: str) -> None:
    words = render(body, subject)
    assert words.subject.startswith("[#7]") and words.text.endswith(f"Ref: {REF}\n")
    assert words.html.count("<html") == 1 and words.html.count("<script") == 0 and REF in words.html


def test_a_long_subject_is_cut_behind_the_number() -> None:
    assert len(render("x", "y" * 1000).subject) == 400


def test_without_a_tag_or_reference_the_words_stand_alone() -> None:
    words = render_template(Template("A  b", "c"), {}, tag="", ref="")
    assert (words.subject, words.text) == ("A b", "c\n") and "Ref" not in words.html


def test_the_html_is_the_text_escaped_in_paragraphs() -> None:
    html = render("{{ words }}\n\nBye", words="Is <b>1 & 2</b>\n  indented").html
    assert "<p>Is &lt;b&gt;1 &amp; 2&lt;/b&gt;<br>\n&nbsp;&nbsp;indented</p>\n<p>Bye</p>" in html


def test_addresses_become_links_and_nothing_else_does() -> None:
    html = render("See https://help.shop.example/r/1?a=b&c=d. Or javascript:alert(1), (http://x.example/y).").html
    assert '<a href="https://help.shop.example/r/1?a=b&amp;c=d">https://help.shop.example/r/1?a=b&amp;c=d</a>.' in html
    assert '<a href="http://x.example/y">http://x.example/y</a>).' in html and html.count("<a ") == 2


def test_a_quote_cannot_leave_the_link() -> None:
    assert 'onclick="' not in render('https://x.example/"onclick="alert(1)').html


def test_the_language_is_named_for_screen_readers() -> None:
    assert '<html lang="de">' in render_template(Template("a", "b"), {}, tag="[#1]", ref="r", language="de").html


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("Hello {{ name }}\n{{ nmae }}", "Line 2: there is no “nmae” here. Use hello, name,"),
        ("a\n\n{{ }}", "Line 3: there is no “” here."),
        ("{{ name }} {{ subject }", "Line 1: a place begins with {{ and ends with }}"),
        ("name }}", "Line 1: a place begins with {{ and ends with }}"),
        ("{{ name.__class__ }}", "Line 1: there is no “name.__class__” here."),
        ("", "Line 1: please write a text."),
    ],
)
def test_a_fault_is_named_with_its_line(body: str, fault: str) -> None:
    assert faults(body)[0].startswith(fault)


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        ("{{ words }}", "Subject: there is no “words” here."),
        ("a\nb", "Subject: it must be one line."),
        (" ", "Subject: please write one."),
        ("a" * 401, "Subject: at most 400 characters, and the text 20,000."),
    ],
)
def test_a_subject_is_checked_too(subject: str, fault: str) -> None:
    assert faults("fine", subject)[0].startswith(fault)


def test_an_answer_without_the_technicians_words_is_refused() -> None:
    assert faults("Hello", event=ANSWER) == ["Line 1: the text needs {{ words }}, or the mail says nothing."]
    assert faults("{{words}}", event=ANSWER) == []


def test_a_text_without_end_is_refused() -> None:
    assert "20,000" in faults("x" * (MAX_BODY + 1))[0]


def test_several_faults_come_in_the_order_of_their_lines() -> None:
    assert [fault[:7] for fault in faults("{{ a }}\n\n{{ b }} {{ c }}", "{{ d }}")] == [
        "Subject", "Line 1:", "Line 3:", "Line 3:",
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_the_words_we_ship_are_without_fault(event: str, language: str) -> None:
    template = parse_template((SHIPPED / language / f"{event}.txt").read_text(encoding="utf-8"))
    assert find_faults(event, template) == ()
    assert "{{ signature }}" in template.body or "{{ site }}" in template.body
    assert "{{ link }}" in template.body


def test_a_template_file_is_subject_empty_line_text() -> None:
    assert parse_template("S \n\nOne\n\n Two\n") == Template("S", "One\n\n Two")
