"""The dashboard. It shows itself again every 30 seconds where JavaScript runs."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

from portal.core.schedule import JOBS
from portal.core.tickets import PRIORITIES
from portal.services.dashboard import (
    PAGES,
    load_activity,
    load_jobs_state,
    load_on_call,
    load_open_pages,
    load_open_tickets,
)
from portal.services.mail_health import load_mailbox_health
from portal.services.mail_intake import count_unexplained
from portal.services.readiness import Readiness, load_readiness
from portal.web.auth import may_visit, requires
from portal.web.dashboard import bp
from portal.web.dashboard.activity import describe
from portal.web.htmx import render_partial
from portal.web.state import now, reads, site

_TITLES = {job.name: job.title for job in JOBS}


@bp.get("/dashboard")
@requires("dashboard.view")
def show() -> str:
    """Ten statements at most, whatever the number of tickets."""
    session, settings, at = reads(), site(), now()
    readiness = load_readiness(session, settings, now=at)
    return render_partial(
        "dashboard/show.html",
        "dashboard/_panels.html",
        tickets=load_open_tickets(session),
        on_call=load_on_call(session, now=at),
        pages=load_open_pages(session),
        most_pages=PAGES,
        unexplained=count_unexplained(session, now=at),
        mailboxes=load_mailbox_health(session, settings, now=at),
        readiness=readiness,
        places=_places(readiness),
        jobs=load_jobs_state(session),
        titles=_TITLES,
        activity=[describe(one) for one in load_activity(session)],
        priorities=PRIORITIES,
    )


def _places(readiness: Readiness) -> dict[str, str]:
    """The address to set each missing thing up at, for those who may."""
    known = current_app.view_functions
    wanted = [item for item in readiness.items if not item.is_done and item.endpoint in known]
    return {
        item.key: url_for(item.endpoint, **dict[str, Any](item.values)) for item in wanted if may_visit(item.endpoint)
    }
