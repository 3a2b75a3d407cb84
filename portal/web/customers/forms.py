"""The form of a customer."""

from __future__ import annotations

from collections.abc import Iterable

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.core.customers import LONGEST_NAME, parse_addresses
from portal.core.errors import DomainError
from portal.services.customers import CustomerEntry, CustomerProfile


class CustomerForm(FlaskForm):  # type: ignore[misc]
    """`version` is that of the customer it was filled from: of two people who edit one, the later is told."""

    name = StringField("Name", [InputRequired("Give the customer a name."), Length(max=LONGEST_NAME)])
    addresses = TextAreaField(
        "Domains and mail addresses",
        [Length(max=20_000)],
        description="One a line, like acme.com or jane@gmail.com. Whoever writes from there belongs to this customer.",
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    calendar_id = SelectField(
        "Business hours",
        coerce=int,
        default=0,
        description="Its deadlines count in them. Who is woken, and when, is the business of the team.",
    )
    version = HiddenField(default="")

    def offer(self, calendars: Iterable[tuple[int, str]]) -> None:
        """Fill the menu of calendars beside the site's own, which is 0."""
        known = (SelectChoice(str(id), name) for id, name in calendars)
        self.calendar_id.choices = [SelectChoice("0", "As the queue or the site"), *known]

    def fill(self, entry: CustomerEntry) -> None:
        """Show what is."""
        self.name.data, self.version.data = entry.profile.name, str(entry.version)
        self.addresses.data = "\n".join(entry.profile.addresses)
        self.calendar_id.data = entry.profile.calendar_id or 0

    def read(self) -> CustomerProfile | None:
        """What was typed; None, with the reasons at the fields, when it makes no sense."""
        if not self.validate():
            return None
        try:
            addresses = parse_addresses(self.addresses.data or "")
        except DomainError as error:
            self.addresses.errors = [str(error)]
            return None
        return CustomerProfile(" ".join(self.name.data.split()), self.calendar_id.data or None, addresses)

    @property
    def seen(self) -> int | None:
        """The version the form was filled from."""
        word = self.version.data or ""
        return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None
