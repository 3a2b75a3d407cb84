"""A Microsoft 365 of our own, and every exchange with it held against the vendor's description."""

from collections.abc import Iterator

import pytest

from portal.integrations.graph.connection import GraphConnection, GraphSettings
from portal.integrations.graph.mailbox import GraphMailbox
from portal.integrations.graph.sender import GraphSender
from portal.integrations.oauth.microsoft import MicrosoftProvider
from portal.integrations.oauth.settings import OAuthSettings
from portal.integrations.oauth.tokens import AccessTokens, MemoryTokens
from tests.graph_simulator import ADDRESS, Graph, running_graph
from tests.graph_spec import SPEC, hold
from tests.login_simulator import CLIENT_ID, SECRET, TENANT


@pytest.fixture
def graph() -> Iterator[Graph]:
    with running_graph() as graph:
        yield graph
    if SPEC.exists():
        hold(graph.exchanges)


def connect(graph: Graph, *, address: str = ADDRESS, timeout: float = 10) -> GraphConnection:
    settings = OAuthSettings(CLIENT_ID, SECRET, tenant=TENANT, login_url=graph.base)
    tokens = AccessTokens(MicrosoftProvider(settings), MemoryTokens())
    return GraphConnection(GraphSettings(address, url=graph.base, timeout=timeout), tokens)


@pytest.fixture
def mailbox(graph) -> GraphMailbox:
    return GraphMailbox(connect(graph))


@pytest.fixture
def sender(graph) -> GraphSender:
    return GraphSender(connect(graph))
