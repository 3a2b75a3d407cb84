"""The form of one exception, on the wall clock of its schedule."""

from __future__ import annotations

from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, RadioField, SelectChoice, SelectField, StringField, TimeField
from wtforms.validators import InputRequired, Length

from portal.core.errors import DomainError
from portal.core.roster import Override, OverrideKind
from portal.services.overrides import OverridePreview

_KINDS = [
    SelectChoice(str(OverrideKind.REPLACE), "Somebody stands in"),
    SelectChoice(str(OverrideKind.ADD), "Somebody is on call as well"),
    SelectChoice(str(OverrideKind.REMOVE), "Somebody is not on call"),
]


class OverrideForm(FlaskForm):  # type: ignore[misc]
    """`seen` is the roster that was shown: only that is saved."""

    kind = RadioField("What", choices=_KINDS, default=str(OverrideKind.REPLACE))
    person_id = SelectField("Who", coerce=int, validators=[InputRequired("Choose a person.")])
    instead_of = SelectField("Instead of", coerce=int, default=0)
    starts_on = DateField("From", validators=[InputRequired("Give the day it starts.")])
    starts_at = TimeField("at", validators=[InputRequired("Give the time it starts.")])
    ends_on = DateField("Until", validators=[InputRequired("Give the day it ends.")])
    ends_at = TimeField("at", validators=[InputRequired("Give the time it ends.")])
    note = StringField("Note", validators=[Length(max=200, message="A note has at most 200 characters.")])
    seen = HiddenField(default="")

    def suggest(self, starts: datetime, ends: datetime) -> None:
        """Show a time."""
        self.starts_on.data, self.starts_at.data = starts.date(), starts.time()
        self.ends_on.data, self.ends_at.data = ends.date(), ends.time()

    def show(self, preview: OverridePreview) -> None:
        """Hold on to what is shown beside the form: the time as it would be saved, and what saving must find."""
        self.suggest(preview.override.starts, preview.override.ends)
        self.seen.data = preview.seen
        # What was typed wins over `data` when WTForms draws these fields.
        for field in (self.starts_on, self.starts_at, self.ends_on, self.ends_at):
            field.raw_data = None

    def read_override(self) -> Override | None:
        """The exception as typed; None, with the reason at the form, when it makes no sense."""
        if not self.validate():
            return None
        starts = datetime.combine(self.starts_on.data, self.starts_at.data)
        ends = datetime.combine(self.ends_on.data, self.ends_at.data)
        kind = OverrideKind(self.kind.data)
        other = (self.instead_of.data or None) if kind is OverrideKind.REPLACE else None
        try:
            return Override(0, kind, starts, ends, self.person_id.data, other)
        except DomainError as error:
            self.ends_on.errors = [str(error)]
            return None
