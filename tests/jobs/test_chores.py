from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from portal.core.errors import DomainError, GatewayError
from portal.core.schedule import JOBS
from portal.core.work import CHORES, URGENT_CHORES
from portal.jobs import chores
from portal.jobs.chores import run_next_chore
from portal.services.jobs import load_job, sync_jobs
from tests.services.mail_world import add_mailbox, load, make_mail_world
from tests.services.runtime_world import make_world, read


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    sync_jobs(world)
    yield world
    world.database.dispose()


@dataclass
class Chore:
    """Stands for every job: returns its words, or raises them."""

    outcome: object

    def __call__(self, context):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def run_all(world, monkeypatch, outcome, kind=CHORES):
    monkeypatch.setattr(chores, "CHORES", {job.name: Chore(outcome) for job in JOBS})
    count = 0
    while run_next_chore(world, kind):
        count += 1
    return count


def last_of(world, name="tidy"):
    return read(world, load_job, name)[0].last


def test_every_scheduled_job_is_a_function():
    assert set(chores.CHORES) == {job.name for job in JOBS}


@pytest.mark.parametrize("kind", [CHORES, URGENT_CHORES])
def test_all_due_jobs_of_a_worker_run_and_no_others(world, monkeypatch, kind):
    assert run_all(world, monkeypatch, "done", kind) == sum(job.kind == kind for job in JOBS)
    assert not run_next_chore(world, kind)


def test_what_a_job_says_is_kept(world, monkeypatch):
    run_all(world, monkeypatch, "3 old rows removed.")
    assert (last_of(world).result, last_of(world).error) == ("3 old rows removed.", "")


@pytest.mark.parametrize("error", [DomainError("It is closed."), GatewayError("It is closed.")])
def test_a_refusal_is_shown_in_its_own_words(world, monkeypatch, error):
    with capture_logs() as logs:
        run_all(world, monkeypatch, error)
    assert last_of(world).error == "It is closed."
    assert logs == []


def test_a_bug_is_logged_with_its_traceback_and_the_other_jobs_run(world, monkeypatch):
    with capture_logs() as logs:
        count = run_all(world, monkeypatch, ZeroDivisionError("secret"))
    assert count > 1
    assert last_of(world).error == "ZeroDivisionError. The log says more."
    assert all(entry["exc_info"] for entry in logs)


def test_each_mailbox_is_asked_to_be_compared_by_its_own_lane(tmp_path):
    world = make_mail_world(tmp_path)
    assert chores.CHORES["mail_reconcile"](world).startswith("0 mailboxes being compared")
    mailbox_id = add_mailbox(world)
    assert chores.CHORES["mail_reconcile"](world).startswith("1 mailbox being compared")
    assert load(world, mailbox_id).reconcile_asked_at == world.clock.now()
