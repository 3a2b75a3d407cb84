"""The pretended provider behaves like a provider: own ids, states, lists, faults."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.core.errors import DomainError, GatewayError
from portal.core.ports import SmsGateway
from portal.integrations.sandbox.adapter import FAULT_CODES, SandboxGateway

BOB = "+15550101"
CAROL = "+15550102"
T0 = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)


class Times:
    def __init__(self):
        self.now = T0

    def __call__(self):
        return self.now

    def pass_by(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def times():
    return Times()


@pytest.fixture
def sandbox(tmp_path, times):
    return SandboxGateway(tmp_path / "sandbox.sqlite3", now=times)


def test_a_text_is_accepted_then_delivered(sandbox, times):
    gateway: SmsGateway = sandbox
    sent = gateway.send("n1", BOB, "P1 #7: on fire")
    assert (sent.provider_id, sent.state, sent.to, sent.created_at) == ("SB00000001", "accepted", BOB, T0)
    times.pass_by(1)
    assert gateway.fetch_status(sent.provider_id).state == "delivered"


def test_another_process_sees_the_same_texts(sandbox, times, tmp_path):
    sandbox.send("n1", BOB, "one")
    other = SandboxGateway(tmp_path / "sandbox.sqlite3", now=times)
    other.send("n2", CAROL, "two")
    assert [(text.to, text.text) for text in sandbox.list_texts()] == [(BOB, "one"), (CAROL, "two")]


def test_the_provider_does_not_hide_doubles(sandbox):
    sandbox.send("n1", BOB, "same")
    sandbox.send("n1", BOB, "same")
    assert len(sandbox.list_texts()) == 2


def test_a_text_is_found_by_our_reference(sandbox):
    sent = sandbox.send("n1", BOB, "one")
    assert sandbox.find_sent(BOB, T0, "n1", "one") == sent
    assert sandbox.find_sent(BOB, T0, "n2", "one") is None


def test_a_timeout_after_accepting_leaves_a_text_behind(sandbox):
    sandbox.fail("timeout-after-accept", next_k=1)
    with pytest.raises(GatewayError) as caught:
        sandbox.send("n1", BOB, "one")
    assert caught.value.maybe_done and not caught.value.permanent
    assert sandbox.find_sent(BOB, T0, "n1", "one").text == "one"


def test_a_plain_timeout_leaves_nothing_behind(sandbox):
    sandbox.fail("timeout", next_k=1)
    with pytest.raises(GatewayError) as caught:
        sandbox.send("n1", BOB, "one")
    assert caught.value.maybe_done
    assert sandbox.find_sent(BOB, T0, "n1", "one") is None


def test_scripted_faults_are_used_up_in_order(sandbox):
    sandbox.fail("21211", next_k=2)
    sandbox.fail("429", next_k=1)
    seen = []
    for _ in range(3):
        with pytest.raises(GatewayError) as caught:
            sandbox.send("n", BOB, "x")
        seen.append((caught.value.code, caught.value.permanent, caught.value.retry_after))
    assert seen == [("21211", True, None), ("21211", True, None), ("429", False, 2.0)]
    assert sandbox.send("n", BOB, "x").state == "accepted"


def test_a_carrier_can_fail_after_accepting(sandbox, times):
    sandbox.fail("30003", next_k=1)
    sent = sandbox.send("n1", BOB, "x")
    assert (sent.state, sent.error_code) == ("accepted", "")
    times.pass_by(2)
    status = sandbox.fetch_status(sent.provider_id)
    assert (status.state, status.error_code) == ("undelivered", "30003")
    assert status.error_text == "The phone is switched off or out of reach."
    assert sandbox.list_phone_texts(BOB, limit=9) == []


def test_a_lookup_can_be_made_to_fail_without_touching_sends(sandbox):
    sandbox.fail("lookup", next_k=1)
    assert sandbox.send("n1", BOB, "x")
    with pytest.raises(GatewayError):
        sandbox.find_sent(BOB, T0, "n1", "x")
    assert sandbox.find_sent(BOB, T0, "n1", "x")


@pytest.mark.parametrize("number", ["5550101", "+0155", "bob", ""])
def test_a_wrong_number_is_refused_for_good(sandbox, number):
    with pytest.raises(GatewayError) as caught:
        sandbox.send("n1", number, "x")
    assert (caught.value.code, caught.value.permanent) == ("21211", True)
    with pytest.raises(DomainError, match="phone number"):
        sandbox.reply(number, "a")


def test_a_phone_that_texted_stop_gets_nothing_until_start(sandbox):
    sandbox.reply(BOB, " stop ")
    with pytest.raises(GatewayError) as caught:
        sandbox.send("n1", BOB, "x")
    assert caught.value.code == "21610"
    sandbox.reply(BOB, "START")
    assert sandbox.send("n1", BOB, "x").state == "accepted"


def test_replies_are_listed_oldest_first_with_ids_of_the_provider(sandbox, times):
    first = sandbox.reply(BOB, "a")
    times.pass_by(10)
    second = sandbox.reply(CAROL, "ok")
    assert sandbox.list_inbound(T0) == [first, second]
    assert sandbox.list_inbound(T0 + timedelta(seconds=1)) == [second]
    assert first.provider_id != second.provider_id


def test_a_phone_shows_both_directions_in_order(sandbox, times):
    sandbox.send("n1", BOB, "page")
    times.pass_by(5)
    sandbox.reply(BOB, "a")
    times.pass_by(5)
    sandbox.send("n2", BOB, "you have it")
    sandbox.send("n3", CAROL, "other phone")
    texts = sandbox.list_phone_texts(BOB, limit=9)
    assert [(text.text, text.is_from_phone, text.state) for text in texts] == [
        ("page", False, "delivered"),
        ("a", True, ""),
        ("you have it", False, "accepted"),
    ]
    assert [text.text for text in sandbox.list_phone_texts(BOB, limit=1)] == ["you have it"]


@pytest.mark.parametrize(("code", "count"), [("nonsense", 1), ("429", 0)])
def test_a_wrong_script_is_refused(sandbox, code, count):
    with pytest.raises(DomainError):
        sandbox.fail(code, next_k=count)
    assert "21211" in FAULT_CODES


@pytest.mark.parametrize("provider_id", ["SB00000009", "SM123", ""])
def test_an_unknown_text_has_no_status(sandbox, provider_id):
    with pytest.raises(GatewayError) as caught:
        sandbox.fetch_status(provider_id)
    assert caught.value.permanent


def test_the_account_check_says_that_no_real_phone_rings(sandbox):
    assert "none reaches a real phone" in sandbox.check_account()


def test_a_broken_file_is_a_gateway_error(tmp_path, times):
    (tmp_path / "broken").write_text("this is no database, it only looks long enough to be one" * 40)
    with pytest.raises(GatewayError, match="sandbox file"):
        SandboxGateway(tmp_path / "broken", now=times).send("n1", BOB, "x")
