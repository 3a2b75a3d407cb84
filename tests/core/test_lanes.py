from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from portal.core.intervals import Interval
from portal.core.lanes import plan_lanes
from portal.core.roster import RosterDuty, Schedule, Source, SourceKind, make_roster
from portal.core.shifts import Shift

BERLIN = ZoneInfo("Europe/Berlin")
BOB, CAROL = 2, 3
MONDAY = date(2026, 11, 23)


def wall(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute)


def night(shift_id: int, person_id: int, day: int) -> Shift:
    """18:00 to 08:00 the next morning, in a month without a change of the clock."""
    return Shift(shift_id, person_id, wall(day, 18), wall(day + 1, 8))


def lanes_of(shifts, **keywords):
    span = Interval(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 20, tzinfo=UTC))
    return plan_lanes(make_roster(Schedule(BERLIN, tuple(shifts)), span), zone=BERLIN, **keywords)


def bars(lane) -> list[tuple[int, int]]:
    return [(bar.start, bar.end) for bar in lane.bars]


def test_a_night_past_midnight_is_one_bar():
    (lane,) = lanes_of([night(1, BOB, 24)], first=MONDAY, days=7)
    assert bars(lane) == [(1440 + 1080, 2 * 1440 + 480)]


def test_a_shift_that_reaches_over_the_edges_is_cut_there():
    (lane,) = lanes_of([Shift(1, BOB, wall(20, 9), wall(24, 9))], first=MONDAY, days=7)
    assert bars(lane) == [(0, 1440 + 540)]
    (lane,) = lanes_of([Shift(1, BOB, wall(29, 18), wall(30, 8))], first=MONDAY, days=7)
    assert bars(lane) == [(6 * 1440 + 1080, 7 * 1440)]


def test_a_shift_that_only_touches_the_week_is_not_in_it():
    shifts = [Shift(1, BOB, wall(22, 18), wall(23, 0)), Shift(2, BOB, wall(30, 0), wall(30, 8))]
    assert lanes_of(shifts, first=MONDAY, days=7) == ()


def test_shifts_of_one_person_that_overlap_lie_side_by_side():
    shifts = [
        Shift(1, BOB, wall(23, 0), wall(23, 12)),
        Shift(2, BOB, wall(23, 6), wall(23, 18)),
        Shift(3, BOB, wall(23, 12), wall(24, 0)),
    ]
    (lane,) = lanes_of(shifts, first=MONDAY, days=7)
    assert bars(lane) == [(0, 360), (360, 720), (720, 1440)]


def test_every_person_asked_for_has_a_lane_and_others_follow_when_they_have_a_shift():
    lanes = lanes_of([night(1, BOB, 23), night(2, 9, 12)], first=MONDAY, days=7, person_ids=[CAROL])
    assert [lane.person_id for lane in lanes] == [CAROL, BOB]
    assert bars(lanes[0]) == []


def test_a_duty_within_the_doubled_hour_that_ends_on_an_earlier_wall_clock_is_not_drawn_backwards():
    span = (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), datetime(2026, 10, 25, 1, 10, tzinfo=UTC))
    duty = RosterDuty(BOB, *span, Source(SourceKind.SHIFT, 1))
    (lane,) = plan_lanes([duty], zone=BERLIN, first=date(2026, 10, 25), days=1, person_ids=[BOB])
    assert bars(lane) == []
