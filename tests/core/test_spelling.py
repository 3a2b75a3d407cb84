"""The corrector mends plain misspellings and leaves everything it is not sure of."""

import gzip
import json
import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.prose import find_prose
from portal.core.spelling import (
    MOST_GUESSES,
    Correction,
    EnglishCorrector,
    SpellingChange,
    SpellingCorrector,
    apply_changes,
)
from portal.core.wordlists import SortedLines, WordLists, load_english

CORPORA = Path(os.environ.get("NIGHTDESK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
ENGLISH: SpellingCorrector = EnglishCorrector(load_english())


def corrected(text: str, site_words: frozenset[str] = frozenset()) -> str:
    return ENGLISH.correct(text, site_words=site_words).corrected


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("my pasword expired", "my password expired"),
        ("teh netwrok drive is not accesible", "the network drive is not accessible"),
        ("I cannot conect to the VPN", "I cannot connect to the VPN"),
        ("please restor the importent file", "please restore the important file"),
        ("Plese help me", "Please help me"),
        ("open the applicaton windwo", "open the application window"),
        ("the aplicattion is slow", "the application is slow"),
    ],
)
def test_plain_misspellings_are_mended(wrong: str, right: str) -> None:
    assert corrected(wrong) == right


@pytest.mark.parametrize(
    "text",
    [
        "please call Mr Kowalczyk",
        "citrix farm in muc is down, zscaler too",
        "user mmustermann cannot log on to datev",
        "the pfsense box reboots",
        "Brigitte Schmitt-Meier needs access",
        "the host srv-prn-muc does not answer",
        "the colour and the color of the centre",
        "Passwort vergessen",
        "Drucker druckt nicht mehr seit heute morgen",
        "L'imprimante ne marche plus depuis ce matin",
        "2026-11-03 02:10:11 failde to conect",
        "> teh pasword was recieved",
        "run `recieve --al` please",
        "the unminimised hostlist is right",
    ],
)
def test_names_codes_logs_and_other_languages_are_left_alone(text: str) -> None:
    assert ENGLISH.correct(text).changes == ()


def test_a_change_says_where_what_and_why() -> None:
    change = ENGLISH.correct("my pasword expired").changes[0]
    assert (change.start, change.end, change.wrong, change.right) == (3, 10, "pasword", "password")
    assert change.reason == "a common misspelling"
    assert ENGLISH.correct("the readilly open file").changes[0].reason.startswith("not a known word")


def test_site_words_are_never_touched() -> None:
    assert corrected("my pasword expired", frozenset({"pasword"})) == "my pasword expired"


def test_a_capital_is_kept() -> None:
    assert corrected("Recieved the file") == "Received the file"


def test_two_corrections_that_are_equally_good_change_nothing() -> None:
    lists = WordLists(SortedLines.of(["this", "is"]), {"printer": 20.0, "pointer": 20.0}, SortedLines.of([]))
    assert EnglishCorrector(lists).correct("this is prinnter").corrected == "this is printer"
    lists = WordLists(SortedLines.of(["this", "is"]), {"reseller": 20.0, "resettler": 20.0}, SortedLines.of([]))
    assert EnglishCorrector(lists).correct("this is reseler").corrected == "this is reseller"
    lists = WordLists(SortedLines.of(["this", "is"]), {"charging": 20.0, "changing": 20.0}, SortedLines.of([]))
    assert EnglishCorrector(lists).correct("this is chaging").changes == ()


def test_an_unknown_word_without_a_near_common_one_stays() -> None:
    assert corrected("the qwzzrt is open") == "the qwzzrt is open"


def test_words_with_an_apostrophe_are_only_changed_when_listed() -> None:
    assert corrected("the server's file and the xyzzq's file") == "the server's file and the xyzzq's file"
    assert corrected("it does'nt open") == corrected("it does'nt open")


def test_apply_changes_replaces_each_stretch() -> None:
    changes = (SpellingChange(0, 1, "a", "xx", ""), SpellingChange(2, 3, "c", "", ""))
    assert apply_changes("abc", changes) == "xxb"
    assert Correction("abc", changes).corrected == "xxb"
    assert Correction("abc").corrected == "abc"


PIECES = "teh pasword the is printer srv-01 recieve Bob a/b X1 open wroking . , \n `accomodate` > brokn ERROR: netwrok"


@given(pieces=st.lists(st.sampled_from(PIECES.split(" ")), max_size=30))
def test_changes_fit_the_original_and_touch_only_prose(pieces: list[str]) -> None:
    text = " ".join(pieces)
    result = ENGLISH.correct(text)
    prose = {(word.start, word.end) for word in find_prose(text, is_right=lambda _: True, is_listed=lambda _: True)}
    assert result.original == text
    assert all(text[change.start : change.end] == change.wrong for change in result.changes)
    assert all((change.start, change.end) in prose for change in result.changes)
    assert all(left.end <= right.start for left, right in pairwise(result.changes))
    assert result.corrected == apply_changes(text, result.changes)


@given(text=st.text(max_size=120))
def test_any_text_is_survived_and_nothing_but_the_changes_differs(text: str) -> None:
    result = ENGLISH.correct(text)
    undone = result.corrected
    for change in result.changes:
        undone = undone[: change.start] + change.wrong + undone[change.start + len(change.right) :]
    assert undone == text


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the development sets are not beside the project")
def test_harmless_lines_stay_and_most_misspelt_lines_are_mended() -> None:
    harmless = _read("harmless-dev")
    assert sum(len(ENGLISH.correct(line["text"]).changes) for line in harmless) <= 2
    made = right = wanted = 0
    for pair in _read("pairs-dev"):
        got = {(change.wrong, change.right) for change in ENGLISH.correct(pair["wrong"]).changes}
        expected = {tuple(edit) for edit in pair["edits"]}
        made, right, wanted = made + len(got), right + len(got & expected), wanted + len(expected)
    assert right / made >= 0.97
    assert right / wanted >= 0.73


def _read(name: str) -> list[dict]:
    with gzip.open(CORPORA / "spelling" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_one_text_gets_a_bounded_number_of_guesses_but_every_listed_mistake_is_mended() -> None:
    changes = ENGLISH.correct("the readilly open file\n" * (MOST_GUESSES + 5) + "my pasword\n").changes
    assert [change.right for change in changes] == ["readily"] * MOST_GUESSES + ["password"]


def test_very_long_words_are_left_alone() -> None:
    lists = WordLists(SortedLines.of(["this", "is"]), {"y" * 30: 20.0}, SortedLines.of([]))
    assert EnglishCorrector(lists).correct("this is " + "y" * 29).changes == ()
