"""The words of every text: what must be in them, and what they cost."""

import pytest

from portal.core import sms_words as words
from portal.core.sms import count_segments, is_gsm7
from portal.core.sms_words import OpenItem, PageWords

SERVER = OpenItem(1, "#1234", "Server down", "P1")
PRINTER = OpenItem(2, "#1240", "Printer on the third floor prints only stripes", "P3")


def test_a_page_says_priority_number_person_phone_gist_holiday_and_how_to_answer():
    text = words.page_text(
        PageWords(
            number="#1234",
            code=2,
            gist="Server room is “hot”",
            priority="P1",
            is_emergency=True,
            person="Dana Reed",
            phone="+15550100",
            customer="Acme",
            holiday="Christmas Day",
        )
    )
    assert text == (
        "P1 EMERGENCY #1234 Acme, Dana Reed +15550100: "
        'Server room is "hot" (Christmas Day)\nReply 2A to take it, 2C when done'
    )
    assert count_segments(text).count == 1


def test_a_page_without_names_still_says_what_and_how():
    assert words.page_text(PageWords("#7", 1, " ")) == "#7: no subject\nReply 1A to take it, 1C when done"


def test_a_page_uses_one_segment_however_long_the_mail_is():
    text = words.page_text(PageWords("#1234", 1, "très urgent " * 90, priority="P2", person="Dana", phone="+15550100"))
    assert is_gsm7(text)
    assert count_segments(text).count == 1


def test_a_page_in_another_script_takes_the_fewest_segments_that_show_the_gist():
    text = words.page_text(PageWords("#1234", 1, "Сервер не работает, помогите " * 9, priority="P1", person="Дана"))
    assert count_segments(text).encoding == "UCS-2"
    assert count_segments(text).count == 2


def test_a_notice_goes_in_front():
    text = words.page_text(PageWords("#7", 1, "x", notice="No answer from Bob"))
    assert text.startswith("No answer from Bob: #7: x")


def test_a_digest_is_one_page_with_the_worst_first_as_given():
    text = words.digest_text([SERVER, PRINTER], code=3)
    assert text == (
        "2 late requests: P1 #1234 Server down; P3 #1240 Printer on the third floor...\n"
        "Reply 3A to take them, 3C when done"
    )
    assert words.digest_text([SERVER], code=1, notice="Again").startswith("Again: 1 late request: ")


def test_a_digest_of_many_stays_within_three_segments_and_counts_the_rest():
    text = words.digest_text([PRINTER] * 40, code=1)
    assert count_segments(text).count == 3
    assert " more\nReply 1A to take them, 1C when done" in text


def test_a_bundle_gives_each_page_its_own_code():
    text = words.bundle_text([SERVER, PRINTER])
    assert text.startswith("2 pages: 1 = P1 #1234 Server down; 2 = P3 #1240 Printer")
    assert text.endswith("Reply 1A to take 1, HELP for all")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (words.taken_text(SERVER), "You have #1234. Reply 1C and what you did when done, UNDO to give it back"),
        (words.told_text("Bob", "#1234"), "Bob has #1234. You need not do anything"),
        (words.given_back_text("Bob", SERVER), "Bob gave #1234 back. Reply 1A to take it"),
        (words.closed_text("Alice", "#1234"), "#1234 is resolved by Alice. You need not do anything"),
        (words.closed_text("", "#1234"), "#1234 is resolved. You need not do anything"),
        (
            words.merged_text("Alice", "#1234", "#7"),
            "#1234 is part of #7 now, says Alice. If #7 asks you, answer that one",
        ),
        (words.merged_text("", "#1234", "#7"), "#1234 is part of #7 now. If #7 asks you, answer that one"),
        (words.already_yours_text(SERVER), "You already have #1234. Reply 1C and what you did when done"),
        (words.already_taken_text("Bob", "#1234", "02:14"), "Bob has #1234 since 02:14. You need not do anything"),
        (words.not_yours_text("Bob", "#1", "02:14"), "Bob has #1 since 02:14, so only Bob can close it by text"),
        (words.done_text("#1234", 25), "#1234 is resolved with 25 minutes. UNDO within 10 minutes takes it back"),
        (words.done_text("#1234", None), "#1234 is resolved. UNDO within 10 minutes takes it back"),
        (words.already_done_text("#1234"), "#1234 is already closed. You need not do anything"),
        (words.not_done_text("#1", "it is\nmerged."), "#1 could not be resolved: it is merged."),
        (words.undone_take_text(SERVER), "You gave #1234 back. It asks again in a few minutes; 1A takes it"),
        (words.undone_done_text(SERVER), "#1234 is open again and yours. Reply 1C when done"),
        (words.nothing_to_undo_text(too_late=False), "There is nothing to undo"),
        (words.nothing_to_undo_text(too_late=True), "Too late to undo: that was over 10 minutes ago"),
        (words.unknown_code_text(7, []), "No page has the code 7. None is open for you"),
        (words.unknown_code_text(7, [SERVER]), "No page has the code 7. Open: 1A = #1234 Server down"),
        (words.which_text([SERVER, OpenItem(2, "#9")], "A"), "Which one? 1A = #1234 Server down; 2A = #9"),
        (words.nothing_open_text(), "No page is open for you"),
        (words.hint_text(SERVER), "Noted. Reply 1A to take #1234"),
        (words.noted_text("#1234"), "Noted on #1234"),
        (words.welcome_back_text(), "You get pages again. STOP ends them"),
        (words.requester_text("#7", "Dana", "Still\nbroken"), "#7 Dana wrote: Still broken"),
        (words.requester_text("#7", "", ""), "#7 The requester wrote: (no words)"),
        (words.alarm_text(SERVER, "No answer."), "ALARM #1234: No answer. Server down\nReply 1A to take it"),
        (words.test_page_text("Acme IT", 1), "TEST from Acme IT. Reply 1A to show that pages reach you"),
        (words.test_done_text(), "Thank you. Pages reach you, and your answers reach us"),
        (words.maybe_repeat("P1 #7"), "Maybe a repeat: P1 #7"),
    ],
)
def test_each_answer_has_its_words(text, expected):
    assert text == expected
    assert count_segments(text).count == 1


def test_help_names_every_answer_and_what_is_open():
    assert "1C 25m" in words.help_text([]) and "UNDO" in words.help_text([])
    assert words.help_text([SERVER]).endswith("Open: 1 = P1 #1234 Server down")
    assert words.help_text([]).endswith("None is open")


def test_words_that_cannot_be_read_get_help_not_silence():
    assert words.unknown_text([]) == f"Sorry, that was not understood. {words.help_text([])}"
