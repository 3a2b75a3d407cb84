"""The guards of tests/conftest.py themselves: they must be able to fail."""

from __future__ import annotations

import socket

import pytest


def test_a_call_to_the_outside_fails_a_test():
    with socket.socket() as probe, pytest.raises(AssertionError, match="tried to reach"):
        probe.connect(("192.0.2.1", 80))


def test_an_outside_call_in_an_open_transaction_fails_a_test(database):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = server.getsockname()
        with socket.socket() as probe:
            probe.connect(address)
        with database.unit_of_work(), socket.socket() as probe, pytest.raises(AssertionError, match="open transaction"):
            probe.connect(address)
