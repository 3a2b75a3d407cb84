"""The spreadsheet for pay: hours on call by kind, a row for each person and month, and a row for each duty.

Every text is written as a text: a name that looks like a formula stays a name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.core.fairness import (
    SHOWN,
    TITLES,
    Night,
    Part,
    Stretch,
    Tally,
    clip_spans,
    define_kinds,
    list_months,
    tally,
)
from portal.core.intervals import Interval
from portal.core.wallclock import wall_of

_HOUR = timedelta(hours=1)
_HEADS = tuple(TITLES[kind] for kind in SHOWN)
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


@dataclass(frozen=True)
class PaySheet:
    """What the sheet is made of.

    Attributes:
        zone: of the schedule: all times are on its clock.
        span: what was asked for; every stretch lies within.
        parts: cover the span (core/fairness.py).
        names: id -> name, as it is now.
        calendar: the name of the hours that say what is open and what is a holiday.
        made_at: product time.
    """

    site: str
    schedule: str
    calendar: str
    zone: ZoneInfo
    span: Interval
    night: Night
    names: Mapping[int, str]
    stretches: Sequence[Stretch]
    parts: Sequence[Part]
    made_at: datetime

    def name(self, person_id: int) -> str:
        """What somebody is called."""
        return self.names.get(person_id, f"Person {person_id}")


def make_pay_sheet(pay: PaySheet) -> bytes:
    """An .xlsx file: Totals, Duties, and what the columns mean. The same facts give the same bytes."""
    buffer = BytesIO()
    book = Workbook(buffer, _OPTIONS)
    book.set_properties({"title": f"On call: {pay.schedule}", "created": _wall(pay, pay.made_at)})
    formats = {
        "head": book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}),
        "bold": book.add_format({"bold": True, "num_format": "0.00"}),
        "hours": book.add_format({"num_format": "0.00"}),
        "month": book.add_format({"num_format": "mmm yyyy", "align": "left"}),
        "time": book.add_format({"num_format": "ddd yyyy-mm-dd hh:mm", "align": "left"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
    }
    _write_totals(book.add_worksheet("Totals"), pay, formats)
    _write_duties(book.add_worksheet("Duties"), pay, formats)
    _write_about(book.add_worksheet("About"), pay, formats)
    book.close()
    return buffer.getvalue()


def _write_totals(sheet: Worksheet, pay: PaySheet, formats: Mapping[str, Any]) -> None:
    _write_heads(sheet, ("Person", "Month", *_HEADS, "Total"), (28, 12), formats)
    row, all_hours = 1, [0.0] * (len(SHOWN) + 1)
    for person, month, found in list_totals(pay):
        sheet.write_string(row, 0, pay.name(person))
        sheet.write_datetime(row, 1, datetime(month.year, month.month, 1), formats["month"])  # noqa: DTZ001 - a month
        hours = _write_hours(sheet, row, 2, found, formats["hours"])
        all_hours = [one + other for one, other in zip(all_hours, hours, strict=True)]
        row += 1
    sheet.write_string(row, 0, "All", formats["bold"])
    for column, number in enumerate(all_hours, 2):
        sheet.write_number(row, column, number, formats["bold"])


def _write_duties(sheet: Worksheet, pay: PaySheet, formats: Mapping[str, Any]) -> None:
    heads = ("Person", "From", "Until", "UTC offset at start", "UTC offset at end", *_HEADS, "Total")
    _write_heads(sheet, heads, (28, 22, 22, 10, 10), formats)
    for row, one in enumerate(pay.stretches, 1):
        sheet.write_string(row, 0, pay.name(one.person_id))
        for column, at in ((1, one.span.starts_at), (2, one.span.ends_at)):
            sheet.write_datetime(row, column, _wall(pay, at), formats["time"])
            sheet.write_string(row, column + 2, _offset(pay, at))
        _write_hours(sheet, row, 5, tally([one.span], pay.parts), formats["hours"])


def _write_about(sheet: Worksheet, pay: PaySheet, formats: Mapping[str, Any]) -> None:
    begins, ends = (f"{_wall(pay, at):%Y-%m-%d %H:%M}" for at in (pay.span.starts_at, pay.span.ends_at))
    lines = [
        ("Help desk", pay.site),
        ("Schedule", pay.schedule),
        ("Business hours", pay.calendar),
        ("From", begins),
        ("Until", ends),
        ("Made at", f"{_wall(pay, pay.made_at):%Y-%m-%d %H:%M}"),
        ("Times", f"On the clock of {pay.zone.key}."),
        (
            "Hours",
            "Real time: a night in which the clock goes back is longer, one in which it goes forward shorter.",
        ),
        *((TITLES[kind], define_kinds(pay.night)[kind]) for kind in SHOWN),
    ]
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 80)
    for row, (head, words) in enumerate(lines):
        sheet.write_string(row, 0, head, formats["head"])
        sheet.write_string(row, 1, words, formats["wrap"])


def list_totals(pay: PaySheet) -> list[tuple[int, date, Tally]]:
    """Person, month and time, for every month in which somebody was on call: by name, then by month."""
    spans: dict[int, list[Interval]] = {}
    for one in pay.stretches:
        spans.setdefault(one.person_id, []).append(one.span)
    months = list_months(pay.span, zone=pay.zone)
    found = []
    for person in sorted(spans, key=lambda one: (pay.name(one).casefold(), one)):
        for month, held in months:
            if own := clip_spans(spans[person], held):
                found.append((person, month, tally(own, pay.parts)))
    return found


def _write_heads(sheet: Worksheet, heads: Sequence[str], widths: Sequence[int], formats: Mapping[str, Any]) -> None:
    sheet.set_column(0, len(heads) - 1, 12)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, formats["head"])
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _write_hours(sheet: Worksheet, row: int, first: int, found: Tally, look: Any) -> list[float]:
    hours = [*(found.hours(kind) for kind in SHOWN), found.total / _HOUR]
    for column, number in enumerate(hours, first):
        sheet.write_number(row, column, number, look)
    return hours


def _offset(pay: PaySheet, at: datetime) -> str:
    """`+02:00`: which of the two it is in the hour that comes twice."""
    digits = at.astimezone(pay.zone).strftime("%z")
    return f"{digits[:3]}:{digits[3:5]}"


def _wall(pay: PaySheet, at: datetime) -> datetime:
    return wall_of(at, zone=pay.zone)
