"""Spelling correction that would rather leave a mistake than make one.

Most words in tickets that a dictionary lacks are names, codes and local words, so a plain speller is wrong nine times
in ten there. A word is changed only when it is prose (`core/prose.py`), unknown, and one correction is clearly best.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from portal.core.languages import PREFIXES, SUFFIXES
from portal.core.prose import Word, find_prose
from portal.core.wordlists import WordLists


@dataclass(frozen=True)
class SpellingChange:
    """One word changed: `original[start:end] == wrong`. `reason` is a phrase for the ticket page."""

    start: int
    end: int
    wrong: str
    right: str
    reason: str


@dataclass(frozen=True)
class Correction:
    """A text and what was mended in it. The original is never lost."""

    original: str
    changes: tuple[SpellingChange, ...] = ()

    @property
    def corrected(self) -> str:
        """The original with the changes applied."""
        return apply_changes(self.original, self.changes)


class SpellingCorrector(Protocol):
    """Corrects one text. Pure and safe to share between threads."""

    def correct(self, text: str, *, site_words: frozenset[str] = frozenset()) -> Correction:
        """`site_words`: lower-case words that are right in this shop and never touched."""
        ...


def apply_changes(original: str, changes: Iterable[SpellingChange]) -> str:
    """The text with each `[start, end)` replaced. Changes are in order and do not overlap."""
    parts, position = [], 0
    for change in changes:
        parts += [original[position : change.start], change.right]
        position = change.end
    return "".join([*parts, original[position:]])


# How unlikely each kind of slip is, in the units of the word weights (natural logarithms).
SWAP, DOUBLE, VOWEL, NEAR_KEY, EXTRA, MISSING, OTHER = 1.0, 0.5, 2.0, 2.5, 2.5, 2.0, 4.5
FIRST_LETTER, EXTRA_ENDING, TWO_SLIPS = 5.0, 3.0, 3.0  # added to the above
LISTED_BONUS = 12.0
LENGTH, LONG = 1.5, 9  # what each letter adds to the trust in a correction, up to LONG letters
ACCEPT, ACCEPT_NAME = 0.0, 3.5  # the score a correction needs; ACCEPT_NAME for a capitalised word
MARGIN = 2.5  # how much better the best correction must be than the second
SHORTEST = 4  # shorter words change only when letters were swapped, as in "teh"
SHORTEST_OPENING, SHORTEST_NAME = 5, 6  # the same for capitalised words: at the start of a sentence, within one
LONGEST = 24  # longer words change only when listed
MOST_GUESSES = 40  # unlisted words looked at in one text: each costs some milliseconds
COMMON_PART = 16.0  # how common both halves of a joined word must be for it to be left alone

LETTERS = "abcdefghijklmnopqrstuvwxyz"
VOWELS = "aeiou"
NEAR = frozenset(
    pair
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for left, right in pairwise(row)
    for pair in ((left, right), (right, left))
)


class EnglishCorrector:
    """The first engine: dictionary, list of misspellings, single slips and cheap double slips, ranked by frequency and
    neighbours. Later engines stand behind `SpellingCorrector` as well."""

    def __init__(self, lists: WordLists) -> None:
        self._lists = lists

    def correct(self, text: str, *, site_words: frozenset[str] = frozenset()) -> Correction:
        """See `SpellingCorrector.correct`."""

        def is_right(word: str) -> bool:
            return word in site_words or self._is_right(word)

        words = find_prose(text, is_right=is_right, is_listed=lambda word: bool(self._lists.listed(word)))
        changes, guesses = [], 0
        for word in words:
            if is_right(word.lower):
                continue
            listed = self._lists.listed(word.lower)
            guesses += not listed
            if listed or guesses <= MOST_GUESSES:
                changes.append(self._change(word, listed))
        return Correction(text, tuple(change for change in changes if change is not None))

    def _is_right(self, word: str) -> bool:
        if len(word) < 3 or self._lists.is_known(word):
            return True
        stem, apostrophe, ending = word.partition("'")
        if apostrophe:
            return not self._lists.listed(word) and (ending != "s" or self._lists.is_known(stem))
        return False

    def _change(self, word: Word, listed: tuple[str, ...]) -> SpellingChange | None:
        lower = word.lower
        is_name = word.is_capitalised and not word.opens_sentence
        shortest = SHORTEST_NAME if is_name else SHORTEST_OPENING if word.is_capitalised else SHORTEST
        if len(lower) < shortest and not any(sorted(lower) == sorted(right) for right in listed):
            return None
        if not listed and (is_name or len(lower) > LONGEST or not lower.isascii()):
            return None
        if not listed and self._is_made_of_known(lower):
            return None
        best = self._best(word, listed)
        if best is None:
            return None
        right = best.capitalize() if word.is_capitalised else best
        reason = "a common misspelling" if best in listed else "not a known word; this is the closest common one"
        return SpellingChange(word.start, word.end, word.text, right, reason)

    def _best(self, word: Word, listed: tuple[str, ...]) -> str | None:
        lower = word.lower
        scores = {right: LISTED_BONUS - 2.0 * i for i, right in enumerate(listed)}
        if not scores:
            scores = {right: -cost for right, cost in _candidates(lower, self._lists.common)}
        ranked = sorted(((self._score(right, bonus), right) for right, bonus in scores.items()), reverse=True)
        if not ranked or ranked[0][0] < (ACCEPT_NAME if word.is_capitalised else ACCEPT):
            return None
        if len(ranked) > 1 and ranked[0][0] - ranked[1][0] < MARGIN:
            return None
        return ranked[0][1]

    def _score(self, right: str, bonus: float) -> float:
        frequency = self._lists.common.get(right, 0.0) - 10.0
        length = LENGTH * (min(len(right), LONG) - LONG)
        return bonus + frequency + length

    def _is_made_of_known(self, word: str) -> bool:
        """Derived and joined words ("unminimised", "hostlist") are likelier new than wrong."""
        known = self._lists.is_known
        stems = [word.removeprefix(part) for part in PREFIXES if word.startswith(part)]
        stems += [word.removesuffix(part) for part in SUFFIXES if word.endswith(part)]
        if any(len(stem) > 3 and known(stem) for stem in stems):
            return True
        common = self._lists.common
        return any(
            min(common.get(word[:i], 0.0), common.get(word[i:], 0.0)) > COMMON_PART for i in range(4, len(word) - 3)
        )


def _candidates(word: str, common: dict[str, float]) -> Iterator[tuple[str, float]]:
    single = {right: cost for right, cost in _slips(word) if right in common}
    if single:
        yield from single.items()
        return
    found: dict[str, float] = {}
    for between, first in _cheap_slips(word):
        for right, second in _cheap_slips(between):
            if right in common and right != word:
                found[right] = min(found.get(right, 99.0), first + second + TWO_SLIPS)
    yield from found.items()


def _slips(word: str) -> Iterator[tuple[str, float]]:
    """Every word one slip away, with what the slip costs."""
    yield from _cheap_slips(word)
    for i, old in enumerate(word):
        start = FIRST_LETTER if i == 0 else 0.0
        ending = EXTRA_ENDING if i == len(word) - 1 else 0.0
        yield word[:i] + word[i + 1 :], start + (DOUBLE if i and old == word[i - 1] else EXTRA + ending)
        for new in LETTERS:
            if new != old and not (new in VOWELS and old in VOWELS):
                yield word[:i] + new + word[i + 1 :], start + (NEAR_KEY if (old, new) in NEAR else OTHER)
    for i in range(len(word) + 1):
        for new in LETTERS:
            if i == 0 or word[i - 1] != new:
                yield word[:i] + new + word[i:], MISSING + (FIRST_LETTER if i == 0 else 0.0)


def _cheap_slips(word: str) -> Iterator[tuple[str, float]]:
    """The likeliest slips only: two letters swapped, one doubled or not doubled, a wrong or missing vowel."""
    for i in range(len(word) - 1):
        if word[i] != word[i + 1]:
            yield word[:i] + word[i + 1] + word[i] + word[i + 2 :], SWAP + (FIRST_LETTER / 2 if i == 0 else 0.0)
    for i in range(1, len(word)):
        yield word[: i + 1] + word[i] + word[i + 1 :], DOUBLE
        if word[i] == word[i - 1]:
            yield word[:i] + word[i + 1 :], DOUBLE
        if word[i] in VOWELS:
            yield from ((word[:i] + new + word[i + 1 :], VOWEL) for new in VOWELS if new != word[i])
        yield from ((word[:i] + new + word[i:], MISSING) for new in VOWELS)
