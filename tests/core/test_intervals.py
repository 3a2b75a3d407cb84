from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from portal.core.intervals import Interval, merge_intervals, subtract_intervals

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def minute(number: int) -> datetime:
    return EPOCH + timedelta(minutes=number)


def span(start: int, end: int) -> Interval:
    return Interval(minute(start), minute(end))


spans = st.lists(st.builds(span, st.integers(0, 60), st.integers(0, 60)), max_size=8)


def minutes_of(intervals) -> set[int]:
    return {number for number in range(61) if any(minute(number) in interval for interval in intervals)}


def test_an_interval_holds_its_start_and_not_its_end():
    assert minute(1) in span(1, 3)
    assert minute(3) not in span(1, 3)


def test_an_interval_that_ends_where_it_starts_is_empty():
    assert not span(2, 2)
    assert not span(3, 2)
    assert span(2, 3)


def test_touching_intervals_become_one():
    assert merge_intervals([span(5, 9), span(1, 5), span(7, 7), span(20, 21)]) == (span(1, 9), span(20, 21))


def test_an_interval_inside_another_disappears():
    assert merge_intervals([span(1, 9), span(2, 3)]) == (span(1, 9),)


def test_subtracting_cuts_holes():
    assert subtract_intervals(span(10, 20), [span(5, 11), span(13, 14), span(19, 30)]) == (span(11, 13), span(14, 19))


def test_subtracting_what_lies_elsewhere_changes_nothing():
    assert subtract_intervals(span(10, 20), [span(1, 2), span(30, 40)]) == (span(10, 20),)


def test_nothing_is_left_of_what_is_taken_whole():
    assert subtract_intervals(span(10, 20), [span(10, 20)]) == ()


@given(spans)
def test_merging_keeps_every_minute_and_adds_none(intervals):
    merged = merge_intervals(intervals)
    assert minutes_of(merged) == minutes_of(intervals)
    assert all(earlier.ends_at < later.starts_at for earlier, later in pairwise(merged))


@given(st.integers(0, 60), st.integers(0, 60), spans)
def test_subtracting_leaves_exactly_the_minutes_not_taken(start, end, taken):
    left = subtract_intervals(span(start, end), taken)
    assert minutes_of(left) == minutes_of([span(start, end)]) - minutes_of(taken)
