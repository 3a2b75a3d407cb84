from __future__ import annotations

import pytest

from portal.core.errors import DomainError
from portal.services.audit import Change
from portal.services.mail_suspensions import (
    count_suspended,
    find_suspended,
    list_suspended,
    resume_address,
    suspend,
    suspend_by_hand,
)
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


def test_a_person_may_hold_an_address_back_and_says_why(world):
    with world.database.unit_of_work() as uow:
        suspend_by_hand(uow, " Dana@Customer.example ", reason="left the company", change=Change(None, NOW))
        suspend_by_hand(uow, "eve@customer.example", reason=" ", change=Change(None, NOW))
        assert count_suspended(uow.session) == 2
        reasons = {row.address: row.reason for row in list_suspended(uow.session)}
        assert reasons == {"dana@customer.example": "left the company", "eve@customer.example": "Stopped by hand."}
        with pytest.raises(DomainError, match="held back already"):
            suspend_by_hand(uow, "dana@customer.example", reason="", change=Change(None, NOW))


@pytest.mark.parametrize(
    "address", ["", "dana", "dana@", "@c.example", "a b@c.example", "dana@c", "x" * 250 + "@c.example"]
)
def test_what_is_no_address_cannot_be_held_back(world, address):
    with world.database.unit_of_work() as uow, pytest.raises(DomainError, match="Please enter a mail address"):
        suspend_by_hand(uow, address, reason="", change=Change(None, NOW))
