"""Forms made from the list of settings (core/settings.py): what a setting is says which control it gets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, PasswordField, RadioField, SelectField, StringField, TextAreaField

from portal.core.errors import DomainError
from portal.core.settings import BY_KEY, SiteSettings, Spec, parse_value
from portal.models import User

_REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


class SettingsForm(FlaskForm):
    """`specs` are the settings it holds; each field has the setting's attribute as its name."""

    specs: tuple[Spec, ...] = ()

    def fill(self, settings: SiteSettings) -> None:
        """Show the settings as they are; secrets stay empty."""
        for spec in self.specs:
            if spec.kind != "secret":
                value = getattr(settings, spec.attribute)
                self[spec.attribute].data = value if spec.kind == "flag" else str(value)

    def read_values(self) -> dict[str, Any] | None:
        """The values by key; None, with the reasons at the fields, when one makes no sense."""
        is_right, values = self.validate(), {}
        for spec in self.specs:
            field = self[spec.attribute]
            try:
                values[spec.key] = parse_value(spec.key, field.data)
            except DomainError as error:
                words = str(error).removeprefix(f"{spec.label}: ")
                field.errors = [words[:1].upper() + words[1:]]
                is_right = False
        return values if is_right else None


def make_settings_form(
    keys: Sequence[str], *, people: Sequence[User] = (), set_secrets: Collection[str] = ()
) -> SettingsForm:
    """A form for these settings. `people` may be chosen where a setting is a person."""
    specs = tuple(BY_KEY[key] for key in keys)
    members = {"0": "Nobody"} | {str(person.id): person.name for person in people if person.is_active}
    fields = {spec.attribute: _FIELDS[spec.kind](spec, members, spec.key in set_secrets) for spec in specs}
    made: SettingsForm = type("MadeSettingsForm", (SettingsForm,), {**fields, "specs": specs})()
    return made


def list_zones() -> dict[str, dict[str, str]]:
    """The zones people live in: region to name to words."""
    names = sorted(name for name in available_timezones() if name.split("/")[0] in _REGIONS and "/" in name)
    grouped = {region: {name: _zone_words(name) for name in found} for region, found in groupby(names, _region)}
    return {"Everywhere": {"UTC": "UTC"}, **grouped}


def _region(name: str) -> str:
    return name.split("/")[0]


def _zone_words(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")


def _zone(spec: Spec, members: Any, is_set: bool) -> Field:
    # Names beyond the list (Etc/GMT+5 from a settings file) stay valid: parse_value decides.
    return SelectField(spec.label, choices=list_zones(), description=spec.help, validate_choice=False)


def _secret(spec: Spec, members: Any, is_set: bool) -> Field:
    words = "Is set. Leave it empty to keep it, or type a new one to replace it." if is_set else "Not set."
    return PasswordField(spec.label, description=f"{spec.help} {words} It is stored encrypted.".strip())


def _choice(spec: Spec, members: Any, is_set: bool) -> Field:
    return RadioField(spec.label, choices=dict(spec.choices), description=spec.help, validate_choice=False)


_FIELDS: dict[str, Callable[[Spec, Any, bool], Field]] = {
    "text": lambda spec, members, is_set: StringField(spec.label, description=spec.help),
    "long": lambda spec, members, is_set: TextAreaField(spec.label, description=spec.help),
    "number": lambda spec, members, is_set: StringField(spec.label, description=spec.help),
    "flag": lambda spec, members, is_set: BooleanField(spec.label, description=spec.help),
    "person": lambda spec, members, is_set: SelectField(
        spec.label, choices=members, description=spec.help, validate_choice=False
    ),
    "choice": _choice,
    "zone": _zone,
    "secret": _secret,
}
