from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from portal.core.errors import DomainError, GatewayError
from portal.core.schedule import JOBS
from portal.core.work import CHORES, URGENT_CHORES
from portal.jobs import chores
from portal.jobs.chores import run_next_chore
from portal.services.jobs import load_job, sync_jobs
from portal.services.mail_reconcile import NOT_READ_YET, MailboxCheck
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


@pytest.mark.parametrize(
    ("checks", "line"),
    [
        ([], "0 mails listed, 0 taken in late."),
        ([MailboxCheck("A", 5, 1), MailboxCheck("B", 2, 0)], "7 mails listed, 1 taken in late."),
        ([MailboxCheck("A", error=NOT_READ_YET)], "0 mails listed, 0 taken in late."),
    ],
)
def test_the_comparison_of_mailboxes_says_what_it_found(monkeypatch, checks, line):
    monkeypatch.setattr(chores, "check_mailboxes", lambda context, days: checks)
    assert chores.CHORES["mail_reconcile"](None) == line


def test_a_mailbox_that_could_not_be_compared_makes_the_run_fail(monkeypatch):
    checks = [MailboxCheck("A", 5, 1), MailboxCheck("B", error="The login was refused.")]
    monkeypatch.setattr(chores, "check_mailboxes", lambda context, days: checks)
    with pytest.raises(GatewayError, match="B: The login was refused"):
        chores.CHORES["mail_reconcile"](None)
