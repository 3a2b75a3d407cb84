from __future__ import annotations

import pytest

from portal.core.errors import DomainError
from portal.services.audit import Change
from portal.services.mail_suspensions import find_suspended, list_suspended, resume_address, suspend
from tests.services.mail_world import NOW

pytestmark = pytest.mark.usefixtures("world")


def test_a_dead_address_is_held_back_once_and_can_be_resumed(world):
    with world.database.unit_of_work() as uow:
        assert suspend(uow, "Dana@customer.example", reason="5.1.1 unknown", now=NOW)
        assert not suspend(uow, "dana@customer.example", reason="again", now=NOW)
        assert find_suspended(uow.session, ["DANA@customer.example", "eve@customer.example", ""]) == {
            "dana@customer.example"
        }
        (row,) = list_suspended(uow.session)
        assert (row.address, row.at, row.reason) == ("dana@customer.example", NOW, "5.1.1 unknown")
        resume_address(uow, "Dana@customer.example", change=Change(None, NOW))
        assert find_suspended(uow.session, ["dana@customer.example"]) == frozenset()
        with pytest.raises(DomainError, match="not held back"):
            resume_address(uow, "eve@evil.example", change=Change(None, NOW))
