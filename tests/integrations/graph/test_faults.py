"""What goes wrong at Microsoft 365, one fault at a time: nothing is lost, nothing waits here, each has its word."""

import time
from datetime import timedelta

import pytest

from portal.core.errors import GatewayError
from portal.integrations.graph.connection import GraphConnection, GraphSettings
from portal.integrations.graph.mailbox import GraphMailbox
from portal.integrations.oauth.microsoft import MicrosoftProvider
from portal.integrations.oauth.settings import OAuthSettings
from portal.integrations.oauth.tokens import AccessTokens, MemoryTokens
from tests.graph_simulator import Fault
from tests.graph_spec import hold
from tests.integrations.graph.conftest import connect
from tests.integrations.graph.test_mailbox import mail, numbers, read_all
from tests.login_simulator import CLIENT_ID, SECRET, TENANT


@pytest.fixture
def cursor(graph, mailbox):
    """Connected, and three mails wait."""
    begin = mailbox.start("INBOX", None)
    for number in range(3):
        graph.box.deliver(mail(number), at=graph.now + timedelta(minutes=number))
    return begin


def failure(mailbox, cursor):
    with pytest.raises(GatewayError) as caught:
        mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
    return caught.value


OF_ALL = [(429, False), (503, False), ("reset", False), (403, True)]
OF_ONE = [(500, False), (504, False), ("cut", False)]


@pytest.mark.parametrize(
    ("on", "kind", "permanent"),
    [*(("messages/delta", *one) for one in OF_ALL + OF_ONE), *(("$value", *one) for one in OF_ALL)],
)
def test_a_fault_is_told_and_the_same_cursor_brings_everything_later(graph, mailbox, cursor, kind, permanent, on):
    graph.fail(kind, on=on)
    error = failure(mailbox, cursor)
    assert error.permanent is permanent and not error.maybe_done
    assert numbers(read_all(mailbox, cursor)[0]) == [0, 1, 2]


@pytest.mark.parametrize("kind", [kind for kind, _ in OF_ONE])
def test_a_fault_with_one_mail_brings_the_others_first(graph, mailbox, cursor, kind):
    graph.fail(kind, on="$value")
    assert numbers(read_all(mailbox, cursor)[0]) == [1, 2, 0]


def test_garbage_is_no_answer(graph, mailbox, cursor):
    graph.fail("garbage", on="messages/delta")
    assert failure(mailbox, cursor).code == "garbage"


def test_a_waiting_time_is_handed_on_and_not_slept(graph, mailbox, cursor):
    began = time.monotonic()
    graph.fail(429, on="delta", retry_after="120")
    assert failure(mailbox, cursor).retry_after == 120
    graph.fail(503, on="delta", retry_after=graph.date_in(90))
    assert failure(mailbox, cursor).retry_after == 90
    graph.fail(429, on="delta", retry_after=graph.date_in(-5))
    assert failure(mailbox, cursor).retry_after == 0
    graph.fail(429, on="delta", retry_after="soon")
    assert failure(mailbox, cursor).retry_after is None
    assert time.monotonic() - began < 5
    assert len(graph.asked("delta")) == 4


def test_a_server_that_never_answers_is_given_up(graph, cursor):
    graph.fail("hang", on="delta")
    slow = GraphMailbox(connect(graph, timeout=0.3))
    error = failure(slow, cursor)
    assert (error.code, error.permanent) == ("timeout", False)


def test_nobody_there_is_told_in_words(cursor, graph):
    tokens = AccessTokens(
        MicrosoftProvider(OAuthSettings(CLIENT_ID, SECRET, tenant=TENANT, login_url=graph.base)), MemoryTokens()
    )
    gone = GraphMailbox(GraphConnection(GraphSettings("a@b.example", url="http://127.0.0.1:1"), tokens))
    error = failure(gone, cursor)
    assert error.message == "Microsoft 365 cannot be reached." and not error.permanent


def test_a_token_taken_back_is_renewed_once(graph, mailbox, cursor):
    graph.fail(401, on="delta")
    assert numbers(read_all(mailbox, cursor)[0]) == [0, 1, 2]
    assert graph.login.asked == ["client_credentials"] * 2


def test_a_token_that_ended_is_renewed_unseen(graph, mailbox, cursor):
    graph.login.expire()
    assert len(read_all(mailbox, cursor)[0]) == 3


def test_a_token_refused_twice_needs_a_person(graph, mailbox, cursor):
    graph.fail(401, on="delta")
    graph.fail(401, on="delta")
    error = failure(mailbox, cursor)
    assert (error.permanent, error.code) == (True, "login")


@pytest.mark.parametrize(
    ("code", "words"),
    [("ErrorAccessDenied", "Grant it Mail.Read"), ("ErrorSomethingElse", "Microsoft 365 refuses this: scripted")],
)
def test_what_the_application_may_not_do_is_said(graph, mailbox, cursor, code, words):
    graph.fail(403, on="delta", code=code)
    error = failure(mailbox, cursor)
    assert words in error.message and error.code == "login"


def test_an_address_without_a_mailbox_is_said(graph):
    with pytest.raises(GatewayError, match="no mailbox with this address") as caught:
        GraphMailbox(connect(graph, address="nobody@shop.example")).count("inbox")
    assert (caught.value.permanent, caught.value.code) == (True, "login")


