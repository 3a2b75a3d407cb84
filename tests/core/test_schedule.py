from datetime import UTC, datetime, timedelta

import pytest

from portal.core.errors import DomainError
from portal.core.schedule import (
    JOBS,
    MAX_INTERVAL_S,
    check_interval,
    find_job,
    format_interval,
    join_interval,
    plan_next_run,
    split_interval,
)
from portal.core.work import CHORES, URGENT_CHORES

START = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)


def test_every_job_has_its_own_name_and_a_worker_and_an_interval_it_may_have():
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        assert job.kind in (CHORES, URGENT_CHORES)
        assert check_interval(job, job.interval_s) == job.interval_s
        assert find_job(job.name) is job


def test_an_unknown_job_is_refused():
    with pytest.raises(DomainError, match="no such job"):
        find_job("format_disk")


@pytest.mark.parametrize("seconds", [0, -5, 59, MAX_INTERVAL_S + 1])
def test_an_interval_out_of_bounds_is_refused_with_the_bounds(seconds):
    with pytest.raises(DomainError, match="Choose between 1 minute and 366 days"):
        check_interval(find_job("mail_audit"), seconds)


@pytest.mark.parametrize("seconds", [60, 61, MAX_INTERVAL_S])
def test_an_interval_within_bounds_is_taken(seconds):
    assert check_interval(find_job("mail_audit"), seconds) == seconds


@pytest.mark.parametrize(("took", "wait"), [(0, 60), (59, 60), (60, 60), (90, 90)])
def test_a_job_is_due_one_interval_after_its_start_or_at_once_when_it_took_longer(took, wait):
    due = plan_next_run(started_at=START, finished_at=START + timedelta(seconds=took), interval_s=60)
    assert due == START + timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("seconds", "parts", "text"),
    [
        (0, (0, "second"), "0 seconds"),
        (1, (1, "second"), "1 second"),
        (90, (90, "second"), "90 seconds"),
        (60, (1, "minute"), "1 minute"),
        (300, (5, "minute"), "5 minutes"),
        (3600, (1, "hour"), "1 hour"),
        (172800, (2, "day"), "2 days"),
        (90000, (25, "hour"), "25 hours"),
    ],
)
def test_intervals_are_shown_and_entered_in_their_largest_whole_unit(seconds, parts, text):
    assert split_interval(seconds) == parts
    assert join_interval(*parts) == seconds
    assert format_interval(seconds) == text


def test_an_unknown_unit_is_refused():
    with pytest.raises(DomainError, match="seconds, minutes, hours or days"):
        join_interval(1, "fortnight")
