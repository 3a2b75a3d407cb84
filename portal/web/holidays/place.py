"""Which calendar, year and month the holiday pages are about. Every address carries it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import g, request, url_for

from portal.core.wallclock import wall_of
from portal.models import SITE_CALENDAR
from portal.models.versions import Head, load_site_state
from portal.services.holidays import YEARS
from portal.web.state import now

MONTHS = range(1, 13)


@dataclass(frozen=True)
class Place:
    """What is shown: `month` is None for the whole year; `others` are all calendars, the site's own first."""

    head: Head
    others: tuple[Head, ...]
    year: int
    month: int | None
    today: date

    @property
    def calendar_id(self) -> int:
        return self.head.id

    def url(self, endpoint: str, **values: Any) -> str:
        """An address of the holiday pages about the same calendar, year and month."""
        said = {
            "calendar": None if self.head.id == SITE_CALENDAR else self.head.id,
            "year": self.year,
            "month": self.month,
            **values,
        }
        return url_for(f"holidays.{endpoint}", **{key: value for key, value in said.items() if value is not None})

    def month_url(self, step: int) -> str:
        """The month page so many months on; nothing beyond the years there are."""
        year, month = divmod(self.year * 12 + (self.month or 1) - 1 + step, 12)
        return self.url("show", year=year, month=month + 1) if year in YEARS else ""

    def year_url(self, step: int) -> str:
        """The year page so many years on; nothing beyond the years there are."""
        return self.url("show", year=self.year + step, month=None) if self.year + step in YEARS else ""


def find_place(*, calendar_id: int | None = None) -> Place:
    """What the address asks for; this year of the site's calendar where it asks for nothing that is. `calendar_id`:
    that of the thing the page is about, whatever the address says."""
    heads = load_site_state(g.read).calendars
    asked = calendar_id or request.args.get("calendar", type=int)
    head = heads.get(asked or SITE_CALENDAR, heads[SITE_CALENDAR])
    others = tuple(sorted(heads.values(), key=lambda one: (one.id != SITE_CALENDAR, one.name.casefold())))
    today = wall_of(now(), zone=head.zone).date()
    year, month = request.args.get("year", 0, type=int), request.args.get("month", 0, type=int)
    return Place(head, others, year if year in YEARS else today.year, month if month in MONTHS else None, today)
