"""Webhooks: what Twilio signed is stored and wakes the worker; everything else is refused."""

import pytest
from twilio.request_validator import RequestValidator

from portal.models import InboundText, Notification
from portal.services.audit import Change
from portal.services.settings import save_settings
from tests.services.ticket_world import NOW

SITE = "https://help.acme.example"
TOKEN = "the token"
INBOUND = {"MessageSid": "SM1", "From": "+15550101", "To": "+15005550006", "Body": "1 A"}


@pytest.fixture
def twilio(web):
    with web.database.unit_of_work() as uow:
        save_settings(uow, {"sms.twilio_token": TOKEN}, change=Change(None, NOW), box=web.context.box)
    web.app.config["WTF_CSRF_ENABLED"] = True
    return web


def post(web, path, form, *, token=TOKEN, query="", signed_for=None):
    signature = RequestValidator(token).compute_signature(f"{SITE}{signed_for or path}{query}", form)
    return web.app.test_client().post(
        f"{path}{query}", data=form, headers={"X-Twilio-Signature": signature, "Host": "evil.example"}
    )


def rows(web, model):
    with web.database.read_session() as session:
        return session.query(model).all()


def test_a_signed_text_is_stored_once_and_wakes_the_worker(twilio):
    for _ in range(2):
        answer = post(twilio, "/texts/twilio", INBOUND)
        assert (answer.status_code, answer.mimetype) == (200, "text/xml")
        assert b"<Response/>" in answer.data
    (text,) = rows(twilio, InboundText)
    assert (text.provider, text.provider_id, text.sender, text.text, text.handled_at) == (
        "twilio", "SM1", "+15550101", "1 A", None,
    )  # fmt: skip
    assert twilio.queue.woken == ["texts"]


def test_the_query_belongs_to_the_signature(twilio):
    assert post(twilio, "/texts/twilio", INBOUND, query="?x=1").status_code == 200
    assert post(twilio, "/texts/twilio", INBOUND, signed_for="/texts/other").status_code == 403


def test_a_forged_or_unsigned_post_is_refused(twilio):
    assert post(twilio, "/texts/twilio", INBOUND, token="wrong").status_code == 403
    assert twilio.app.test_client().post("/texts/twilio", data=INBOUND).status_code == 403
    assert rows(twilio, InboundText) == []


def test_without_a_token_nothing_is_believed(web):
    assert post(web, "/texts/twilio", INBOUND, token="").status_code == 403
    assert post(web, "/texts/twilio/status", {}, token="").status_code == 403


def test_a_post_that_is_no_text_changes_nothing(twilio):
    assert post(twilio, "/texts/twilio", {"MessageSid": "SM1"}).status_code == 200
    assert rows(twilio, InboundText) == []


def test_a_delivery_state_reaches_its_text(twilio):
    with twilio.database.unit_of_work() as uow:
        row = Notification(dedupe_key="k", kind="page", number="+15550101", text="x", created_at=NOW, state="accepted")
        row.provider, row.provider_id, row.accepted_at = "twilio", "SM9", NOW
        uow.session.add(row)
    form = {"MessageSid": "SM9", "MessageStatus": "delivered"}
    assert post(twilio, "/texts/twilio/status", form).status_code == 204
    assert post(twilio, "/texts/twilio/status", {"MessageSid": "SM8", "MessageStatus": "sent"}).status_code == 204
    assert post(twilio, "/texts/twilio/status", {"MessageSid": "SM9"}).status_code == 204
    assert [row.state for row in rows(twilio, Notification)] == ["delivered"]
