from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.core.errors import DomainError
from portal.core.schedule import JOBS
from portal.core.work import CHORES, URGENT_CHORES
from portal.models import AuditEvent, Job, JobRun
from portal.services.jobs import (
    claim_job,
    count_due_jobs,
    edit_job,
    finish_job,
    list_jobs,
    load_job,
    run_job_now,
    sync_jobs,
)
from tests.services.runtime_world import NOW, make_world, read, write


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    sync_jobs(world)
    yield world
    world.database.dispose()


def run_all(world, kind=CHORES):
    """Run what is due; returns the names."""
    names = []
    while claimed := claim_job(world, kind, owner="w1"):
        finish_job(world, claimed, result="done")
        names.append(claimed.name)
    return names


def names_of(kind):
    return sorted(job.name for job in JOBS if job.kind == kind)


def due(world, kind=CHORES):
    with world.database.read_session() as session:
        return count_due_jobs(world, session, kind)


def audit(world):
    with world.database.read_session() as session:
        return [(event.action, event.subject, event.actor_id) for event in session.scalars(select(AuditEvent))]


def test_every_job_of_this_version_gets_a_row_once_with_its_default(world):
    write(world, edit_job, "tidy", interval_s=7200, is_enabled=False)
    sync_jobs(world)
    views = {view.job.name: view for view in read(world, list_jobs)}
    assert [view.job for view in read(world, list_jobs)] == list(JOBS)
    assert (views["tidy"].interval_s, views["tidy"].is_enabled) == (7200, False)


def test_a_job_this_version_does_not_have_is_dropped_with_its_runs(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(Job(name="old", interval_s=60, next_at=NOW))
        uow.session.add(JobRun(job="old", started_at=NOW))
    sync_jobs(world)
    with world.database.read_session() as session:
        assert session.get(Job, "old") is None
        assert session.scalar(select(func.count()).select_from(JobRun)) == 0


@pytest.mark.parametrize("kind", [CHORES, URGENT_CHORES])
def test_each_worker_runs_its_own_jobs(world, kind):
    assert due(world, kind) == len(names_of(kind))
    assert sorted(run_all(world, kind)) == names_of(kind)
    assert due(world, kind) == 0


def test_a_job_that_ran_is_due_again_after_its_interval(world):
    run_all(world)
    soonest = min(job.interval_s for job in JOBS if job.kind == CHORES)
    world.clock.move(soonest - 1)
    assert run_all(world) == []
    world.clock.move(1)
    assert run_all(world) == sorted(job.name for job in JOBS if job.kind == CHORES and job.interval_s == soonest)


def test_a_claimed_job_is_not_given_to_another_worker(world):
    first = {claim_job(world, CHORES, owner="w1").name for _ in names_of(CHORES)}
    assert sorted(first) == names_of(CHORES)
    assert claim_job(world, CHORES, owner="w2") is None


def test_a_job_cut_off_is_taken_up_after_its_lease_and_the_cut_off_run_says_so(world):
    run_all(world)
    write(world, run_job_now, "tidy")
    assert claim_job(world, CHORES, owner="w1").name == "tidy"
    world.clock.machine += timedelta(seconds=899)
    assert claim_job(world, CHORES, owner="w2") is None
    world.clock.machine += timedelta(seconds=2)
    assert claim_job(world, CHORES, owner="w2").name == "tidy"
    _, runs = read(world, load_job, "tidy")
    assert runs[0].seconds is None
    assert runs[1].error == "Cut off: the worker ended before the job did."


def test_after_a_jump_of_the_clock_no_job_is_taken_from_its_worker(world):
    claimed = claim_job(world, CHORES, owner="w1")
    world.clock.machine += timedelta(hours=2)
    world.clock.is_settled = False
    assert claimed.name not in run_all(world)


def test_moving_product_time_does_not_end_a_lease(world):
    while claim_job(world, CHORES, owner="w1"):
        pass
    world.clock.product += timedelta(days=400)
    assert claim_job(world, CHORES, owner="w2") is None


def test_a_run_shows_how_long_it_took_and_what_it_did(world):
    claimed = claim_job(world, CHORES, owner="w1")
    world.clock.move(1.5)
    finish_job(world, claimed, error="The disk is full.")
    view, runs = read(world, load_job, claimed.name)
    assert (runs[0].seconds, runs[0].result, runs[0].error) == (1.5, "", "The disk is full.")
    assert view.last == runs[0]
    assert not view.is_running


def test_only_the_last_hundred_runs_are_kept(world):
    for number in range(103):
        write(world, run_job_now, "tidy")
        claimed = claim_job(world, CHORES, owner="w1")
        while claimed.name != "tidy":
            finish_job(world, claimed)
            claimed = claim_job(world, CHORES, owner="w1")
        finish_job(world, claimed, result=str(number))
    _, runs = read(world, load_job, "tidy")
    assert [runs[0].result, runs[-1].result, len(runs)] == ["102", "3", 100]


def test_switching_a_job_off_acts_at_the_next_look_and_is_audited(world):
    write(world, edit_job, "tidy", interval_s=86400, is_enabled=False)
    assert "tidy" not in run_all(world)
    assert audit(world) == [("job.edit", "tidy", 1)]


def test_switching_it_on_again_makes_it_due(world):
    run_all(world)
    write(world, edit_job, "tidy", interval_s=86400, is_enabled=False)
    write(world, edit_job, "tidy", interval_s=86400, is_enabled=True)
    assert run_all(world) == ["tidy"]


def test_a_shorter_interval_counts_from_now_and_a_longer_one_from_the_next_run(world):
    run_all(world)
    write(world, edit_job, "tidy", interval_s=3600, is_enabled=True)
    assert read(world, load_job, "tidy")[0].next_at == NOW + timedelta(hours=1)
    write(world, edit_job, "tidy", interval_s=86400, is_enabled=True)
    assert read(world, load_job, "tidy")[0].next_at == NOW + timedelta(hours=1)


def test_an_interval_too_short_is_refused_and_nothing_changes(world):
    with pytest.raises(DomainError, match="Choose between 1 hour and 366 days"):
        write(world, edit_job, "tidy", interval_s=60, is_enabled=False)
    assert read(world, load_job, "tidy")[0].is_enabled
    assert audit(world) == []


def test_run_now_wakes_its_worker_also_for_a_job_that_is_off_and_once_only(world):
    run_all(world)
    write(world, edit_job, "tidy", interval_s=86400, is_enabled=False)
    world.woken.clear()
    write(world, run_job_now, "tidy")
    assert world.woken == [CHORES]
    assert run_all(world) == ["tidy"]
    world.clock.move(86400 * 2)
    assert "tidy" not in run_all(world)


def test_run_now_while_it_runs_means_once_more_afterwards(world):
    run_all(world)
    write(world, run_job_now, "tidy")
    claimed = claim_job(world, CHORES, owner="w1")
    write(world, run_job_now, "tidy")
    assert read(world, load_job, "tidy")[0].is_running
    finish_job(world, claimed)
    assert run_all(world) == ["tidy"]
    assert run_all(world) == []


def test_an_unknown_job_is_refused(world):
    with pytest.raises(DomainError, match="no such job"):
        read(world, load_job, "format_disk")
    with pytest.raises(DomainError, match="no such job"):
        write(world, run_job_now, "format_disk")
