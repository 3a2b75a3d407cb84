"""The same tokens are stored and looked for, and nothing a user types is query syntax."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.search import LONGEST_TOKEN, SearchTerm, parse_query, to_fts5, to_tsquery, tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Printer OFFLINE", "printer offline"),
        ("Müller Zoë", "muller zoe"),
        ("ﬁle Ⅷ ２", "file viii 2"),
        ("srv-prn-01", "srv prn 01 srvprn01"),
        ("bob@example.org", "bob example org bobexampleorg"),
        ("(printer), again: printer!", "printer again"),
        ("", ""),
        ("-- ... ??", ""),
        ("Straße 東京", "straße 東京"),
    ],
)
def test_texts_become_tokens(text: str, tokens: str) -> None:
    assert tokenise(text) == tokens


def test_several_texts_make_one_document_without_repeats() -> None:
    assert tokenise("Printer", "the printer is off") == "printer the is off"


def test_long_tokens_are_cut_alike_in_documents_and_queries() -> None:
    long = "x" * 200
    assert tokenise(long) == "x" * LONGEST_TOKEN
    assert parse_query(long) == (SearchTerm(("x" * LONGEST_TOKEN,)),)


def test_a_document_holds_a_bounded_number_of_tokens() -> None:
    assert len(tokenise(" ".join(map(str, range(30_000)))).split()) == 10_000


def test_a_query_is_words_that_must_all_occur() -> None:
    terms = parse_query("Printer  srv-01 printer --")
    assert terms == (SearchTerm(("printer",)), SearchTerm(("srv", "01"), "srv01"))
    assert to_fts5(terms) == '"printer" AND (("srv" AND "01") OR "srv01")'
    assert to_tsquery(terms) == "'printer' & (('srv' & '01') | 'srv01')"


def test_a_query_has_at_most_twelve_words() -> None:
    assert len(parse_query(" ".join(f"w{i}" for i in range(50)))) == 12


@pytest.mark.parametrize("text", ["", "   ", "\"'()*:&|!^-", "\0"])
def test_a_query_without_letters_or_digits_is_empty(text: str) -> None:
    assert parse_query(text) == ()
    assert to_fts5(()) == to_tsquery(()) == ""


def index() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE doc USING fts5(tokens, detail=none, columnsize=0, tokenize='ascii')")
    return db


def hits(db: sqlite3.Connection, text: str) -> list[int]:
    return [row[0] for row in db.execute("SELECT rowid FROM doc WHERE doc MATCH ?", [to_fts5(parse_query(text))])]


def test_sqlite_finds_split_and_unsplit_forms() -> None:
    db = index()
    documents = ["host srv-prn-01 is down", "host srvprn01 is down", "srv 01", "Ünïcode prn"]
    db.executemany("INSERT INTO doc(tokens) VALUES (?)", [(tokenise(text),) for text in documents])
    assert hits(db, "SRV-PRN-01") == [1, 2]
    assert hits(db, "srvprn01") == [1, 2]
    assert hits(db, "down host") == [1, 2]
    assert hits(db, "unicode") == [4]
    assert hits(db, 'srv" OR "prn') == []


@given(text=st.text(max_size=60))
def test_whatever_is_typed_sqlite_takes_it_and_finds_the_text_itself(text: str) -> None:
    db = index()
    db.execute("INSERT INTO doc(tokens) VALUES (?)", [tokenise(text)])
    if parse_query(text):
        assert hits(db, text) == [1]
