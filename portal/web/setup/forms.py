"""The forms of the first run."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, EmailField, PasswordField, SelectField, StringField, TelField, TimeField
from wtforms.validators import EqualTo, InputRequired, Length

from portal.core.calendars import DAY, WEEKDAY_NAMES, WEEKDAYS, Period, Week
from portal.core.errors import DomainError

_MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
_DAYS = dict(zip(WEEKDAYS, WEEKDAY_NAMES, strict=True))
_NAME = [InputRequired("Give a name."), Length(max=200)]
_MAIL = [InputRequired("Give a mail address."), Length(max=254)]


class AccountForm(FlaskForm):
    name = StringField("Your name", _NAME)
    email = EmailField("Your mail address", _MAIL)
    password = PasswordField("Password", [InputRequired("Choose a password."), Length(max=200)])
    again = PasswordField("The same again", [EqualTo("password", "The two are not the same.")])


class SimpleHoursForm(FlaskForm):
    """The usual week: the same hours from one day to another. The hours page can say more."""

    first = SelectField("From", choices=_DAYS, default="mon")
    last = SelectField("Until", choices=_DAYS, default="fri")
    opens = TimeField("Opens", [InputRequired("Give a time like 08:00.")], default=time(8))
    closes = TimeField("Closes", [InputRequired("Give a time like 17:00.")], default=time(17))

    def read_week(self) -> Week | None:
        """The week as typed; None, with the reasons, when it makes no sense. 00:00 as the end is midnight."""
        if not self.validate():
            return None
        start, end = _minutes(self.opens.data), _minutes(self.closes.data) or DAY
        first, last = WEEKDAYS.index(self.first.data), WEEKDAYS.index(self.last.data)
        open_days = {(first + n) % 7 for n in range((last - first) % 7 + 1)}
        try:
            period = Period(start, end if end > start else end + DAY)
            return Week(tuple((period,) if day in open_days else () for day in range(7)))
        except DomainError:
            self.closes.errors = ["The shop would open and close at the same minute, or two days would overlap."]
            return None


class TechnicianForm(FlaskForm):
    name = StringField("Name", _NAME)
    email = EmailField("Mail address", _MAIL)
    phone = TelField(
        "Phone",
        [InputRequired("A text needs a number to go to."), Length(max=40)],
        description="With country code, like +49 151 12345678.",
    )


class FirstShiftForm(FlaskForm):
    person = SelectField("Who", coerce=int)
    starts = DateTimeLocalField("From", [InputRequired("Give day and time.")], format=_MOMENTS)
    ends = DateTimeLocalField("To", [InputRequired("Give day and time.")], format=_MOMENTS)

    def suggest(self, wall: datetime) -> None:
        """From this hour on, for a week."""
        self.starts.data = wall.replace(minute=0, second=0, microsecond=0)
        self.ends.data = self.starts.data + timedelta(days=7)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
