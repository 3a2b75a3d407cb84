"""The real Twilio SDK against our own simulator, and both against Twilio's own OpenAPI description."""

import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from portal.core.errors import GatewayError
from portal.core.ports import SmsGateway
from portal.integrations.twilio.adapter import TwilioAccount, TwilioGateway, explain_error, state_of
from tests.integrations.twilio.simulator import HOUR, SENDER, SID, TOKEN, Simulator

BOB = "+15550101"
NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
CAROL = "+15550102"
ROOT = Path(__file__).parents[3]
SPEC = Path(os.environ.get("NIGHTDESK_TEST_SHARED", ROOT.parent / "shared")) / "vendors/specs/twilio_v2010.subset.json"


@pytest.fixture
def running():
    with Simulator() as pair:
        yield pair


@pytest.fixture
def twilio(running):
    return running[0]


@pytest.fixture
def gateway(running) -> SmsGateway:
    return TwilioGateway(TwilioAccount(SID, TOKEN, SENDER, base_url=running[1]), timeout=5)


def refused(gateway, to=BOB):
    with pytest.raises(GatewayError) as caught:
        gateway.send("n1", to, "P1 #7: on fire")
    return caught.value


def test_a_text_is_handed_over_with_our_sender(gateway, twilio):
    sent = gateway.send("n1", BOB, "P1 #7: on fire")
    assert (sent.state, sent.to, sent.text, sent.created_at) == ("accepted", BOB, "P1 #7: on fire", twilio.now)
    assert twilio.messages[0]["sid"] == sent.provider_id
    assert twilio.messages[0]["from"] == SENDER


def test_a_messaging_service_is_a_sender_too(running):
    service = "MG" + "2" * 32
    callback = "https://desk.example.com/texts/twilio/status"
    gateway = TwilioGateway(TwilioAccount(SID, TOKEN, service, running[1] + "/", callback))
    gateway.send("n1", BOB, "x")
    assert running[0].messages[0]["messaging_service_sid"] == service
    assert "StatusCallback=https%3A%2F%2Fdesk.example.com" in running[0].exchanges[0].body


@pytest.mark.parametrize(("to", "code"), [("5550101", "21211"), ("+15550010", "21610")])
def test_a_wrong_number_is_permanent_and_says_what_to_do(gateway, to, code):
    error = refused(gateway, to)
    assert (error.permanent, error.maybe_done, error.code) == (True, False, code)
    assert error.message == explain_error(code)


def test_a_wrong_token_is_permanent_and_not_repeated_in_the_message(running):
    gateway = TwilioGateway(TwilioAccount(SID, "f" * 32, SENDER, running[1]))
    error = refused(gateway)
    assert (error.permanent, error.code) == (True, "20003")
    assert "f" * 32 not in error.message
    assert TOKEN not in repr(TwilioAccount(SID, TOKEN, SENDER))


def test_an_unknown_refusal_names_its_code(gateway, twilio):
    twilio.faults = [403]
    assert refused(gateway).message == "Twilio refused this (20500)."


def test_too_many_requests_waits_as_asked(gateway, twilio):
    twilio.faults = [429]
    error = refused(gateway)
    assert (error.permanent, error.retry_after, error.maybe_done) == (False, 7.0, False)
    assert gateway.send("n1", BOB, "x").state == "accepted"


@pytest.mark.parametrize("fault", [500, 503])
def test_a_fault_of_theirs_may_hide_a_text_and_is_tried_once(gateway, twilio, fault):
    twilio.faults = [fault]
    error = refused(gateway)
    assert (error.permanent, error.maybe_done) == (False, True)
    assert len(twilio.exchanges) == 1


@pytest.mark.parametrize("fault", ["garbage", [], {"sid": None}, {"sid": "SM1"}])
def test_garbage_may_hide_a_text(gateway, twilio, fault):
    twilio.faults = [fault if isinstance(fault, dict) else "garbage"]
    error = refused(gateway)
    assert (error.permanent, error.maybe_done, error.code) == (False, True, "garbage")
    assert len(twilio.messages) == 1


def test_a_broken_connection_may_hide_a_text(gateway, twilio):
    twilio.faults = ["reset"]
    error = refused(gateway)
    assert (error.maybe_done, error.code) == (True, "network")


def test_a_timeout_after_accepting_is_found_afterwards(running, twilio):
    gateway = TwilioGateway(TwilioAccount(SID, TOKEN, SENDER, running[1]), timeout=0.3)
    twilio.faults = ["hang-after"]
    assert refused(gateway).maybe_done
    found = gateway.find_sent(BOB, twilio.now, "n1", "P1 #7: on fire")
    assert found.provider_id == twilio.messages[0]["sid"]
    assert len(twilio.messages) == 1


def test_a_refused_connection_hides_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        error = refused(TwilioGateway(TwilioAccount(SID, TOKEN, SENDER, f"http://127.0.0.1:{port}")))
    assert (error.permanent, error.maybe_done) == (False, False)


