"""The form of a person."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.core.errors import DomainError
from portal.core.permissions import Role
from portal.core.phones import parse_phone, show_phone
from portal.models import User
from portal.services.people import Profile

ROLE_WORDS = {
    Role.ADMIN: "Admin: everything, also settings and people",
    Role.MANAGER: "Manager: tickets, shifts, holidays, rules",
    Role.TECHNICIAN: "Technician: tickets and pages",
    Role.VIEWER: "Viewer: reads only",
}


class PersonForm(FlaskForm):
    name = StringField("Name", [InputRequired("Give a name."), Length(max=200)])
    email = EmailField("Mail address", [InputRequired("Give a mail address."), Length(max=254)])
    role = SelectField("Role", choices={str(role): words for role, words in ROLE_WORDS.items()})
    phones = TextAreaField(
        "Phones",
        [Length(max=500)],
        description="One a line, with country code, like +49 151 12345678. The first is tried first.",
    )

    def fill(self, user: User) -> None:
        """Show somebody as they are."""
        self.name.data, self.email.data, self.role.data = user.name, user.email, user.role
        self.phones.data = "\n".join(show_phone(phone.number) for phone in user.phones)

    def read_profile(self) -> Profile | None:
        """What was typed; None, with the reasons at the fields, when it makes no sense."""
        lines = [line.strip() for line in (self.phones.data or "").splitlines() if line.strip()]
        is_right, wrong = self.validate(), []
        for line in lines:
            try:
                parse_phone(line)
            except DomainError as error:
                wrong.append(f"{line}: {error}")
        if wrong:
            self.phones.errors = [*self.phones.errors, *wrong]
        if wrong or not is_right:
            return None
        return Profile(self.email.data or "", self.name.data or "", self.role.data or "", tuple(lines))
