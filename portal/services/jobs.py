"""Scheduled jobs: rows that say when each runs, and what its last runs did. Edits act at the next look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, cast, delete, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from portal.core.leases import lease_end
from portal.core.schedule import (
    JOBS,
    KEPT_RUNS,
    ScheduledJob,
    check_interval,
    find_job,
    format_interval,
    plan_next_run,
)
from portal.models import Job, JobRun, UnitOfWork
from portal.models.base import UtcDateTime
from portal.services.audit import Change, record_change
from portal.services.context import Context

# A job that was cut off is taken up again after this; each may run twice without harm.
LEASE_SECONDS = 900.0


@dataclass(frozen=True)
class ClaimedJob:
    """A job that is ours to run now."""

    name: str
    run_id: int
    started_at: datetime


@dataclass(frozen=True)
class RunView:
    """One run. `seconds` is None while it runs; `error` is empty when it went well."""

    started_at: datetime
    seconds: float | None
    result: str
    error: str


@dataclass(frozen=True)
class JobView:
    """A job as its page shows it."""

    job: ScheduledJob
    interval_s: int
    is_enabled: bool
    next_at: datetime
    is_running: bool
    last: RunView | None

    @property
    def interval(self) -> str:
        """How often it runs, in words."""
        return format_interval(self.interval_s)


def sync_jobs(context: Context) -> None:
    """Make the rows of jobs this version has and drop those of jobs it has no more. Called after each migration."""
    now = context.clock.now()
    names = {job.name for job in JOBS}
    with context.database.unit_of_work() as uow:
        known = set(uow.session.scalars(select(Job.name)))
        for job in JOBS:
            if job.name not in known:
                uow.session.add(Job(name=job.name, interval_s=job.interval_s, next_at=now))
        uow.session.execute(delete(Job).where(Job.name.not_in(names)))
        uow.session.execute(delete(JobRun).where(JobRun.job.not_in(names)))


def list_jobs(session: Session) -> list[JobView]:
    """Every job, in the order of core/schedule.py. Two statements."""
    rows = {row.name: row for row in session.scalars(select(Job))}
    newest = select(func.max(JobRun.id)).group_by(JobRun.job)
    runs = {run.job: run for run in session.scalars(select(JobRun).where(JobRun.id.in_(newest)))}
    return [_view(job, rows[job.name], runs.get(job.name)) for job in JOBS if job.name in rows]


def load_job(session: Session, name: str) -> tuple[JobView, list[RunView]]:
    """One job and its last hundred runs, newest first. Raises DomainError for an unknown name."""
    job = find_job(name)
    row = session.get_one(Job, name)
    runs = list(session.scalars(select(JobRun).where(JobRun.job == name).order_by(JobRun.id.desc()).limit(KEPT_RUNS)))
    return _view(job, row, runs[0] if runs else None), [_run_view(run) for run in runs]


def edit_job(uow: UnitOfWork, name: str, *, interval_s: int, is_enabled: bool, change: Change) -> None:
    """Change how often a job runs and whether. Raises DomainError for an interval it may not have."""
    interval_s = check_interval(find_job(name), interval_s)
    row = uow.session.get_one(Job, name)
    was = {"interval_s": row.interval_s, "is_enabled": row.is_enabled}
    if is_enabled and not row.is_enabled:
        row.next_at = change.at
    row.interval_s, row.is_enabled = interval_s, is_enabled
    row.next_at = min(row.next_at, change.at + timedelta(seconds=interval_s))
    after = {"interval_s": interval_s, "is_enabled": is_enabled}
    record_change(uow, change, "job.edit", name, before=was, after=after)
    uow.wake(find_job(name).kind)


def run_job_now(uow: UnitOfWork, name: str, *, change: Change) -> None:
    """Have a job run at once, also one that is switched off. One that runs already runs again afterwards."""
    job = find_job(name)
    row = uow.session.get_one(Job, name)
    row.next_at, row.is_asked = change.at, True
    record_change(uow, change, "job.run", name)
    uow.wake(job.kind)


def claim_job(context: Context, kind: str, *, owner: str) -> ClaimedJob | None:
    """The job of this kind that is due longest, claimed for us. None when nothing is due."""
    now, lease_now = context.clock.now(), context.clock.lease_now()
    names = [job.name for job in JOBS if job.kind == kind]
    with context.database.read_session() as session:
        if not count_due_jobs(context, session, kind):
            return None  # most looks find nothing, and cost no write lock
    with context.database.unit_of_work() as uow:
        row = uow.session.scalar(
            select(Job).where(Job.name.in_(names), *_due(context)).order_by(Job.next_at, Job.name).limit(1)
        )
        if row is None:
            return None
        _close_cut_off_runs(uow.session, row.name, now)
        row.lease_owner, row.lease_until = owner, lease_end(lease_now, seconds=LEASE_SECONDS)
        row.is_asked = False
        run = JobRun(job=row.name, started_at=now)
        uow.session.add(run)
        uow.session.flush()
        return ClaimedJob(row.name, run.id, now)


def finish_job(context: Context, claimed: ClaimedJob, *, result: str = "", error: str = "") -> None:
    """Record what a run did, plan the next, and keep the last hundred runs."""
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(Job, claimed.name)
        row.lease_owner, row.lease_until = "", None
        if not row.is_asked:
            row.next_at = plan_next_run(started_at=claimed.started_at, finished_at=now, interval_s=row.interval_s)
        uow.session.execute(
            update(JobRun).where(JobRun.id == claimed.run_id).values(finished_at=now, result=result, error=error)
        )
        _forget_old_runs(uow.session, claimed.name)


def count_due_jobs(context: Context, session: Session, kind: str) -> int:
    """How many jobs of this kind wait for a worker."""
    names = [job.name for job in JOBS if job.kind == kind]
    return session.scalar(select(func.count()).where(Job.name.in_(names), *_due(context))) or 0


def _due(context: Context) -> tuple[ColumnElement[bool], ...]:
    free = or_(Job.lease_until.is_(None), Job.lease_until < context.clock.lease_now())
    if not context.clock.may_take_over():
        free = Job.lease_until.is_(None)
    now = context.clock.now()
    # A run further off than the interval was planned before the clock went back.
    planned_at = type_coerce(Job.next_at, BigInteger) - 1_000_000 * cast(Job.interval_s, BigInteger)
    is_time = or_(Job.next_at <= now, type_coerce(planned_at, UtcDateTime) > now)
    return is_time, or_(Job.is_enabled, Job.is_asked), free


def _close_cut_off_runs(session: Session, name: str, now: datetime) -> None:
    session.execute(
        update(JobRun)
        .where(JobRun.job == name, JobRun.finished_at.is_(None))
        .values(finished_at=now, error="Cut off: the worker ended before the job did.")
    )


def _forget_old_runs(session: Session, name: str) -> None:
    newest = select(JobRun.id).where(JobRun.job == name).order_by(JobRun.id.desc()).limit(KEPT_RUNS)
    session.execute(delete(JobRun).where(JobRun.job == name, JobRun.id.not_in(newest)))


def _view(job: ScheduledJob, row: Job, last: JobRun | None) -> JobView:
    return JobView(
        job=job,
        interval_s=row.interval_s,
        is_enabled=row.is_enabled,
        next_at=row.next_at,
        is_running=bool(last and last.finished_at is None),
        last=_run_view(last) if last else None,
    )


def _run_view(run: JobRun) -> RunView:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    return RunView(run.started_at, seconds, run.result, run.error)
