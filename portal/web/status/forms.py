"""More words by the private link."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, MultipleFileField, TextAreaField
from wtforms.validators import Length

from portal.core.uploads import LIMITS


class ReplyForm(FlaskForm):
    body = TextAreaField(
        "Your message", [Length(max=100_000, message="At most 100,000 characters. Please attach the rest as a file.")]
    )
    files = MultipleFileField("Photos and files", description=LIMITS)
    key = HiddenField()
