"""`portal sandbox` and `portal explain`, as a person types them."""

import json

import pytest
from click.testing import CliRunner

from portal.cli import main
from portal.config import load_config
from portal.models import InboundText, Lease, SettingRow
from portal.models.schema import upgrade
from portal.services.answers import POLL_LEASE
from portal.wiring import build, sandbox_gateway
from tests.services.paging_world import NOW, add_people, add_ticket, decide


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A data folder of its own, with one ticket that pages."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    context = build(load_config())
    upgrade(context.database)
    add_people(context.database)
    add_ticket(context.database)
    decide(context.database, 1)
    yield context
    context.database.dispose()


def portal(*words):
    return CliRunner().invoke(main, words)


def provider():
    config = load_config()
    return sandbox_gateway(config, build(config).clock)


def test_texts_are_listed_for_people_and_for_programs(home):
    provider().send("n1", "+15550101", "P1 #1 Server down\nReply 1A to take it")
    provider().send("n2", "+15550102", "other")
    listed = json.loads(portal("sandbox", "texts", "--json").output)
    assert [(text["to"], text["text"]) for text in listed] == [
        ("+15550101", "P1 #1 Server down\nReply 1A to take it"),
        ("+15550102", "other"),
    ]
    assert listed[0]["state"] in ("accepted", "delivered")
    one = portal("sandbox", "texts", "--to", "+15550101").output
    assert one.count("\n") == 1
    assert "P1 #1 Server down / Reply 1A" in one


def test_a_reply_is_a_text_from_that_phone_and_is_asked_for_soon(home):
    with home.database.unit_of_work() as uow:
        uow.session.add(Lease(name=POLL_LEASE, owner="texts", until=NOW))
    assert portal("sandbox", "reply", "--from", "+15550101", "--text", "1 A").exit_code == 0
    assert [text.text for text in provider().list_inbound(NOW.replace(year=2020))] == ["1 A"]
    with home.database.read_session() as session:
        assert session.get(Lease, POLL_LEASE) is None
        assert session.query(InboundText).count() == 0


def test_a_failure_is_scripted(home):
    assert "fail with 21211" in portal("sandbox", "fail", "--code", "21211", "--next", "2").output
    with pytest.raises(Exception, match="not a phone number"):
        provider().send("n", "+15550101", "x")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sandbox", "fail", "--code", "nonsense"), "Unknown fault nonsense"),
        (("sandbox", "fail", "--code", "429", "--next", "0"), "at least 1"),
        (("sandbox", "reply", "--from", "bob", "--text", "A"), "A phone number is written"),
        (("explain", "99"), "There is no ticket 99."),
        (("explain", "x"), "There is no ticket x."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(home, words, sentence):
    result = portal(*words)
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("number", ["1", "#1", "IT-1"])
def test_explain_prints_the_whole_way(home, number):
    with home.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.prefix", value='"IT-"'))
    output = portal("explain", number).output
    assert output.startswith("#1 Server down: new, P3, from mail")
    assert "decision  created: page." in output
    assert "page to Bob (...0101)" in output
