"""The forms of the holiday page: one day, and the import of a country's list."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from portal.core.errors import DomainError
from portal.core.holiday_lists import list_countries, list_regions


class HolidayForm(FlaskForm):  # type: ignore[misc]
    on = DateField("Day", validators=[InputRequired("Give the day.")])
    name = StringField(
        "Name",
        description="It stands in the text that wakes somebody.",
        validators=[InputRequired("Give the day a name."), Length(max=200, message="At most 200 characters.")],
    )


class ImportForm(FlaskForm):  # type: ignore[misc]
    country = SelectField("Country", validators=[InputRequired("Choose a country.")])
    region = SelectField("Region", validate_choice=False)
    year = IntegerField(
        "Year",
        validators=[
            InputRequired("Give a year."),
            NumberRange(2000, 2199, message="The year must lie between 2000 and 2199."),
        ],
    )

    def offer_choices(self) -> None:
        """Fill the lists: the regions are those of the country chosen."""
        self.country.choices = [("", "Choose a country"), *((known.code, known.name) for known in list_countries())]
        try:
            regions = list_regions(self.country.data or "")
        except DomainError:
            regions = ()
        self.region.choices = [("", "The whole country"), *((known.code, known.name) for known in regions)]