def test_find_sent_wants_the_same_phone_text_and_time(gateway, twilio):
    twilio.add(BOB, "same", at=twilio.now - HOUR)
    twilio.add(CAROL, "same")
    twilio.receive(BOB, "same", to=BOB)
    twilio.add(BOB, "other")
    assert gateway.find_sent(BOB, twilio.now, "n1", "same") is None
    twilio.add(BOB, "same")
    assert gateway.find_sent(BOB, twilio.now, "n1", "same").provider_id == twilio.messages[-1]["sid"]


def test_find_sent_reads_further_pages_and_sees_what_is_still_queued(gateway, twilio):
    wanted = twilio.add(BOB, "wanted")
    for number in range(150):
        twilio.add(BOB, f"later {number}")
    assert wanted["date_sent"] is None
    assert gateway.find_sent(BOB, twilio.now, "n1", "wanted").provider_id == wanted["sid"]
    assert len(twilio.exchanges) == 2


def test_find_sent_of_a_phone_we_never_texted(gateway):
    assert gateway.find_sent(BOB, NOW, "n", "x") is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("queued", "accepted"),
        ("sending", "accepted"),
        ("sent", "accepted"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("undelivered", "undelivered"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_delivery_states_are_ours(gateway, twilio, status, state):
    message = twilio.add(BOB, "x", status=status)
    assert gateway.fetch_status(message["sid"]).state == state == state_of(status)


def test_an_undelivered_text_says_why(gateway, twilio):
    message = twilio.add(BOB, "x", status="undelivered")
    message.update(error_code=30003, error_message="Unreachable destination handset")
    status = gateway.fetch_status(message["sid"])
    assert (status.error_code, status.error_text) == ("30003", "The phone is switched off or out of reach.")
    message.update(error_code=39999)
    assert gateway.fetch_status(message["sid"]).error_text == "Unreachable destination handset"


def test_an_unknown_text_has_no_status(gateway):
    with pytest.raises(GatewayError) as caught:
        gateway.fetch_status("SM" + "9" * 32)
    assert (caught.value.permanent, caught.value.code) == (True, "20404")


def test_inbound_texts_come_oldest_first_over_all_pages(gateway, twilio):
    twilio.receive(BOB, "too old", at=twilio.now - HOUR)
    for number in range(230):
        twilio.receive(BOB, f"a{number}", at=twilio.now + timedelta(seconds=number))
    twilio.add(CAROL, "ours", status="sent")
    twilio.receive(CAROL, "not to us", to="+15005550009")
    texts = gateway.list_inbound(twilio.now)
    assert [text.text for text in texts] == [f"a{number}" for number in range(230)]
    assert (texts[0].sender, texts[0].received_at) == (BOB, twilio.now)
    assert len({text.provider_id for text in texts}) == 230


def test_inbound_texts_of_a_messaging_service(running, twilio):
    gateway = TwilioGateway(TwilioAccount(SID, TOKEN, "MG" + "2" * 32, running[1]))
    twilio.receive(BOB, "a", to="+15005550009")
    assert [text.text for text in gateway.list_inbound(twilio.now)] == ["a"]


@pytest.mark.parametrize("fault", [500, 429, "garbage", "reset"])
def test_a_failing_list_is_a_passing_trouble(gateway, twilio, fault):
    twilio.faults = [fault]
    with pytest.raises(GatewayError) as caught:
        gateway.list_inbound(twilio.now)
    assert (caught.value.permanent, caught.value.maybe_done) == (False, False)


def test_the_account_check_says_how_it_stands(gateway, twilio):
    assert gateway.check_account() == 'The Twilio account "Acme IT" is active.'
    twilio.account["type"] = "Trial"
    assert "only to verified numbers" in gateway.check_account()
    twilio.account["status"] = "suspended"
    with pytest.raises(GatewayError, match="suspended"):
        gateway.check_account()


def test_every_request_and_answer_fits_twilios_own_description(gateway, twilio):
    if not SPEC.exists():
        pytest.skip("the vendor descriptions are not beside the repository")
    gateway.send("n1", BOB, "P1 #7: on fire")
    for _ in range(101):
        twilio.receive(BOB, "a")
    gateway.find_sent(BOB, twilio.now, "n1", "P1 #7: on fire")
    gateway.fetch_status(twilio.messages[0]["sid"])
    gateway.list_inbound(twilio.now)
    gateway.check_account()
    assert {exchange.method for exchange in twilio.exchanges} == {"GET", "POST"}
    api = OpenAPI.from_dict(json.loads(SPEC.read_text()))
    for exchange in twilio.exchanges:
        hold_against_description(api, exchange)


def hold_against_description(api, exchange):
    request = MockRequest(
        "https://api.twilio.com",
        exchange.method.lower(),
        exchange.path,
        args=dict(parse_qsl(exchange.query)),
        headers=exchange.headers,
        data=exchange.body.encode() if exchange.body else None,
        content_type=exchange.headers.get("Content-Type", "application/json"),
    )
    response = MockResponse(exchange.answer.encode(), exchange.status, content_type=exchange.content_type)
    api.validate_request(request)
    api.validate_response(request, response)
