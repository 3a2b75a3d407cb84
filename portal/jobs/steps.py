"""Which service does one item of each kind of work, and which one counts what is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.core import work
from portal.jobs.chores import run_next_chore
from portal.services import (
    answers,
    checks,
    escalation,
    jobs,
    mail_authorize,
    mail_claims,
    mail_fetch,
    mail_intake,
    mail_outbox,
    mail_test,
    notifications,
    triage,
)
from portal.services.context import Context


@dataclass(frozen=True)
class Times:
    """One moment on both clocks, for counting."""

    now: datetime
    lease_now: datetime


@dataclass(frozen=True)
class Work:
    """`step` claims and does one due item, False when there is none. `count_due` counts due, unclaimed rows."""

    step: Callable[[Context], bool]
    count_due: Callable[[Context, Session, Times], int]


def _chores(kind: str) -> Work:
    return Work(
        lambda context: run_next_chore(context, kind),
        lambda context, session, times: jobs.count_due_jobs(context, session, kind),
    )


WORK: Mapping[str, Work] = {
    work.TRIAGE: Work(triage.triage_next, lambda context, session, t: triage.count_untriaged(session)),
    work.PAGES: Work(escalation.step_next, lambda context, session, t: escalation.count_due_pages(session, now=t.now)),
    work.NOTIFY: Work(
        notifications.send_next,
        lambda context, session, t: notifications.count_due_notifications(session, now=t.now, lease_now=t.lease_now),
    ),
    work.TEXTS: Work(answers.handle_next, lambda context, session, t: answers.count_due_texts(session, context)),
    work.URGENT_CHORES: _chores(work.URGENT_CHORES),
    work.MAIL_INTAKE: Work(
        mail_intake.take_next, lambda context, session, t: mail_intake.count_due_mails(session, now=t.now)
    ),
    work.MAIL_FETCH: Work(
        mail_fetch.fetch_next,
        lambda context, session, t: mail_claims.count_due_mailboxes(session, now=t.now, lease_now=t.lease_now),
    ),
    work.MAIL_OUT: Work(
        mail_outbox.send_next,
        lambda context, session, t: mail_outbox.count_due_outgoing(session, now=t.now, lease_now=t.lease_now),
    ),
    work.CHECKS: Work(
        lambda context: checks.check_next(
            context,
            {mail_authorize.SIGN_IN: mail_authorize.try_sign_in, mail_test.TEST_MAIL: mail_test.try_test_mail},
        ),
        lambda context, session, t: checks.count_due_checks(session, lease_now=t.lease_now),
    ),
    work.CHORES: _chores(work.CHORES),
}


def count_due(context: Context) -> dict[str, int]:
    """Kind -> due, unclaimed rows, most urgent first. All in one read transaction."""
    times = Times(context.clock.now(), context.clock.lease_now())
    with context.database.read_session() as session:
        return {kind: WORK[kind].count_due(context, session, times) for kind in work.all_kinds()}
