"""The shipped English lists are complete, found by bisection and light."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.wordlists import SortedLines, WordLists, load_english

WORDS = st.lists(st.text("abcé'", min_size=1, max_size=6), max_size=40)


@given(lines=WORDS, asked=st.text("abcé'", min_size=1, max_size=6))
def test_bisection_finds_a_word_exactly_when_it_is_listed(lines: list[str], asked: str) -> None:
    found = SortedLines.of(lines).rest_of_line(asked)
    assert (found == "") is (asked in lines)
    assert (found is None) is (asked not in lines)


def test_the_rest_of_a_line_comes_with_its_word() -> None:
    lines = SortedLines.of(["teh the", "te tea", "tehs these"])
    assert lines.rest_of_line("teh") == "the"
    assert lines.rest_of_line("te") == "tea"
    assert lines.rest_of_line("t") is None
    assert SortedLines.of([]).rest_of_line("teh") is None


def test_a_word_is_known_when_listed_or_common() -> None:
    lists = WordLists(
        SortedLines.of(["rare"]), {"common": 9.0}, SortedLines.of(["comon common", "wether whether,weather"])
    )
    assert lists.is_known("rare") and lists.is_known("common") and not lists.is_known("comon")
    assert lists.listed("wether") == ("whether", "weather")
    assert lists.listed("common") == ()


@pytest.mark.parametrize("word", ["printer", "colour", "color", "kubernetes", "firewall", "sharepoint", "zyzzyvas"])
def test_english_of_both_sides_and_technical_terms_are_known(word: str) -> None:
    assert load_english().is_known(word)


@pytest.mark.parametrize(("wrong", "right"), [("recieve", "receive"), ("teh", "the"), ("seperate", "separate")])
def test_common_misspellings_are_listed_and_not_known(wrong: str, right: str) -> None:
    assert load_english().listed(wrong)[0] == right
    assert not load_english().is_known(wrong)


def test_tickets_lift_the_words_of_the_trade() -> None:
    common = load_english().common
    assert common["laptop"] > math.log(24_000_000)
    assert common["printer"] > common["painter"]


def test_the_lists_are_read_once() -> None:
    assert load_english() is load_english()
