"""The form by which somebody asks a colleague, on the wall clock of the schedule."""

from __future__ import annotations

from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TimeField
from wtforms.validators import InputRequired, Length

from portal.core.errors import DomainError
from portal.core.swaps import Terms, WallSpan
from portal.services.swaps import DutyView

_APART = "/"


class SwapForm(FlaskForm):  # type: ignore[misc]
    """`back` is a duty of the colleague's, as `duty_value` writes it; empty for none."""

    to_id = SelectField("Colleague", coerce=int, validators=[InputRequired("Choose a colleague.")])
    starts_on = DateField("From", validators=[InputRequired("Give the day it starts.")])
    starts_at = TimeField("at", validators=[InputRequired("Give the time it starts.")])
    ends_on = DateField("Until", validators=[InputRequired("Give the day it ends.")])
    ends_at = TimeField("at", validators=[InputRequired("Give the time it ends.")])
    back = SelectField("In return", default="", validate_choice=False)
    note = StringField("Note", validators=[Length(max=200, message="A note has at most 200 characters.")])

    def suggest(self, span: WallSpan) -> None:
        """Show a time."""
        self.starts_on.data, self.starts_at.data = span.starts.date(), span.starts.time()
        self.ends_on.data, self.ends_at.data = span.ends.date(), span.ends.time()

    def read_terms(self, from_id: int) -> Terms | None:
        """What is asked; None, with the reason at the form, when it makes no sense."""
        if not self.validate():
            return None
        starts = datetime.combine(self.starts_on.data, self.starts_at.data)
        ends = datetime.combine(self.ends_on.data, self.ends_at.data)
        try:
            span = WallSpan(starts, ends)
        except DomainError as error:
            self.ends_on.errors = [str(error)]
            return None
        try:
            giver, back = _read_duty(self.back.data or "")
        except ValueError:
            self.back.errors = ["Choose a duty from the list."]
            return None
        if back is not None and giver != self.to_id.data:
            self.back.errors = ["This is not a duty of the colleague you ask."]
            return None
        return Terms(from_id, self.to_id.data, span, back)


def duty_value(duty: DutyView) -> str:
    """A duty as an option of the list."""
    return _APART.join((str(duty.person_id), duty.span.starts.isoformat(), duty.span.ends.isoformat()))


def _read_duty(text: str) -> tuple[int, WallSpan | None]:
    """Whose it is, and when. Raises ValueError for what is no option (a DomainError of a time is none either)."""
    if not text:
        return 0, None
    person, starts, ends = text.split(_APART)
    try:
        return int(person), WallSpan(*(datetime.fromisoformat(part).replace(tzinfo=None) for part in (starts, ends)))
    except DomainError as error:
        raise ValueError from error
