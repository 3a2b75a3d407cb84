"""Phone numbers in E.164, by the `phonenumbers` library (Google's libphonenumber data)."""

from __future__ import annotations

import phonenumbers

from portal.core.errors import DomainError


def parse_phone(text: str, *, region: str = "") -> str:
    """A number as E.164, like +4915112345678.

    `region` (two letters) helps with numbers that lack a country code. Raises DomainError with what is wrong.
    """
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        raise DomainError("Write the number with its country code, like +49 151 12345678.") from None
    if not phonenumbers.is_possible_number(number):
        raise DomainError("This number is too short or too long to be a phone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def show_phone(number: str) -> str:
    """A stored number as people write it."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
