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


@pytest.mark.parametrize("on", ["messages/delta", "$value"])
@pytest.mark.parametrize(
    ("kind", "permanent"),
    [(429, False), (500, False), (503, False), (504, False), ("reset", False), ("cut", False), (403, True)],
)
def test_a_fault_is_told_and_the_same_cursor_brings_everything_later(graph, mailbox, cursor, kind, permanent, on):
    graph.fail(kind, on=on)
    error = failure(mailbox, cursor)
    assert error.permanent is permanent and not error.maybe_done
    assert numbers(read_all(mailbox, cursor)[0]) == [0, 1, 2]


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
