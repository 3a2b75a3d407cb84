import pytest

from portal.core.errors import DomainError
from portal.core.phones import parse_phone, show_phone


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+49 151 12345678", "", "+4915112345678"),
        ("+1 (555) 123-4567", "", "+15551234567"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("0049 151 12345678", "DE", "+4915112345678"),
    ],
)
def test_a_number_becomes_e164(text, region, number):
    assert parse_phone(text, region=region) == number


@pytest.mark.parametrize("text", ["", "12", "0151 12345678", "call me", "+49 1", "+49" + "1" * 20])
def test_a_number_nobody_could_call_is_refused(text):
    with pytest.raises(DomainError):
        parse_phone(text)


def test_a_stored_number_is_shown_as_people_write_it():
    assert show_phone("+4915112345678") == "+49 1511 2345678"
    assert show_phone("none") == "none"
