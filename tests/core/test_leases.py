from datetime import UTC, datetime, timedelta

import pytest

from portal.core.leases import LEASE_SECONDS, ClockWatch, decide_lease, lease_end

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)


def watch_after(*looks):
    """Looks are (wall seconds, monotonic seconds) since the start."""
    watch = ClockWatch(NOW, 100.0)
    for wall, monotonic in looks:
        watch = watch.look(NOW + timedelta(seconds=wall), monotonic=100.0 + monotonic)
    return watch


@pytest.mark.parametrize(
    ("looks", "may_take_over"),
    [
        ([(1, 1)], True),
        ([(6, 1)], True),
        ([(6.1, 1)], False),
        ([(3600, 1)], False),
        ([(-3600, 1)], False),
        ([(600, 600)], True),
        ([(3600, 1), (3601, 2)], False),
        ([(3600, 1), (3658, 60)], False),
        ([(3600, 1), (3660, 61)], True),
        ([(3600, 1), (0, 50), (60, 109)], False),
        ([(3600, 1), (0, 50), (60, 110)], True),
    ],
)
def test_after_a_jump_of_the_clock_nothing_is_taken_over_for_one_lease_length(looks, may_take_over):
    assert watch_after(*looks).may_take_over is may_take_over


def test_slow_drift_between_looks_is_not_a_jump():
    assert watch_after(*[(1.01 * n, n) for n in range(1, 2000)]).may_take_over


def test_one_lease_is_at_least_three_network_timeouts():
    assert LEASE_SECONDS == 60


@pytest.mark.parametrize(
    ("owner", "left", "may_take_over", "answer"),
    [
        ("alice", 10, True, "keep"),
        ("alice", 6, True, "keep"),
        ("alice", 5, True, "take"),
        ("alice", -100, True, "take"),
        ("alice", -100, False, "take"),
        ("bob", 10, True, "leave"),
        ("bob", 0.1, True, "leave"),
        ("bob", 0, True, "take"),
        ("bob", -100, True, "take"),
        ("bob", -100, False, "leave"),
        ("bob", 3600, True, "take"),
        ("bob", 3600, False, "leave"),
        ("alice", 3600, True, "take"),
    ],
)
def test_a_lease_is_kept_by_its_owner_and_taken_from_the_dead_only(owner, left, may_take_over, answer):
    assert (
        decide_lease(
            owner=owner,
            until=NOW + timedelta(seconds=left),
            me="alice",
            now=NOW,
            seconds=10,
            may_take_over=may_take_over,
        )
        == answer
    )


def test_a_lease_ends_one_lease_length_after_it_was_taken():
    assert lease_end(NOW) == NOW + timedelta(seconds=60)
    assert lease_end(NOW, seconds=10) == NOW + timedelta(seconds=10)
