"""Who can be reached, and how."""

import pytest

from portal.models import Phone, User
from portal.services.recipients import Recipient, find_by_number, load_managers, load_recipients, resolve_targets
from tests.services.paging_world import ALICE, BOB, CAROL, NUMBERS, add_people


@pytest.fixture
def shop(database):
    add_people(database)
    return database


def test_people_come_in_the_order_asked_for_with_their_numbers_by_position(shop):
    with shop.unit_of_work() as uow:
        uow.session.add(Phone(user_id=BOB, number="+15550191", position=2))
        uow.session.add(Phone(user_id=BOB, number="+15550192", position=1))
    with shop.read_session() as session:
        found = load_recipients(session, [CAROL, BOB, CAROL, 99])
    assert [person.name for person in found] == ["Carol", "Bob"]
    assert found[1] == Recipient(BOB, "Bob", "technician", (NUMBERS[BOB], "+15550192", "+15550191"))


def test_stopped_phones_and_disabled_people_are_left_out(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(Phone).filter_by(user_id=BOB).one().is_stopped = True
        uow.session.get_one(User, CAROL).is_active = False
    with shop.read_session() as session:
        assert load_recipients(session, [BOB, CAROL]) == [Recipient(BOB, "Bob", "technician", ())]
        assert find_by_number(session, NUMBERS[CAROL]) is None


@pytest.mark.parametrize(
    ("targets", "people"),
    [
        (["on_call"], [BOB, CAROL]),
        (["fallback"], [ALICE]),
        (["managers"], [ALICE]),
        (["person:3", "on_call"], [CAROL, BOB]),
        (["person:99"], []),
    ],
)
def test_targets_are_people_each_once(shop, targets, people):
    with shop.read_session() as session:
        found = resolve_targets(session, targets, on_call=(BOB, CAROL), fallback=ALICE)
        assert [person.user_id for person in found] == people
        assert resolve_targets(session, ["fallback"], on_call=(), fallback=None) == []


def test_an_alarm_reaches_admins_and_managers(shop):
    with shop.unit_of_work() as uow:
        uow.session.get_one(User, CAROL).role = "manager"
    with shop.read_session() as session:
        assert [person.name for person in load_managers(session)] == ["Alice", "Carol"]


def test_a_number_leads_to_its_owner(shop):
    with shop.read_session() as session:
        user, phone = find_by_number(session, NUMBERS[BOB])
        assert (user.name, phone.number) == ("Bob", NUMBERS[BOB])
        assert find_by_number(session, "+15559999") is None
