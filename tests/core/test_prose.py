"""Only English prose is offered to the corrector; everything a machine wrote or reads is left alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.prose import find_prose

KNOWN = "the printer on my desk is broken and does not print please help file was deleted call me open"
ENGLISH = set(KNOWN.split())


def words(text: str, listed: frozenset[str] = frozenset()) -> list[str]:
    found = find_prose(text, is_right=ENGLISH.__contains__, is_listed=listed.__contains__)
    return [word.text for word in found]


def test_plain_words_are_found_with_their_place() -> None:
    text = "the printer, (broken) is"
    found = find_prose(text, is_right=ENGLISH.__contains__, is_listed=lambda _: False)
    assert [text[word.start : word.end] for word in found] == ["the", "printer", "broken", "is"]


@pytest.mark.parametrize(
    "token",
    [
        "srv-prn-01",
        "10.0.0.7",
        "bob@example.org",
        "C:\\Temp\\x",
        "/etc/hosts",
        "https://example.org/a",
        "ERROR",
        "iPhone",
        "PowerShell",
        "0x80070005",
        "file.txt",
        "snake_case",
        "key=value",
        "50%",
        "#1234",
        "$HOME",
        "`brokn`",
        "<brokn>",
        "and/or",
    ],
)
def test_tokens_that_are_no_plain_words_are_masked(token: str) -> None:
    left = " ".join(words(f"the printer {token} is broken and does not print"))
    assert left == "the printer is broken and does not print"


@pytest.mark.parametrize(
    "line",
    [
        "> the printer is broken",
        "| the printer is broken",
        "From: the printer on my desk",
        "2026-11-03 02:10:11 the printer is broken",
        "[02:10:11] the printer is broken",
        "ERROR: spooler.service the printer is broken",
        "$ open the printer",
        "PS C:\\> open the printer",
        "at Printer.open(the printer)",
        "sudo open the printer",
        "open the printer --help",
        "import the printer;",
        '"printer": "the printer is broken"',
        "<b>the printer is broken</b>",
        "Traceback (the printer is broken)",
        "x1 y2 z3 the printer",
    ],
)
def test_machine_lines_are_left_out(line: str) -> None:
    assert words(f"{line}\nplease help") == ["please", "help"]


def test_code_blocks_are_left_out() -> None:
    assert words("the printer\n```\nopen the file\n```\nplease help") == ["the", "printer", "please", "help"]


@pytest.mark.parametrize(
    "line",
    [
        "der Drucker druckt nicht und ist kaputt",
        "l'imprimante est dans le bureau avec nous",
        "la impresora no está con el equipo",
        "drukarka nie jest na biurku",
    ],
)
def test_lines_in_another_language_are_left_out(line: str) -> None:
    assert words(line) == []
    left = " ".join(words(f"the printer on my desk is broken\n{line}\nplease help me"))
    assert left == "the printer on my desk is broken please help me"


def test_in_a_foreign_text_a_line_needs_clear_english() -> None:
    german = "das ist nicht gut und wir sind auf der Arbeit\n"
    assert words(f"{german}file open") == []
    assert words(f"{german}the file was deleted and is not open") != []


def test_a_line_of_mostly_unknown_words_is_left_out_unless_they_are_listed_misspellings() -> None:
    line = "printr skaner monitr desk"
    assert words(line) == []
    assert words(line, frozenset({"printr", "skaner", "monitr"})) == line.split()


def test_a_line_without_any_right_word_is_left_out() -> None:
    assert words("adresse", frozenset({"adresse"})) == []


def test_capitals_and_sentence_starts_are_told() -> None:
    found = find_prose("The printer. Open my File - help", is_right=ENGLISH.__contains__, is_listed=lambda _: False)
    assert [(word.text, word.opens_sentence, word.is_capitalised) for word in found] == [
        ("The", True, True),
        ("printer", False, False),
        ("Open", True, True),
        ("my", False, False),
        ("File", False, True),
        ("help", False, False),
    ]


def test_a_curly_apostrophe_counts_as_a_straight_one() -> None:
    found = find_prose("the don’t printer", is_right=lambda _: True, is_listed=lambda _: False)
    assert [word.lower for word in found] == ["the", "don't", "printer"]


@given(text=st.text(st.sampled_from("ab the \n.`>'Zé1/\r\u2028"), max_size=80))
def test_words_stand_where_they_say_and_never_overlap(text: str) -> None:
    found = find_prose(text, is_right=lambda _: True, is_listed=lambda _: False)
    assert all(text[word.start : word.end] == word.text for word in found)
    assert all(left.end <= right.start for left, right in pairwise(found))
