"""What the week and the month show: bars placed on a grid of hours, one lane a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from portal.core.calendars import BusinessHours, closures_on
from portal.core.intervals import Interval
from portal.core.lanes import Bar, plan_lanes
from portal.core.roster import RosterDuty, Source, SourceKind
from portal.core.roster_changes import RosterChange
from portal.core.shifts import Shift
from portal.core.wallclock import instant_of, wall_of
from portal.services.schedules import Member
from portal.web.formats import format_day

WEEK = 7
HOURS = 24 * WEEK
TINTS = 6
WIDE = 10 * 60
_NOTHING = Source(SourceKind.SHIFT, 0)


@dataclass(frozen=True)
class DayHead:
    """The head of a column. `classes` are the design system's."""

    on: date
    classes: str
    holiday: str = ""


@dataclass(frozen=True)
class BarView:
    """A bar on the grid: its place as classes, and the words it carries. A gap has no duty. `why`: the note of the
    shift, or what else puts the person on call. It has no start or end where it goes on beyond what was asked for."""

    classes: str
    starts: datetime
    ends: datetime
    duty: RosterDuty | None = None
    is_wide: bool = True
    why: str = ""
    today: date = date.min
    has_start: bool = True
    has_end: bool = True

    @property
    def shift_id(self) -> int | None:
        """The shift behind it, where it is one."""
        return self.duty.source.id if self.duty and self.duty.source.kind is SourceKind.SHIFT else None

    @cached_property
    def words(self) -> str:
        """From when to when, and why; in a preview also how it differs from the roster that stands."""
        starts = f"{format_day(self.starts.date(), self.today)}, {self.starts:%H:%M}"
        is_one_day = self.has_start and self.starts.date() == self.ends.date()
        ends = f"{'' if is_one_day else format_day(self.ends.date(), self.today) + ', '}{self.ends:%H:%M}"
        span = f"{starts} to {ends}" if self.has_start and self.has_end else "all the time"
        if self.has_start != self.has_end:
            span = f"from {starts} on" if self.has_start else f"until {ends}"
        before = f"{self.change.capitalize()}: " if self.change else ""
        return f"{before}{span}{f': {self.why}' if self.why else ''}"

    @property
    def kind(self) -> str:
        """Why the person is on call: shift, rotation, holiday or override."""
        return self.duty.source.kind.value if self.duty else ""

    @property
    def change(self) -> str:
        """In a preview: how it differs from the roster that stands."""
        return "new" if "is-new" in self.classes else "no longer" if "is-gone" in self.classes else ""

    @property
    def short_words(self) -> str:
        """`18–08`, with minutes where there are any; `all day` from midnight to midnight."""
        if self.starts.time() == self.ends.time() == time():
            return "all day"
        return "–".join(f"{at:%H:%M}" if at.minute else f"{at:%H}" for at in (self.starts, self.ends))


@dataclass(frozen=True)
class LaneView:
    """A person and their bars; none when they are not on call that week."""

    member: Member
    bars: tuple[BarView, ...]


@dataclass(frozen=True)
class WeekView:
    """One strip of seven days. `now_hour` is None when now lies elsewhere."""

    first: date
    days: tuple[DayHead, ...]
    lanes: tuple[LaneView, ...]
    gaps: tuple[BarView, ...]
    now_hour: int | None

    @property
    def last(self) -> date:
        return self.first + timedelta(days=WEEK - 1)


