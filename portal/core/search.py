"""Tokens and queries of the full-text search (decisions.md 5). Both database engines index the same tokens.

A token is a run of letters and digits, lower-case, without diacritics. What was written together with signs in
between ("srv-prn-01") is also indexed unsplit ("srvprn01"). What a user types is words, never query syntax.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

LONGEST_TOKEN = 64  # characters; longer ones are cut, in documents and queries alike
MOST_TOKENS = 10_000  # of one document; a mail that holds more is a log file
MOST_WORDS = 12  # of one query


@dataclass(frozen=True)
class SearchTerm:
    """One word of a query. It is found by all of its `parts`, or by the `unsplit` form ("" when there is one part)."""

    parts: tuple[str, ...]
    unsplit: str = ""


def tokenise(*texts: str) -> str:
    """The distinct tokens of a document in order of appearance, separated by spaces: what the index stores."""
    found = dict.fromkeys(islice((token for text in texts for token in _tokens(text)), MOST_TOKENS))
    return " ".join(found)


def parse_query(text: str) -> tuple[SearchTerm, ...]:
    """The words to look for; all of them must occur. Empty when the text holds no letter and no digit."""
    terms = (_term(chunk) for chunk in _fold(text).split())
    return tuple(islice(dict.fromkeys(term for term in terms if term.parts), MOST_WORDS))


def to_fts5(terms: tuple[SearchTerm, ...]) -> str:
    """The right side of MATCH in SQLite. No phrases: the index is built with `detail=none`."""
    return " AND ".join(_alternatives(term, quote='"', both=" AND ", either=" OR ") for term in terms)


def to_tsquery(terms: tuple[SearchTerm, ...]) -> str:
    """The text to cast to `tsquery` in PostgreSQL."""
    return " & ".join(_alternatives(term, quote="'", both=" & ", either=" | ") for term in terms)


def _alternatives(term: SearchTerm, *, quote: str, both: str, either: str) -> str:
    parts = both.join(f"{quote}{part}{quote}" for part in term.parts)
    return f"(({parts}){either}{quote}{term.unsplit}{quote})" if term.unsplit else parts


def _fold(text: str) -> str:
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).lower())
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def _tokens(text: str) -> Iterator[str]:
    for chunk in _fold(text).split():
        term = _term(chunk)
        yield from term.parts
        if term.unsplit:
            yield term.unsplit


def _term(chunk: str) -> SearchTerm:
    if chunk.isalnum():
        return SearchTerm((chunk[:LONGEST_TOKEN],))
    parts = "".join(c if c.isalnum() else " " for c in chunk).split()
    unsplit = "".join(parts)[:LONGEST_TOKEN] if len(parts) > 1 else ""
    return SearchTerm(tuple(part[:LONGEST_TOKEN] for part in parts), unsplit)
