"""What fits into a text: alphabets, segments, and the cutting of what does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.sms import (
    Segments,
    count_segments,
    fit_gist,
    fit_items,
    is_gsm7,
    one_line,
    shorten,
    to_plain,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 1)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("ж" * 70, Segments("UCS-2", 70, 1)),
        ("ж" * 71, Segments("UCS-2", 71, 2)),
        ("ж" * 134, Segments("UCS-2", 134, 2)),
        ("ж" * 135, Segments("UCS-2", 135, 3)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
    ],
)
def test_segments_as_the_carrier_bills_them(text, expected):
    assert count_segments(text) == expected


def test_an_escape_pair_is_not_split_over_two_segments():
    text = "a" * 152 + "€" + "a" * 152
    assert count_segments(text).units == 306
    assert count_segments(text).count == 3


def test_a_surrogate_pair_is_not_split_over_two_segments():
    text = "ж" * 66 + "😀" + "ж" * 66
    assert count_segments(text).units == 134
    assert count_segments(text).count == 3


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Server’s down” – now…", '"Server\'s down" - now...'),
        ("Zoë José Łódź Čech Štefan", "Zoe José Lodz Cech Stefan"),
        ("Müller, Ångström, ñandú, façade", "Müller, Ångström, ñandu, facade"),
        ("no\u00a0break\u2003wide\ttab", "no break wide tab"),
        ("fire 🔥👍🏽 ⚠️ now", "fire   now"),
        ("a\u200db\u0007c\ufeffd", "abcd"),
        ("10 × 3 → 30 № 5", "10 x 3 -> 30 No 5"),
        ("price 5 € [x] {y} ~ ^ \\ |", "price 5 € [x] {y} ~ ^ \\ |"),
        ("e\u0301", "é"),
    ],
)
def test_what_gsm7_lacks_becomes_its_nearest_plain_form(text, plain):
    assert to_plain(text) == plain
    assert is_gsm7(to_plain(text))


def test_another_script_stays_as_it_was_written():
    assert to_plain("Сервер “не” работает 🔥") == "Сервер “не” работает "
    assert not is_gsm7(to_plain("日本"))


def test_one_line_folds_all_space():
    assert one_line("  a\n\n b\t 🔥 c ") == "a b c"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 10, "short"),
        ("the server room is on fire", 16, "the server..."),
        ("abcdefghijklmnopqrstuvwxyz", 10, "abcdefg..."),
        ("a, bcdefghijklmnop", 8, "a, bc..."),
        ("one two, three", 12, "one two..."),
    ],
)
def test_shorten_cuts_between_words_where_it_can(text, limit, expected):
    assert shorten(text, limit) == expected
    assert len(shorten(text, limit)) <= limit


@given(st.text(max_size=300), st.integers(min_value=3, max_value=300))
def test_shorten_never_exceeds_its_limit(text, limit):
    assert len(shorten(text, limit)) <= limit


def test_a_gist_that_fits_is_whole():
    assert fit_gist("P1 #1: ", "printer on fire", " Reply A") == "P1 #1: printer on fire Reply A"


def test_a_long_gist_fills_the_one_segment_and_no_more():
    text = fit_gist("P1 #1: ", "word " * 80, " Reply A")
    assert count_segments(text).count == 1
    assert len(text) > 150
    assert text.endswith("... Reply A")


def test_head_and_tail_that_leave_no_room_buy_a_second_segment():
    text = fit_gist("h" * 130, "g" * 39, "t" * 10)
    assert count_segments(text).count == 2
    assert "g" * 39 in text


@given(st.text(max_size=600), st.text(max_size=120))
def test_head_and_tail_always_survive(gist, head):
    text = fit_gist(head, gist, " Reply 1A")
    assert text.startswith(head)
    assert text.endswith(" Reply 1A")
    assert count_segments(text).count <= count_segments(head + "g" * 40 + gist[:40] + " Reply 1A").count + 1


def test_items_that_do_not_fit_are_counted():
    text = fit_items("9 late: ", [f"P3 #{n} something is broken here" for n in range(9)], ". Reply 1A", segments=1)
    assert count_segments(text).count == 1
    assert text.endswith("+5 more. Reply 1A")


def test_one_item_is_always_shown_and_none_is_no_error():
    assert fit_items("x: ", ["y" * 400], "") == "x: " + "y" * 400
    assert fit_items("x", [], "z") == "xz"
