"""Which service does one item of each kind of work, and which one counts what is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.core import work
from portal.jobs.chores import run_next_chore
from portal.services import answers, escalation, jobs, notifications
from portal.services.context import Context


@dataclass(frozen=True)
class Work:
    """`step` claims and does one due item, False when there is none. `count_due` counts due, unclaimed rows."""

    step: Callable[[Context], bool]
    count_due: Callable[[Context, Session], int]


def _chores(kind: str) -> Work:
    return Work(
        lambda context: run_next_chore(context, kind),
        lambda context, session: jobs.count_due_jobs(context, session, kind),
    )


WORK: Mapping[str, Work] = {
    work.PAGES: Work(
        escalation.step_next, lambda context, session: escalation.count_due_pages(session, now=context.clock.now())
    ),
    work.NOTIFY: Work(
        notifications.send_next,
        lambda context, session: notifications.count_due_notifications(
            session, now=context.clock.now(), lease_now=context.clock.lease_now()
        ),
    ),
    work.TEXTS: Work(answers.handle_next, lambda context, session: answers.count_due_texts(session, context)),
    work.URGENT_CHORES: _chores(work.URGENT_CHORES),
    work.CHORES: _chores(work.CHORES),
}


def count_due(context: Context) -> dict[str, int]:
    """Kind -> due, unclaimed rows. All in one read transaction."""
    with context.database.read_session() as session:
        return {kind: entry.count_due(context, session) for kind, entry in WORK.items()}
