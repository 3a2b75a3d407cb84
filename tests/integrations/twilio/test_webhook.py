"""Signed posts from Twilio: only what Twilio signed for our public address is believed."""

from datetime import UTC, datetime

import pytest
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from portal.core.ports import InboundSms
from portal.integrations.twilio.webhook import is_signed, parse_inbound, parse_status

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
URL = "https://desk.example.com/texts/twilio"
FORM = MultiDict([("MessageSid", "SM1"), ("From", "+15550101"), ("To", "+15005550006"), ("Body", "1 A")])
SIGNATURE = RequestValidator("secret").compute_signature(URL, FORM)


def test_twilios_published_example_is_accepted():
    form = MultiDict(
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675309",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
        }
    )
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert is_signed("12345", url=url, form=form, signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=")
    assert not is_signed("12346", url=url, form=form, signature="RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize(
    ("token", "url", "signature", "expected"),
    [
        ("secret", URL, SIGNATURE, True),
        ("secret", URL.replace("desk.example.com", "desk.example.com:443"), SIGNATURE, True),
        ("secret", URL.replace("https", "http"), SIGNATURE, False),
        ("secret", URL + "?x=1", SIGNATURE, False),
        ("other", URL, SIGNATURE, False),
        ("secret", URL, "", False),
        ("secret", URL, "A" * len(SIGNATURE), False),
        ("", URL, RequestValidator("").compute_signature(URL, FORM), False),
    ],
)
def test_only_our_secret_and_our_address_count(token, url, signature, expected):
    assert is_signed(token, url=url, form=FORM, signature=signature) is expected


def test_a_changed_or_repeated_field_breaks_the_signature():
    changed = MultiDict(FORM)
    changed["Body"] = "1 C"
    assert not is_signed("secret", url=URL, form=changed, signature=SIGNATURE)
    repeated = MultiDict([*FORM.items(multi=True), ("Body", "again")])
    signature = RequestValidator("secret").compute_signature(URL, repeated)
    assert is_signed("secret", url=URL, form=repeated, signature=signature)


def test_an_inbound_text_is_read():
    assert parse_inbound(FORM, received_at=NOW) == InboundSms("SM1", "+15550101", "1 A", NOW)
    assert parse_inbound({**FORM, "Body": ""}, received_at=NOW).text == ""


@pytest.mark.parametrize("missing", ["MessageSid", "From", "Body"])
def test_what_is_no_text_is_not_taken_for_one(missing):
    form = {key: value for key, value in FORM.items() if key != missing}
    assert parse_inbound(form, received_at=NOW) is None


def test_a_delivery_state_is_read():
    assert parse_status({"MessageSid": "SM1", "MessageStatus": "delivered"}) == ("SM1", "delivered", "", "")
    undelivered = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    assert parse_status(undelivered)[1:3] == ("undelivered", "30003")
    assert parse_status({"MessageSid": "SM1"}) is None
    assert parse_status({"MessageStatus": "sent"}) is None
