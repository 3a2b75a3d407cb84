"""The form of one shift, on the wall clock of its schedule."""

from __future__ import annotations

from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, SelectField, StringField, TimeField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.core.errors import DomainError
from portal.core.shifts import Shift
from portal.services.shifts import MOST_WEEKS, StoredShift


class ShiftForm(FlaskForm):  # type: ignore[misc]
    """`version` is that of the shift the form was filled from, `seen` that of the schedule: of two people who edit one
    shift or plan the same weeks, the later is told."""

    person_id = SelectField("Person", coerce=int, validators=[InputRequired("Choose who is on call.")])
    starts_on = DateField("From", validators=[InputRequired("Give the day it starts.")])
    starts_at = TimeField("at", validators=[InputRequired("Give the time it starts.")])
    ends_on = DateField("Until", validators=[InputRequired("Give the day it ends.")])
    ends_at = TimeField("at", validators=[InputRequired("Give the time it ends.")])
    note = StringField("Note", validators=[Length(max=200, message="A note has at most 200 characters.")])
    weeks = IntegerField(
        "Again in the weeks after",
        default=0,
        validators=[Optional(), NumberRange(0, MOST_WEEKS, message=f"Between 0 and {MOST_WEEKS} weeks.")],
    )
    version = HiddenField(default="0")
    seen = HiddenField()

    def fill(self, stored: StoredShift) -> None:
        """Show a shift that stands in the calendar."""
        shift = stored.shift
        self.person_id.data, self.note.data, self.version.data = shift.person_id, shift.note, str(stored.version)
        self.suggest(shift.starts, shift.ends)

    def suggest(self, starts: datetime, ends: datetime) -> None:
        """Show a time."""
        self.starts_on.data, self.starts_at.data = starts.date(), starts.time()
        self.ends_on.data, self.ends_at.data = ends.date(), ends.time()

    @property
    def version_seen(self) -> int:
        """0, which no shift has, when the form does not tell."""
        return int(self.version.data) if str(self.version.data).isdecimal() else 0

    def read_shift(self, shift_id: int = 0, *, level: int = 0) -> Shift | None:
        """The shift as typed; None, with the reason at the form, when it makes no sense."""
        if not self.validate():
            return None
        starts = datetime.combine(self.starts_on.data, self.starts_at.data)
        ends = datetime.combine(self.ends_on.data, self.ends_at.data)
        try:
            return Shift(shift_id, self.person_id.data, starts, ends, (self.note.data or "").strip(), level)
        except DomainError as error:
            self.ends_on.errors = [str(error)]
            return None
