"""The forms of the business hours: a week, a calendar, special hours, and the box to try them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TimeField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from portal.core.calendars import WEEKDAY_NAMES, WEEKDAYS, SpecialHours, Week, format_week, parse_day, parse_week
from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR
from portal.models.versions import Head
from portal.services.special_hours import plain_special
from portal.web.setting_forms import list_zones

LONGEST_TRY = 1_000_000


def _day(name: str) -> StringField:
    return StringField(name, validators=[Length(max=200, message="At most 200 characters.")])


class HoursForm(FlaskForm):  # type: ignore[misc]
    """`seen` is the week the form was filled from: of two people who edit one week, the later is told."""

    mon, tue, wed, thu, fri, sat, sun = (_day(name) for name in WEEKDAY_NAMES)
    seen = HiddenField()

    def fill(self, week: Week) -> None:
        """Show the hours as they are."""
        for key, periods in format_week(week).items():
            self[key].data = ", ".join(periods)
        self.look_at(week)

    def look_at(self, week: Week) -> None:
        """Whoever saves now has seen this week."""
        self.seen.data = json.dumps(format_week(week))

    @property
    def week_seen(self) -> Week | None:
        """None when the form does not tell."""
        try:
            return parse_week(json.loads(self.seen.data or ""))
        except (ValueError, TypeError, AttributeError, DomainError):
            return None

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


class CalendarForm(FlaskForm):  # type: ignore[misc]
    """Name and zone; a new calendar may begin as a copy. `seen` is what the form was filled from."""

    name = StringField("Name", validators=[InputRequired("Give the calendar a name.")])
    zone = SelectField("Time zone", validate_choice=False)
    copy_of = SelectField(
        "Begin with",
        coerce=int,
        default=SITE_CALENDAR,
        description="A copy has the week, the special hours and the holidays.",
    )
    seen_name, seen_zone = HiddenField(), HiddenField()

    def offer(self, calendars: Sequence[Head], *, site_zone: str) -> None:
        """Fill the menus."""
        self.zone.choices = {"This site": {"": f"As the site ({site_zone})"}, **list_zones()}
        known = [SelectChoice(str(head.id), f"A copy of {head.name}") for head in calendars]
        self.copy_of.choices = [*known, SelectChoice("0", "An empty week")]

    def fill(self, head: Head) -> None:
        """Show the calendar as it is, also in a zone that the menu does not offer."""
        if head.own_zone and not any(head.own_zone in zones for zones in self.zone.choices.values()):
            self.zone.choices["This site"][head.own_zone] = head.own_zone
        self.name.data, self.zone.data = head.name, head.own_zone
        self.seen_name.data, self.seen_zone.data = head.name, head.own_zone

    @property
    def seen(self) -> tuple[str, str] | None:
        """None when the form does not tell."""
        return (self.seen_name.data, self.seen_zone.data or "") if self.seen_name.data else None


class SpecialForm(FlaskForm):  # type: ignore[misc]
    """A closure or an extra opening. `seen` is what the form was filled from."""

    kind = RadioField(
        "The shop is", choices=[SelectChoice("closed", "closed"), SelectChoice("open", "open")], default="closed"
    )
    starts_on = DateField("From", validators=[InputRequired("Give the day it starts.")])
    starts_at = TimeField("at", validators=[InputRequired("Give the time it starts.")])
    ends_on = DateField("Until", validators=[InputRequired("Give the day it ends.")])
    ends_at = TimeField("at", validators=[InputRequired("Give the time it ends.")])
    name = StringField("Why", validators=[Length(max=200, message="At most 200 characters.")])
    seen = HiddenField()

    def fill(self, special: SpecialHours) -> None:
        """Show what stands in the calendar."""
        self.kind.data, self.name.data = "open" if special.is_open else "closed", special.name
        self.suggest(special.starts, special.ends)
        self.seen.data = write_seen(special)

    def suggest(self, starts: datetime, ends: datetime) -> None:
        """Show a time."""
        self.starts_on.data, self.starts_at.data = starts.date(), starts.time()
        self.ends_on.data, self.ends_at.data = ends.date(), ends.time()

    @property
    def special_seen(self) -> SpecialHours | None:
        """None when the form does not tell."""
        return read_seen(self.seen.data or "")

    def read_special(self) -> SpecialHours | None:
        """As typed; None, with the reason at the form, when it makes no sense."""
        if not self.validate():
            return None
        starts = datetime.combine(self.starts_on.data, self.starts_at.data)
        ends = datetime.combine(self.ends_on.data, self.ends_at.data)
        try:
            return SpecialHours(starts, ends, self.kind.data == "open", " ".join((self.name.data or "").split()))
        except DomainError as error:
            self.ends_on.errors = [str(error)]
            return None


def write_seen(special: SpecialHours) -> str:
    """What a form hands back as "this is what I saw"."""
    return json.dumps(plain_special(special))


def read_seen(text: str) -> SpecialHours | None:
    """The way back; None when the form does not tell."""
    try:
        plain = json.loads(text)
        starts, ends = (datetime.fromisoformat(plain[key]) for key in ("from", "to"))
        return SpecialHours(starts, ends, plain["kind"] == "open", str(plain.get("name", "")))
    except (ValueError, TypeError, KeyError, AttributeError, DomainError):
        return None


class TryForm(FlaskForm):  # type: ignore[misc]
    """From when, and how many minutes; asked by GET, so it carries no token."""

    class Meta:
        csrf = False

    on = DateField("From", validators=[InputRequired("Give a day.")])
    at = TimeField("at", validators=[InputRequired("Give a time.")])
    minutes = IntegerField(
        "Minutes of open time",
        description="Below 0 counts back.",
        validators=[
            InputRequired("Give a number of minutes."),
            NumberRange(-LONGEST_TRY, LONGEST_TRY, message="At most a million minutes."),
        ],
    )
