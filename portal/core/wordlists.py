"""English as the corrector knows it: known words, how common they are, listed misspellings.

The lists are sorted text, searched in place: no index is built, so they load in a tenth of a second and hold
some 20 MB. Sources and licences: portal/core/data/README.md. Frequencies come with symspellpy (MIT).
"""

from __future__ import annotations

import gzip
import math
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

TERM_FREQUENCY = 2e6  # what a technical term counts that the general frequency list does not know
TICKET_SHARE = 2e4  # one ticket in 38,000 that holds the word weighs as much as this many occurrences on the web


@dataclass(frozen=True)
class SortedLines:
    """Lines in byte order, found by bisection on the text itself. `blob` begins and ends with a line break."""

    blob: bytes = field(repr=False)

    @classmethod
    def of(cls, lines: list[str]) -> SortedLines:
        """From lines in any order."""
        return cls(b"\n" + b"".join(line.encode() + b"\n" for line in sorted(lines, key=str.encode)))

    def rest_of_line(self, key: str) -> str | None:
        """What follows `key` on its line ("" when it is the whole line); None when no line has it as first word."""
        wanted = key.encode()
        low, high = 0, len(self.blob) - 1
        while low < high:
            start = self.blob.rfind(b"\n", low, (low + high) // 2 + 1)
            end = self.blob.index(b"\n", start + 1)
            head, _, rest = self.blob[start + 1 : end].partition(b" ")
            if head == wanted:
                return rest.decode()
            if head < wanted:
                low = end
            else:
                high = start
        return None


@dataclass(frozen=True)
class WordLists:
    """One language. `common` maps each word worth suggesting to the natural logarithm of how often it is written."""

    known: SortedLines
    common: dict[str, float] = field(repr=False)
    misspellings: SortedLines

    def is_known(self, word: str) -> bool:
        """Whether a lower-case word is right as it stands, as far as the lists know."""
        return word in self.common or self.known.rest_of_line(word) is not None

    def listed(self, word: str) -> tuple[str, ...]:
        """What a known misspelling stands for, likeliest first; empty when it is none."""
        rights = self.misspellings.rest_of_line(word)
        return tuple(rights.split(",")) if rights else ()


@cache
def load_english() -> WordLists:
    """The shipped lists, read once a process on first use."""
    return WordLists(
        known=SortedLines(_shipped("words")),
        common=_common_words(),
        misspellings=SortedLines(_shipped("misspellings")),
    )


def _shipped(name: str) -> bytes:
    return b"\n" + gzip.decompress((resources.files("portal.core") / "data" / f"{name}.txt.gz").read_bytes())


def _common_words() -> dict[str, float]:
    counts = dict.fromkeys(_shipped("terms").decode().split(), TERM_FREQUENCY)
    with (resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt").open(encoding="utf-8-sig") as general:
        for line in general:
            word, count = line.split()
            counts[word] = float(count)
    for line in _shipped("ticketwords").decode().split("\n")[1:-1]:
        word, tickets = line.split()
        counts[word] = counts.get(word, 0.0) + TICKET_SHARE * int(tickets)
    return {word: math.log(count) for word, count in counts.items()}
