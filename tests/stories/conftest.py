"""One shop per story, and real servers beside it."""

from __future__ import annotations

import pytest

from tests.dovecot import running_dovecot
from tests.smtp_sink import running_smtp_sink
from tests.stories.shop import Shop


@pytest.fixture
def open_shop(tmp_path):
    """`open_shop(at=..., site__live=False)`: a shop that is closed when the story ends."""
    shops = []

    def make(**options) -> Shop:
        shop = Shop(tmp_path, **options)
        shops.append(shop)
        return shop

    yield make
    for shop in shops:
        shop.close()


@pytest.fixture
def dovecot():
    with running_dovecot() as server:
        yield server


@pytest.fixture
def sink():
    with running_smtp_sink() as server:
        yield server
