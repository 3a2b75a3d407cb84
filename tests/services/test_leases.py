from datetime import timedelta

import pytest

from portal.models import Lease
from portal.services.leases import hold_lease, release_lease
from tests.services.runtime_world import make_world


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    yield world
    world.database.dispose()


def hold(world, owner):
    return hold_lease(world, "ticker", owner=owner, seconds=10)


def test_the_first_gets_it_and_the_second_does_not(world):
    assert hold(world, "alice")
    assert not hold(world, "bob")
    assert hold(world, "alice")


def test_leases_of_different_names_do_not_meet(world):
    assert hold(world, "alice")
    assert hold_lease(world, "other", owner="bob", seconds=10)


def test_it_is_kept_as_long_as_its_owner_asks_in_time(world):
    hold(world, "alice")
    for _ in range(10):
        world.clock.move(6)
        assert hold(world, "alice")
        assert not hold(world, "bob")


def test_keeping_it_writes_only_when_half_is_over(world):
    hold(world, "alice")
    with world.database.read_session() as session:
        until = session.get_one(Lease, "ticker").until
    world.clock.move(4)
    hold(world, "alice")
    with world.database.read_session() as session:
        assert session.get_one(Lease, "ticker").until == until


def test_the_lease_of_the_dead_goes_to_the_next(world):
    hold(world, "alice")
    world.clock.move(10)
    assert hold(world, "bob")
    assert not hold(world, "alice")


def test_after_a_jump_of_the_clock_nothing_is_taken_over(world):
    hold(world, "alice")
    world.clock.machine += timedelta(hours=1)
    world.clock.is_settled = False
    assert not hold(world, "bob")
    assert hold(world, "alice")


def test_moving_product_time_takes_nothing_from_anybody(world):
    hold(world, "alice")
    world.clock.product += timedelta(days=30)
    assert not hold(world, "bob")


def test_what_is_given_back_is_free_at_once_and_only_ones_own_can_be(world):
    hold(world, "alice")
    release_lease(world, "ticker", owner="bob")
    assert not hold(world, "bob")
    release_lease(world, "ticker", owner="alice")
    assert hold(world, "bob")
