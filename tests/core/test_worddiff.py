"""The word diff shows exactly what the corrector changed."""

from portal.core.spelling import SpellingChange
from portal.core.worddiff import Segment, diff_lines, diff_words

TEXT = "Teh printer\nis brokn agian\nthanks"
CHANGES = (
    SpellingChange(0, 3, "Teh", "The", "listed"),
    SpellingChange(15, 20, "brokn", "broken", "close"),
    SpellingChange(21, 26, "agian", "again", "close"),
)


def test_a_changed_word_shows_removed_then_added() -> None:
    assert diff_words("a teh b", (SpellingChange(2, 5, "teh", "the", ""),)) == (
        Segment("equal", "a "),
        Segment("removed", "teh"),
        Segment("added", "the"),
        Segment("equal", " b"),
    )


def test_equal_and_removed_give_the_original_and_equal_and_added_the_new_text() -> None:
    segments = diff_words(TEXT, CHANGES)
    assert "".join(s.text for s in segments if s.kind != "added") == TEXT
    assert "".join(s.text for s in segments if s.kind != "removed") == "The printer\nis broken again\nthanks"


def test_a_text_without_changes_is_one_equal_segment() -> None:
    assert diff_words("as it was", ()) == (Segment("equal", "as it was"),)
    assert diff_words("", ()) == ()


def test_only_lines_with_a_change_are_shown() -> None:
    lines = diff_lines(TEXT, CHANGES)
    assert ["".join(s.text for s in line if s.kind != "added") for line in lines] == ["Teh printer", "is brokn agian"]
    assert [[s.text for s in line if s.kind == "added"] for line in lines] == [["The"], ["broken", "again"]]


def test_a_change_in_the_last_line_and_windows_line_ends_are_handled() -> None:
    text = "fine\r\nteh\r\nteh"
    changes = (SpellingChange(6, 9, "teh", "the", ""), SpellingChange(11, 14, "teh", "the", ""))
    assert diff_lines(text, changes) == ((Segment("removed", "teh"), Segment("added", "the")),) * 2
