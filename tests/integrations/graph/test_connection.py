"""What we hold O365 to: its promises that we build on, in the version that is installed."""

import logging

import pytest
from O365 import Connection

from portal.core.errors import GatewayError
from tests.integrations.graph.conftest import connect
from tests.login_simulator import SECRET


def test_o365_never_signs_in_by_itself(graph, monkeypatch):
    """Its msal client would go to the public place, past our store and our lock."""
    monkeypatch.setattr(Connection, "msal_client", property(lambda self: pytest.fail("O365 asked msal")))
    monkeypatch.setattr(Connection, "refresh_token", lambda self: pytest.fail("O365 renewed a token"))
    connection = connect(graph)
    connection.get("mailFolders/inbox")
    graph.login.expire()
    graph.fail(401)
    connection.get("mailFolders/inbox")


def test_o365_neither_repeats_nor_waits(graph):
    connection = connect(graph)
    connection.get("mailFolders/inbox")
    session = connection._account.con.session
    assert all(adapter.max_retries.total == 0 for adapter in session.adapters.values())
    assert connection._account.con.requests_delay == 0 and connection._account.con.timeout


def test_no_secret_and_no_token_is_ever_logged(graph, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    connection = connect(graph)
    graph.fail(500)
    graph.fail(404)
    for _ in range(2):
        with pytest.raises(GatewayError) as caught:
            connection.get("mailFolders/inbox")
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
    connection.get("mailFolders/inbox")
    said = caplog.text + "".join(capsys.readouterr())
    assert SECRET not in said and "Bearer" not in said
    assert not any(token in said for token in graph.login.access)
    assert logging.getLogger("O365.connection").getEffectiveLevel() > logging.ERROR
    assert logging.getLogger("msal.application").getEffectiveLevel() > logging.ERROR
