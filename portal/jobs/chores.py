"""Scheduled jobs: which function each is, and running the next one that is due."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping

import structlog

from portal.core.errors import DomainError, GatewayError
from portal.services.audits import audit_pages
from portal.services.context import Context
from portal.services.hand_offs import write_hand_offs
from portal.services.holiday_feed_reading import read_feeds
from portal.services.jobs import claim_job, finish_job
from portal.services.mail_health import audit_mail
from portal.services.mail_reconcile import ask_reconcile
from portal.services.roster_lint import mail_roster_checks
from portal.services.swaps import end_swaps
from portal.services.upkeep import check_counters, close_resolved, tidy

log = structlog.get_logger(__name__)


def _reconcile(context: Context) -> str:
    """Each mailbox is compared by its own lane: a slow server holds up no other job. Its page shows what was found."""
    with context.database.unit_of_work() as uow:
        asked = ask_reconcile(uow, now=context.clock.now())
    return f"{asked} mailbox{'' if asked == 1 else 'es'} being compared; the page of each shows what was found."


# Each returns one line about what it did; it is shown on the jobs page.
CHORES: Mapping[str, Callable[[Context], str]] = {
    "page_audit": audit_pages,
    "hand_off": write_hand_offs,
    "swaps": end_swaps,
    "mail_audit": audit_mail,
    "mail_reconcile": _reconcile,
    "holiday_feeds": read_feeds,
    "roster_check": mail_roster_checks,
    "close_resolved": close_resolved,
    "recount": check_counters,
    "tidy": tidy,
}


def run_next_chore(context: Context, kind: str) -> bool:
    """Run the scheduled job of this kind that is due longest. False when none is."""
    claimed = claim_job(context, kind, owner=f"{socket.gethostname()}:{os.getpid()}")
    if claimed is None:
        return False
    with structlog.contextvars.bound_contextvars(job=claimed.name):
        try:
            finish_job(context, claimed, result=CHORES[claimed.name](context))
        except (DomainError, GatewayError) as error:
            finish_job(context, claimed, error=str(error))
        except Exception as error:  # a job with a bug must not stop the others, and its page must say so
            log.exception("a scheduled job failed")
            finish_job(context, claimed, error=f"{type(error).__name__}. The log says more.")
    return True