@dataclass(frozen=True)
class Roster:
    """What a calendar is drawn from: loaded once for all weeks shown. `asked`: what the duties were asked for and are
    cut to. `changes` are marked: who is on call that was not, and as bars of their own who is not any more."""

    duties: Sequence[RosterDuty]
    zone: ZoneInfo
    members: Sequence[Member]
    hours: BusinessHours
    gaps: Sequence[Interval]
    now: datetime
    reasons: Mapping[Source, str]
    asked: Interval
    changes: Sequence[RosterChange] = ()


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def weeks_of(day: date, view: str) -> list[date]:
    """The Mondays shown: the week of `day`, or every week that holds a day of its month."""
    if view == "week":
        return [monday_of(day)]
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    start = monday_of(first)
    return [start + timedelta(weeks=number) for number in range(-(-(after - start).days // WEEK))]


def neighbours_of(day: date, view: str) -> tuple[date, date]:
    """A day in the week or month before, and one in the next."""
    if view == "week":
        return day - timedelta(weeks=1), day + timedelta(weeks=1)
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)


def draw_week(roster: Roster, first: date, *, everyone: bool) -> WeekView:
    """One strip. `everyone` gives a lane also to people without a shift that week, so that one can be added."""
    zone = roster.zone
    active = [member.id for member in roster.members if member.is_active]
    week = span_of([first], zone=zone)
    duties = [one for one in roster.duties if one.starts_at < week.ends_at and week.starts_at < one.ends_at]
    lanes = plan_lanes(duties, zone=roster.zone, first=first, days=WEEK, person_ids=active if everyone else ())
    gone = {lane.person_id: lane.bars for lane in plan_lanes(_gone(roster), zone=zone, first=first, days=WEEK)}
    members = {member.id: member for member in roster.members}
    order = {member.id: number for number, member in enumerate(roster.members)}
    bars = dict.fromkeys(gone, ()) | {lane.person_id: lane.bars for lane in lanes}
    views = [
        LaneView(
            members[person],
            _bars(found, roster, order[person]) + _bars(gone.get(person, ()), roster, order[person], "is-gone"),
        )
        for person, found in bars.items()
    ]
    wall = wall_of(roster.now, zone=zone)
    hour = int((wall - datetime.combine(first, time())) / timedelta(hours=1))
    return WeekView(
        first=first,
        days=tuple(_head(first + timedelta(days=number), roster.hours, wall.date()) for number in range(WEEK)),
        lanes=tuple(sorted(views, key=lambda view: order[view.member.id])),
        gaps=tuple(filter(None, (_gap(gap, first, zone, wall.date()) for gap in roster.gaps))),
        now_hour=hour if wall >= datetime.combine(first, time()) and hour < HOURS else None,
    )


def span_of(mondays: Sequence[date], *, zone: ZoneInfo) -> Interval:
    """The instants from the first midnight to the last of the weeks shown."""
    first, last = mondays[0], mondays[-1] + timedelta(days=WEEK)
    return Interval(*(instant_of(datetime.combine(day, time()), zone=zone) for day in (first, last)))


def name_gap(gap: Interval, *, zone: ZoneInfo, today: date) -> BarView:
    """A gap by itself, for the list of those to come."""
    return BarView("", wall_of(gap.starts_at, zone=zone), wall_of(gap.ends_at, zone=zone), today=today)


def hidden_shifts(shifts: Iterable[Shift], roster: Roster, mondays: Sequence[date]) -> list[BarView]:
    """The shifts of these weeks that put nobody on call: something else counts all the time, or the person is disabled.
    They have no bar, and must be found all the same."""
    first, last = (datetime.combine(day, time()) for day in (mondays[0], mondays[-1] + timedelta(days=WEEK)))
    counted, today = {duty.source for duty in roster.duties}, wall_of(roster.now, zone=roster.zone).date()
    found = []
    for shift in sorted(shifts, key=lambda one: (one.starts, one.id)):
        source = Source(SourceKind.SHIFT, shift.id)
        if source not in counted and shift.starts < last and first < shift.ends:
            starts_at, ends_at = (instant_of(wall, zone=roster.zone) for wall in (shift.starts, shift.ends))
            duty = RosterDuty(shift.person_id, starts_at, ends_at, source)
            found.append(BarView("", shift.starts, shift.ends, duty, why=shift.note, today=today))
    return found


def people_of(members: Sequence[Member], duties: Iterable[RosterDuty], names: Mapping[int, str]) -> list[Member]:
    """The members, and whoever else stands on the roster: somebody who cannot be on call any more, but was."""
    known = {member.id for member in members}
    others = {duty.person_id for duty in duties} - known
    return [*members, *(Member(one, names.get(one, "?"), is_active=False, has_phone=False) for one in sorted(others))]


def _gone(roster: Roster) -> list[RosterDuty]:
    lost = [one for one in roster.changes if not one.is_on]
    return [RosterDuty(one.person_id, one.span.starts_at, one.span.ends_at, _NOTHING) for one in lost]


def _mark(duty: RosterDuty, roster: Roster) -> str:
    """Who is on call that was not before the change."""
    is_new = any(
        one.is_on and one.person_id == duty.person_id
        and one.span.starts_at < duty.ends_at and duty.starts_at < one.span.ends_at
        for one in roster.changes
    )  # fmt: skip
    return " is-new" if is_new else " is-now" if _is_now(duty, roster.now) else ""


def _bars(bars: Sequence[Bar], roster: Roster, number: int, mark: str = "") -> tuple[BarView, ...]:
    tint = mark or f"shift-{number % TINTS + 1}"
    return tuple(
        BarView(
            f"{_place(bar.start, bar.end)} {tint}{'' if mark else _mark(bar.duty, roster)}",
            bar.starts,
            bar.ends,
            bar.duty,
            is_wide=_is_wide(bar.start, bar.end),
            why=roster.reasons.get(bar.duty.source, ""),
            today=wall_of(roster.now, zone=roster.zone).date(),
            has_start=bar.duty.starts_at > roster.asked.starts_at,
            has_end=bar.duty.ends_at < roster.asked.ends_at,
        )
        for bar in bars
    )


def _is_now(duty: RosterDuty, now: datetime) -> bool:
    return duty.starts_at <= now < duty.ends_at


def _gap(gap: Interval, first: date, zone: ZoneInfo, today: date) -> BarView | None:
    starts, ends = wall_of(gap.starts_at, zone=zone), wall_of(gap.ends_at, zone=zone)
    midnight, minute = datetime.combine(first, time()), timedelta(minutes=1)
    start, end = max(0, (starts - midnight) // minute), min(HOURS * 60, (ends - midnight) // minute)
    if start >= end:
        return None
    return BarView(_place(start, end), starts, ends, is_wide=_is_wide(start, end), today=today)


def _is_wide(start: int, end: int) -> bool:
    """Whether the grid has room for words."""
    return end - start >= WIDE


def _place(start: int, end: int) -> str:
    """Minutes of the week as grid classes, rounded outwards to whole hours."""
    return f"from-{start // 60} to-{-(-end // 60)}"


def _head(day: date, hours: BusinessHours, today: date) -> DayHead:
    holiday = next((holiday.name for _, holiday in closures_on(hours, day)), "")
    flags: Mapping[str, bool] = {
        "is-today": day == today,
        "is-holiday": bool(holiday),
        "is-closed": not hours.week.days[day.weekday()],
    }
    return DayHead(day, " ".join(name for name, holds in flags.items() if holds), holiday)
