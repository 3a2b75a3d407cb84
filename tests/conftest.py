"""Fixtures and guards for every test: no network but loopback, no logged error unseen, a fresh database."""

from __future__ import annotations

import ipaddress
import socket

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.dev import ConsoleRenderer, plain_traceback

from portal.models import is_writing
from tests.databases import close_databases
from tests.services.ticket_world import make_database

_connect = socket.socket.connect

# No timed unit tests: a busy machine is no counter-example.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


# Of an error on purpose nobody reads a coloured drawing of its stack, which takes longer than the test.
structlog.configure(
    processors=[*structlog.get_config()["processors"][:-1], ConsoleRenderer(exception_formatter=plain_traceback)]
)
_LOG = structlog.get_config()


def _is_local(address) -> bool:
    if not isinstance(address, tuple):
        return True  # a unix socket
    host = address[0]
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# Tests that wait more than they work: begun first, so that one process waits while the others compute.
_WAITING = ("tests/stories/", "tests/chaos/", "tests/runtime/")


_LONG_SECONDS = 600


def pytest_collection_modifyitems(config, items):
    """Stories first. Within a folder the order stays, but each worker begins with its share of the long ones."""
    items.sort(key=lambda item: next((n for n, one in enumerate(_WAITING) if item.nodeid.startswith(one)), 99))
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if _is_long(item)]
    if long and workers > 1:
        rest = [item for item in items if not _is_long(item)]
        items[:] = [item for n in range(workers) for item in (*long[n::workers], *_part(rest, n, workers))]


def _is_long(item) -> bool:
    """By the time it is given; 0 is without end."""
    mark = item.get_closest_marker("timeout")
    return mark is not None and (not mark.args[0] or mark.args[0] >= _LONG_SECONDS)


def _part(items, number, parts):
    return items[len(items) * number // parts : len(items) * (number + 1) // parts]


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch):
    """A connection to anywhere else fails the test."""

    def connect(self, address):
        if not _is_local(address):
            raise AssertionError(f"a test tried to reach {address}")
        assert not is_writing(), f"an outside call to {address} in an open transaction"
        return _connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def _log_as_before():
    """Where a command or a process sends its log is its own business."""
    yield
    structlog.configure(**_LOG)


@pytest.fixture(autouse=True)
def _close_databases():
    """No connection outlives its test."""
    yield
    close_databases()


@pytest.fixture
def database(tmp_path):
    """A fresh database with the fixed cast (tests/services/ticket_world.py)."""
    return make_database(tmp_path)
