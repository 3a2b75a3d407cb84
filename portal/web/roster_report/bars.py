"""One row a person: a bar cut into kinds of time, and numbers beside it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.fairness import SHOWN, TITLES, Load, Tally, TimeKind
from portal.services.fairness import Fairness

COUNTED = {
    TimeKind.NIGHT: ("night", "nights"),
    TimeKind.WEEKEND: ("weekend", "weekends"),
    TimeKind.HOLIDAY: ("holiday", "holidays"),
}


@dataclass(frozen=True)
class Piece:
    """A part of a bar, in percent of the longest bar."""

    kind: str
    start: str
    width: str


@dataclass(frozen=True)
class Cell:
    """The hours of one kind, what they were (`12 nights`), and how they compare with the average (`+20 %`)."""

    title: str
    hours: str
    count: str
    compared: str


@dataclass(frozen=True)
class Row:
    """One person."""

    name: str
    pieces: tuple[Piece, ...]
    cells: tuple[Cell, ...]
    total: Cell
    rung: int
    answered: int


def draw_rows(found: Fairness) -> list[Row]:
    """Everybody, the most time first."""
    longest = max((load.tally.total.total_seconds() for load in found.loads), default=0) or 1
    return [_row(load, found, longest) for load in found.loads]


def say_hours(hours: float) -> str:
    """`1,234.5`, without a fraction where there is none."""
    return f"{hours:,.1f}".removesuffix(".0")


def compare(own: float, average: float) -> str:
    """`+20 %` of the average; nothing where there is none, or no difference that shows."""
    percent = round((own / average - 1) * 100) if average else 0
    return f"{'+' if percent > 0 else '−'}{abs(percent)} %" if percent else ""


def _row(load: Load, found: Fairness, longest: float) -> Row:
    pieces, start = [], 0.0
    for kind in SHOWN:
        width = load.tally.hours(kind) * 3600 / longest * 100
        if width:
            pieces.append(Piece(str(kind), f"{start:.2f}", f"{width:.2f}"))
        start += width
    average = found.average.total.total_seconds() / 3600
    total = load.tally.total.total_seconds() / 3600
    return Row(
        found.names.get(load.person_id, "Somebody who is gone"),
        tuple(pieces),
        tuple(_cell(load.tally, found.average, kind) for kind in SHOWN),
        Cell("Total", say_hours(total), "", compare(total, average)),
        load.rung,
        load.answered,
    )


def _cell(tally: Tally, average: Tally, kind: TimeKind) -> Cell:
    hours, count = tally.hours(kind), tally.count(kind)
    one, many = COUNTED.get(kind, ("", ""))
    words = f"{count} {one if count == 1 else many}" if many and count else ""
    compared = compare(hours, average.hours(kind)) if many else ""
    return Cell(TITLES[kind], say_hours(hours), words, compared)
