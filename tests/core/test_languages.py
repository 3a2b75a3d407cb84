"""The function words tell languages apart."""

from portal.core.languages import ENGLISH, FOREIGN, PREFIXES, SUFFIXES


def test_no_function_word_of_another_language_is_english() -> None:
    assert not ENGLISH & frozenset().union(*FOREIGN.values())
    assert not {"die", "hat", "am", "war", "so"} & FOREIGN["German"]


def test_each_language_has_enough_to_be_told_by() -> None:
    assert all(len(words) > 8 for words in FOREIGN.values())


def test_word_parts_are_plain_letters() -> None:
    assert all(part.isalpha() and part.islower() for part in PREFIXES | SUFFIXES)
