"""The scheduled jobs: what they are called, what they are for, and when each is due next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.core.errors import DomainError
from portal.core.work import CHORES, URGENT_CHORES

MINUTE, HOUR, DAY = 60, 3600, 86400
MAX_INTERVAL_S = 366 * DAY
KEPT_RUNS = 100


@dataclass(frozen=True)
class ScheduledJob:
    """A job of ours. `kind` says which worker runs it, `interval_s` the default wait, `least_s` the shortest."""

    name: str
    title: str
    help: str
    kind: str
    interval_s: int
    least_s: int = MINUTE


JOBS = (
    ScheduledJob(
        "page_audit",
        "Check that every page went out",
        "Compares what should have been sent with what was, and raises an alarm on the dashboard for the difference.",
        URGENT_CHORES,
        MINUTE,
        least_s=15,
    ),
    ScheduledJob(
        "hand_off",
        "Write hand-off cards",
        "Tells whoever comes on duty what is open, what happened before, and who is next: by mail and by text.",
        URGENT_CHORES,
        MINUTE,
    ),
    ScheduledJob(
        "swaps",
        "End requests for swaps",
        "Tells whoever asked a colleague to take a duty that it began without an answer, so that it stays theirs.",
        CHORES,
        MINUTE,
    ),
    ScheduledJob(
        "mail_audit",
        "Check that every mail has a verdict",
        "Raises an alarm when a mail waits for its verdict, a mailbox is not read or its secret expires.",
        CHORES,
        MINUTE,
    ),
    ScheduledJob(
        "mail_reconcile",
        "Compare mailboxes with what was taken in",
        "Lists what arrived in the last two days and takes in whatever was missed, oldest first.",
        CHORES,
        HOUR,
        least_s=5 * MINUTE,
    ),
    ScheduledJob(
        "roster_check",
        "Check the rosters",
        "Looks twelve months ahead for gaps, missing phones, undecided holidays and more, and mails what it finds to "
        "managers and administrators: from Monday 08:00 on, once a week, and only when there is something to say.",
        CHORES,
        HOUR,
    ),
    ScheduledJob(
        "holiday_feeds",
        "Read calendars of holidays",
        "Reads the calendars on the web that propose holidays, each once a day, and again sooner where that failed.",
        CHORES,
        15 * MINUTE,
        least_s=MINUTE,
    ),
    ScheduledJob(
        "close_resolved",
        "Close resolved tickets",
        "Closes tickets that have been resolved for as many days as the setting says.",
        CHORES,
        HOUR,
    ),
    ScheduledJob(
        "recount",
        "Compare the ticket counters",
        "Counts all tickets and mends the dashboard's counters where they differ. They should never differ.",
        CHORES,
        DAY,
        least_s=HOUR,
    ),
    ScheduledJob(
        "tidy",
        "Tidy up",
        "Removes used links, old sign-in attempts and old notes of forms, and lets the database tidy its indexes.",
        CHORES,
        DAY,
        least_s=HOUR,
    ),
)


def find_job(name: str) -> ScheduledJob:
    """The job of this name. Raises DomainError when there is none."""
    for job in JOBS:
        if job.name == name:
            return job
    raise DomainError("There is no such job.")


def check_interval(job: ScheduledJob, seconds: int) -> int:
    """The interval, if this job may have it. Raises DomainError."""
    if not job.least_s <= seconds <= MAX_INTERVAL_S:
        raise DomainError(f"Choose between {format_interval(job.least_s)} and {format_interval(MAX_INTERVAL_S)}.")
    return seconds


def plan_next_run(*, started_at: datetime, finished_at: datetime, interval_s: int) -> datetime:
    """When a job that ran is due again: one interval after its start, at once when it took longer than that."""
    return max(started_at + timedelta(seconds=interval_s), finished_at)


def split_interval(seconds: int) -> tuple[int, str]:
    """The interval as a number of its largest whole unit, for the form: (90, "second"), (5, "minute") ..."""
    for size, unit in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if seconds % size == 0 and seconds:
            return seconds // size, unit
    return seconds, "second"


def join_interval(number: int, unit: str) -> int:
    """Seconds of what `split_interval` gave. Raises DomainError for an unknown unit."""
    sizes = {"second": 1, "minute": MINUTE, "hour": HOUR, "day": DAY}
    if unit not in sizes:
        raise DomainError("Choose seconds, minutes, hours or days.")
    return number * sizes[unit]


def format_interval(seconds: int) -> str:
    """`5 minutes`, `1 day`."""
    number, unit = split_interval(seconds)
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
