"""Fixtures for the tests of services."""

import pytest

from tests.services.paging_world import World


@pytest.fixture
def world(database):
    """Christmas night in a small shop (tests/services/paging_world.py)."""
    return World(database)
