"""The forms of the holiday pages: a day, a rule, and lists to import."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DateField, FileField, HiddenField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from portal.core.calendars import WHOLE_DAY, Holiday, Period, YearlyHoliday, parse_period
from portal.core.errors import DomainError
from portal.core.holiday_lists import list_countries, list_regions
from portal.core.holiday_rules import HolidayRule, parse_day_of_year
from portal.core.shifts import check_years

CLOSED_HELP = "Leave it empty for the whole day. For a half-day, write what is closed, like 13:00-24:00."
_YEARS = NumberRange(2000, 2199, message="The year must lie between 2000 and 2199.")


def read_part(text: str | None) -> Period:
    """The closed part of a day. Raises DomainError."""
    return parse_period(text) if text and text.strip() else WHOLE_DAY


def write_part(closed: Period) -> str:
    """What `read_part` reads; "" for the whole day."""
    return "" if closed == WHOLE_DAY else str(closed)


class _WithPart(FlaskForm):  # type: ignore[misc]
    """A form with the part of the day that is closed. Refuses a part that makes no sense in its field."""

    closed = StringField("Closed", description=CLOSED_HELP)

    def validate_closed(self, field: StringField) -> None:
        try:
            self.part = read_part(field.data)
        except DomainError as error:
            raise ValidationError(str(error)) from None


class HolidayForm(_WithPart):
    on = DateField("Day", validators=[InputRequired("Give the day.")])
    name = StringField(
        "Name",
        description="It stands in the text that wakes somebody.",
        validators=[InputRequired("Give the day a name."), Length(max=200, message="At most 200 characters.")],
    )
    seen = HiddenField()

    def validate_on(self, field: DateField) -> None:
        try:
            check_years(field.data)
        except DomainError as error:
            raise ValidationError(str(error)) from None

    @property
    def day(self) -> Holiday:
        """The day of a form that was validated."""
        return Holiday(self.on.data, self.name.data, self.part)


class RuleForm(_WithPart):
    name = StringField(
        "Name",
        description="It stands in the text that wakes somebody.",
        validators=[InputRequired("Give the day a name."), Length(max=200, message="At most 200 characters.")],
    )
    day = StringField(
        "Day of the year",
        description="24 December, 4th Thursday of November, 2 days before Easter, Wednesday before 23 November …",
        validators=[InputRequired("Say which day.")],
    )
    first_year = IntegerField("First year", validators=[Optional(), _YEARS])
    last_year = IntegerField("Last year", validators=[Optional(), _YEARS])
    seen = HiddenField()

    def read_rule(self) -> YearlyHoliday:
        """The rule of a form that was validated. Raises DomainError."""
        rule = HolidayRule(parse_day_of_year(self.day.data), self.first_year.data, self.last_year.data)
        return YearlyHoliday(self.name.data, rule, self.part)


class ImportForm(FlaskForm):  # type: ignore[misc]
    country = SelectField("Country", validate_choice=False, validators=[InputRequired("Choose a country.")])
    region = SelectField("Region", validate_choice=False)
    year = IntegerField("Year", validators=[InputRequired("Give a year."), _YEARS])

    def offer_choices(self) -> None:
        """Fill the lists: the regions are those of the country chosen."""
        self.country.choices = [("", "Choose a country"), *((known.code, known.name) for known in list_countries())]
        try:
            regions = list_regions(self.country.data or "")
        except DomainError:
            regions = ()
        self.region.choices = [("", "The whole country"), *((known.code, known.name) for known in regions)]


class FileForm(FlaskForm):  # type: ignore[misc]
    file = FileField("Calendar file", description="A file that ends in .ics, up to 5 MB.")


class FeedForm(FlaskForm):  # type: ignore[misc]
    name = StringField("Name", validators=[InputRequired("Give it a name."), Length(max=80)])
    url = StringField(
        "Address",
        description="Where the calendar lies; it begins with https:// or webcal://. It is read once a day.",
        validators=[InputRequired("Give the address."), Length(max=2000)],
    )
