"""How often a job runs, and whether."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from portal.core.schedule import join_interval, split_interval
from portal.services.jobs import JobView

_UNITS = [SelectChoice(unit, f"{unit}s") for unit in ("second", "minute", "hour", "day")]


class JobForm(FlaskForm):  # type: ignore[misc]
    """A number and its unit, because nobody thinks in 86400."""

    is_enabled = BooleanField("Switched on")
    number = IntegerField("Runs every", [InputRequired("Enter a whole number.")])
    unit = SelectField("Unit", choices=_UNITS)

    def fill(self, view: JobView) -> None:
        """Show what is stored."""
        self.is_enabled.data = view.is_enabled
        self.number.data, self.unit.data = split_interval(view.interval_s)

    @property
    def interval_s(self) -> int:
        """The interval in seconds."""
        return join_interval(self.number.data, self.unit.data)
