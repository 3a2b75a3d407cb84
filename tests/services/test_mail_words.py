from dataclasses import replace

import pytest

from portal.services.mail_words import EVENTS, MailValues, render_mail

VALUES = MailValues(
    tag="[#7]",
    number="#7",
    subject="Printer on <fire>",
    site_name="Shop Help Desk",
    ref="nd.7.1.aebagbaf.abcdefghijklmnop",
    name="Dana",
    body="Turned it off.\nAnd on.\n\nIt works & prints.",
    author="Bob",
    promise="We look at it by Monday 10:00; we are closed now.",
    link="https://help.shop.example/s/abc",
)


@pytest.mark.parametrize("event", EVENTS)
def test_every_mail_names_ticket_site_and_reference_once(event):
    words = render_mail(event, values=VALUES)
    assert words.subject == "[#7] Printer on <fire>"
    assert words.text.count(VALUES.ref) == 1 and words.html.count(VALUES.ref) == 1
    assert "Shop Help Desk" in words.text and "\n\n\n" not in words.text
    assert "<fire>" not in words.html


def test_the_confirmation_says_when_and_where():
    text = render_mail("confirmation", values=VALUES).text
    assert "Hello Dana," in text and VALUES.promise in text and VALUES.link in text


def test_without_name_promise_and_link_nothing_is_left_dangling():
    bare = render_mail("confirmation", values=replace(VALUES, name="", promise="", link=""))
    assert "Hello," in bare.text and "here:" not in bare.text and "href" not in bare.html


def test_a_technicians_words_keep_their_paragraphs_and_are_escaped():
    words = render_mail("answer", values=VALUES)
    assert words.text.startswith(VALUES.body)
    assert "<p>Turned it off.<br>And on.</p>" in words.html and "It works &amp; prints." in words.html


def test_a_subject_stays_on_one_line():
    assert render_mail("answer", values=replace(VALUES, subject="a\nBcc: b")).subject == "[#7] a Bcc: b"
