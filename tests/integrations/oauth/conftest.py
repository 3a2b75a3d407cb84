from collections.abc import Iterator

import pytest

from tests.graph_simulator import Graph, running_graph


@pytest.fixture
def graph() -> Iterator[Graph]:
    with running_graph() as graph:
        yield graph


@pytest.fixture
def login(graph):
    return graph.login