def test_a_link_to_somewhere_else_never_gets_the_token(graph, mailbox, cursor):
    elsewhere = cursor.replace('"link":"', '"link":"https://elsewhere.example/v1.0/users/help@shop.example/')
    batch = mailbox.fetch("INBOX", elsewhere, limit=50, byte_limit=9**9, max_size=9**9)
    assert numbers(batch.mails) == [0, 1, 2]  # asked at the place we know


def test_the_check_against_the_document_sees_what_does_not_fit(graph, mailbox, cursor):
    mailbox.count("inbox")
    exchange = graph.exchanges.pop()
    exchange.answer = b'{"totalItemCount": "many", "id": 7}'
    with pytest.raises(Exception, match=r"(?i)invalid|valid"):
        hold([exchange])


WITHHELD = [(404, "ErrorItemNotFound"), (500, "ErrorInternalServerError"), (504, "x"), (400, "ErrorItemCorrupt")]


@pytest.mark.parametrize("trouble", WITHHELD)
def test_a_mail_that_graph_does_not_hand_over_holds_up_no_other(graph, mailbox, cursor, trouble):
    first = min(graph.box.items)
    graph.withheld[first] = trouble
    batch = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
    assert numbers(batch.mails) == [1, 2] and batch.has_more
    graph.now += timedelta(minutes=5)
    failure(mailbox, batch.cursor)
    graph.box.deliver(mail(3), at=graph.now)  # behind it, on the same link
    after = mailbox.fetch("INBOX", batch.cursor, limit=50, byte_limit=9**9, max_size=9**9)
    assert numbers(after.mails) == [3]
    graph.withheld.clear()
    late, end = read_all(mailbox, after.cursor)
    assert numbers(late) == [0] and read_all(mailbox, end)[0] == []


@pytest.mark.parametrize("trouble", WITHHELD)
def test_a_mail_that_graph_never_hands_over_comes_by_its_header(graph, mailbox, cursor, trouble):
    graph.withheld[min(graph.box.items)] = trouble
    batch = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
    graph.now += timedelta(minutes=11)
    (got,), end = read_all(mailbox, batch.cursor)
    assert got.raw is None and b"Subject: Mail 0" in got.header and got.size == 0
    assert read_all(mailbox, end)[0] == []
    (known,) = [one for one, _ in mailbox.list_ids("INBOX", graph.now - timedelta(days=1)) if one == got.provider_id]
    assert mailbox.fetch_one("INBOX", known) is None  # the comparison names it


def test_a_server_that_hands_over_nothing_loses_no_text(graph, mailbox, cursor):
    """Out of order for hours: no mail is given up, for none is at fault."""
    for number in graph.box.items:
        graph.withheld[number] = (500, "ErrorInternalServerError")
    begun = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
    assert begun.mails == () and begun.has_more
    for _ in range(3):
        graph.now += timedelta(hours=1)
        failure(mailbox, begun.cursor)
    graph.withheld.clear()
    assert numbers(read_all(mailbox, begun.cursor)[0]) == [0, 1, 2]


def test_a_server_that_makes_us_wait_in_every_page_is_read_to_the_end(graph, mailbox, cursor):
    for number in range(3, 12):
        graph.box.deliver(mail(number), at=graph.now + timedelta(minutes=number))
    mails, has_more = [], True
    while has_more:
        passes = Fault("none", "$value")
        graph.faults = [passes, passes, Fault(429, "$value", retry_after="9")]
        batch = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
        mails, cursor, has_more = mails + numbers(batch.mails), batch.cursor, batch.has_more
    assert mails == list(range(12)) and len(graph.asked("$value")) <= 18


@pytest.mark.parametrize("code", ["ErrorMailboxMoveInProgress", "ErrorServerBusy"])
def test_what_passes_by_itself_is_waited_for(graph, mailbox, cursor, code):
    graph.fail(400, on="delta", code=code)
    error = failure(mailbox, cursor)
    assert (error.permanent, error.code) == (False, "busy")


def test_a_page_of_a_proxy_is_no_mail(graph, mailbox, cursor):
    graph.fail("garbage", on="$value")
    assert failure(mailbox, cursor).code == "garbage"
    assert numbers(read_all(mailbox, cursor)[0]) == [0, 1, 2]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_sends_us_elsewhere(graph, mailbox, cursor, status):
    graph.fail(status, on="delta", location="https://elsewhere.example/v1.0/")
    error = failure(mailbox, cursor)
    assert (error.permanent, error.code) == (False, "garbage")
    assert numbers(read_all(mailbox, cursor)[0]) == [0, 1, 2]
    graph.exchanges.clear()  # no answer of Microsoft's


@pytest.mark.parametrize("body", [b'{"error": "short"}', b"[]", b"", b'{"error": null}', b"null", b"{"])
def test_an_error_in_a_shape_of_its_own_is_an_error(graph, mailbox, cursor, body, monkeypatch):
    monkeypatch.setattr("tests.graph_simulator.refusal", lambda *a: (500, {"Content-Type": "application/json"}, body))
    graph.fail(500, on="delta")
    assert "out of order" in failure(mailbox, cursor).message
    graph.exchanges.clear()  # no answer of Microsoft's


def test_410_with_a_place_to_go_to_begins_anew_at_ours(graph, mailbox, cursor):
    graph.fail(410, on="delta", location="https://elsewhere.example/v1.0/users/x/messages/delta?$skiptoken=1")
    batch = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
    assert batch.was_reset and batch.cursor == ""
