"""The form of the business hours: one line of periods for each weekday."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Length

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS, Week, format_week, parse_day
from portal.core.errors import DomainError


def _day(name: str) -> StringField:
    return StringField(name, validators=[Length(max=200, message="At most 200 characters.")])


class HoursForm(FlaskForm):  # type: ignore[misc]
    mon, tue, wed, thu, fri, sat, sun = (_day(name) for name in WEEKDAY_NAMES)

    def fill(self, week: Week) -> None:
        """Show the hours as they are."""
        for key, periods in format_week(week).items():
            self[key].data = ", ".join(periods)

    def read_week(self) -> Week | None:
        """The week as typed; None, with the reasons at the days, when it makes no sense."""
        if not self.validate():
            return None
        days = []
        for key in WEEKDAYS:
            try:
                days.append(parse_day(self[key].data or ""))
            except DomainError as error:
                self[key].errors = [str(error)]
        if self.errors:
            return None
        try:
            return Week(tuple(days))
        except DomainError as error:
            self.form_errors.append(str(error))
            return None
