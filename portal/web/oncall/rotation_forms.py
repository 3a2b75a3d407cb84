"""The form of a rotation, on the wall clock of its schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, FieldList, HiddenField, IntegerField, RadioField, SelectField, StringField, TimeField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS, Week, format_week, parse_week
from portal.core.errors import DomainError
from portal.core.rotations import Rotation, Unit, closed_periods
from portal.services.rotations import LEVELS, RotationDraft

ROWS = 3  # empty places offered below the people there are
MOST_PEOPLE = 60
ALWAYS, CLOSED, OWN = "always", "closed", "own"
NOW, HAND_OFF = "now", "hand_off"
_UNITS = [SelectChoice(unit.value, f"{unit.value}s") for unit in Unit]


def _day(name: str) -> StringField:
    return StringField(name, validators=[Length(max=200, message="At most 200 characters.")])


class RotationForm(FlaskForm):  # type: ignore[misc]
    """`seen` is that of the preview: only what was looked at is saved."""

    name = StringField("Name", validators=[InputRequired("Give it a name."), Length(max=80)])
    people = FieldList(SelectField(coerce=int, validators=[Optional()], default=0), max_entries=MOST_PEOPLE)
    every = IntegerField("A turn lasts", default=1, validators=[NumberRange(1, 366, "Between 1 and 366.")])
    unit = SelectField("Unit", choices=_UNITS, default="week")
    starts_on = DateField("First hand-off", validators=[InputRequired("Give the day of the first hand-off.")])
    starts_at = TimeField("at", validators=[InputRequired("Give the time of the hand-off.")])
    begins = RadioField(
        "It counts",
        choices=[SelectChoice(HAND_OFF, "from the first hand-off"), SelectChoice(NOW, "at once")],
        default=HAND_OFF,
    )
    times = RadioField(
        "Times of the week",
        choices=[
            SelectChoice(ALWAYS, "round the clock"),
            SelectChoice(CLOSED, "nights and weekends: while the shop is closed"),
            SelectChoice(OWN, "only at these times"),
        ],
        default=ALWAYS,
    )
    mon, tue, wed, thu, fri, sat, sun = (_day(name) for name in WEEKDAY_NAMES)
    by_shift = RadioField(
        "Turns are counted",
        choices=[SelectChoice("", "by the calendar"), SelectChoice("1", "by shift: each of these times is one shift")],
        default="",
    )
    ends_on = DateField("Ends", validators=[Optional()])
    ends_at = TimeField("at", validators=[Optional()])
    level = IntegerField("Level", default=0, validators=[NumberRange(LEVELS[0], LEVELS[-1], "Between -100 and 100.")])
    seen = HiddenField()

    def offer(self, people: Sequence[tuple[int, str]], *, rows: int = 0) -> None:
        """Fill the menus of people, and add empty ones below."""
        while len(self.people.entries) < min(MOST_PEOPLE, rows):
            self.people.append_entry(0)
        for number, entry in enumerate(self.people.entries, start=1):
            entry.choices = [(0, "Nobody"), *people]
            entry.label.text = f"Person {number}"

    def fill(self, name: str, rotation: Rotation) -> None:
        """Show a rotation."""
        self.name.data, self.every.data, self.unit.data = name, rotation.every, rotation.unit.value
        self.starts_on.data, self.starts_at.data = rotation.starts.date(), rotation.starts.time()
        self.by_shift.data, self.level.data = "1" if rotation.by_shift else "", rotation.level
        if rotation.ends:
            self.ends_on.data, self.ends_at.data = rotation.ends.date(), rotation.ends.time()
        self.show_week(rotation.week)
        for person in rotation.people:
            self.people.append_entry(person)

    def show_week(self, week: Week | None) -> None:
        """Show the times of the week."""
        self.times.data = OWN if week else ALWAYS
        for key, periods in (format_week(week) if week else {}).items():
            self[key].data = ", ".join(periods)

    @property
    def people_in_order(self) -> tuple[int, ...]:
        return tuple(entry.data for entry in self.people.entries if entry.data)

    @property
    def days(self) -> list[Any]:
        return [self[key] for key in WEEKDAYS]

    def read_draft(self, opening: Week) -> RotationDraft | None:
        """The rotation as typed; None, with the reason at the form, when it makes no sense. `opening`: when the shop is
        open by its week."""
        if not self.validate():
            return None
        ends = None
        if self.ends_on.data:
            ends = datetime.combine(self.ends_on.data, self.ends_at.data or time())
        try:
            rotation = Rotation(
                0, self.people_in_order, datetime.combine(self.starts_on.data, self.starts_at.data),
                Unit(self.unit.data), self.every.data, ends, self._week(opening), bool(self.by_shift.data),
                self.level.data,
            )  # fmt: skip
        except DomainError as error:
            self.form_errors.append(str(error))
            return None
        return RotationDraft(" ".join((self.name.data or "").split()), rotation, is_now=self.begins.data == NOW)

    def _week(self, opening: Week) -> Week | None:
        if self.times.data == ALWAYS:
            return None
        if self.times.data == CLOSED:
            return closed_periods(opening)
        return parse_week({key: self[key].data or "" for key in WEEKDAYS})


class EndForm(FlaskForm):  # type: ignore[misc]
    """When a rotation ends. `seen` is that of the preview."""

    ends_on = DateField("Last day", validators=[InputRequired("Give the day it ends.")])
    ends_at = TimeField("at", validators=[InputRequired("Give the time it ends.")])
    seen = HiddenField()

    def read_ends(self) -> datetime | None:
        """The end as typed; None, with the reason at the form."""
        return datetime.combine(self.ends_on.data, self.ends_at.data) if self.validate() else None
