from datetime import UTC, datetime, timedelta

import pytest

from portal.integrations.system import clock as clock_module
from portal.integrations.system.clock import SystemClock, move_clock


def ahead(clock):
    return round((clock.now() - clock.lease_now()).total_seconds())


def test_product_time_is_machine_time_until_it_is_moved(tmp_path):
    assert ahead(SystemClock(tmp_path, testing=True)) == 0


def test_a_moved_clock_is_seen_by_a_running_process_again_and_again(tmp_path):
    clock = SystemClock(tmp_path, testing=True)
    for seconds in (3600, -86400, 0.25):
        move_clock(tmp_path, seconds=seconds)
        assert ahead(clock) == round(seconds)


def test_taking_the_file_away_ends_the_move(tmp_path):
    clock = SystemClock(tmp_path, testing=True)
    move_clock(tmp_path, seconds=3600)
    assert ahead(clock) == 3600
    (tmp_path / "clock").unlink()
    assert ahead(clock) == 0
    move_clock(tmp_path, seconds=3600)
    assert ahead(clock) == 3600


def test_in_production_the_file_is_not_looked_at(tmp_path):
    move_clock(tmp_path, seconds=3600)
    assert ahead(SystemClock(tmp_path)) == 0


def test_machine_time_never_moves(tmp_path):
    move_clock(tmp_path, seconds=3600)
    assert abs(SystemClock(tmp_path, testing=True).lease_now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("jump", [3600, -3600])
def test_after_a_jump_of_the_machine_nothing_may_be_taken_over(tmp_path, monkeypatch, jump):
    clock = SystemClock(tmp_path)
    assert clock.may_take_over()

    class Jumped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=jump)

    monkeypatch.setattr(clock_module, "datetime", Jumped)
    assert not clock.may_take_over()
    assert not clock.may_take_over()


def test_moving_product_time_is_no_jump(tmp_path):
    clock = SystemClock(tmp_path, testing=True)
    move_clock(tmp_path, seconds=86400)
    clock.now()
    assert clock.may_take_over()
