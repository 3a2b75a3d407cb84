"""The fields of a request. Lengths are refused, never cut: what was typed is not ours to shorten."""

from __future__ import annotations

import re
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from portal.core.uploads import LIMITS
from portal.services.form import DECLARED, DECLINED, FormRequest

OWNER_FIELDS = ("name", "email", "phone", "department")
_ADDRESS = re.compile(r"[^@\s<>\"]+@[^@\s<>\"]+\.[^@\s<>\".]+")


def _strip(text: str | None) -> str | None:
    return text.strip() if text else text


class RequestForm(FlaskForm):
    """`department` is a choice or free text, see `make_request_form`. `website` is for robots: people do not see it."""

    subject = StringField(
        "What is wrong?",
        [
            InputRequired("Say in a few words what is wrong."),
            Length(max=300, message="At most 300 characters. There is more room below."),
        ],
        filters=[_strip],
    )
    body = TextAreaField(
        "Tell us more",
        [Length(max=100_000, message="At most 100,000 characters. Please attach the rest as a file.")],
        description="What did you do, what happened, since when? The exact words of an error help most.",
    )
    device = StringField("Device", [Length(max=100)], filters=[_strip])
    files = MultipleFileField("Photos and files", description=LIMITS)
    emergency = RadioField(
        "Is this an emergency?", choices=[SelectChoice(DECLARED), SelectChoice(DECLINED)], validate_choice=False
    )
    name = StringField("Your name", [InputRequired("Give your name."), Length(max=200)], filters=[_strip])
    email = EmailField("Mail address", [InputRequired("Give your mail address."), Length(max=254)], filters=[_strip])
    phone = TelField("Phone", [Length(max=40)], filters=[_strip])
    remember = BooleanField("Remember me on this device", default=True)
    website = StringField("Leave this empty")
    key = HiddenField()
    asked = HiddenField()
    price = HiddenField()

    def validate_email(self, field: Field) -> None:
        if not _ADDRESS.fullmatch(field.data or ""):
            raise ValidationError("This is not a mail address we can answer. It looks like dana@example.com.")

    def validate_emergency(self, field: Field) -> None:
        if self.asked.data and field.data not in (DECLARED, DECLINED):
            raise ValidationError("Choose one of the two.")

    def validate_phone(self, field: Field) -> None:
        if self.emergency.data == DECLARED and sum(c.isdigit() for c in field.data or "") < 3:
            raise ValidationError("Give a number on which we reach you now.")

    def validate_website(self, field: Field) -> None:
        if field.data:
            field.data = ""
            raise ValidationError("A hidden field was filled in, perhaps by your browser. Please press Send once more.")

    def read(self, *, sender: str, files: tuple[Any, ...]) -> FormRequest:
        """What was sent, after it was validated."""
        emergency = self.emergency.data if self.emergency.data in (DECLARED, DECLINED) else ""
        return FormRequest(
            key=self.key.data or "",
            sender=sender,
            name=self.name.data or "",
            email=self.email.data or "",
            subject=self.subject.data or "",
            body=self.body.data or "",
            phone=self.phone.data or "",
            department=self.department.data or "",
            device=self.device.data or "",
            emergency=emergency if self.asked.data else "",
            price=(self.price.data or "")[:200] if emergency == DECLARED else "",
            files=files,
        )


class TypedRequestForm(RequestForm):
    """The department in people's own words."""

    department = StringField("Department", [Length(max=100)], filters=[_strip])


class ChoiceRequestForm(RequestForm):
    """The department from the shop's list."""

    department = SelectField("Department", validate_choice=False)


def make_request_form(departments: str) -> RequestForm:
    """The form as the shop has set it up. A department that was taken off the list meanwhile stays as it was sent."""
    names = [line.strip() for line in departments.splitlines() if line.strip()]
    if not names:
        return TypedRequestForm()
    form = ChoiceRequestForm()
    sent = form.department.data
    if sent and sent not in names:
        names.append(sent)
    form.department.choices = [SelectChoice("", "Choose one, if you like"), *map(SelectChoice, names)]
    return form
