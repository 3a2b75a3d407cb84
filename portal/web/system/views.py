"""What runs, the restart, and `/healthz`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from flask import abort, current_app, g, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.services.restarts import RestartState, ask_restart, find_restart, last_restart
from portal.services.status import schema_version
from portal.web.auth import public, requires
from portal.web.htmx import render_partial
from portal.web.state import change, database, write
from portal.web.system import bp

_DOES = {
    "web": "Serves the pages",
    "worker-urgent": "Triage and texts",
    "worker-outside": "Mail and scheduled jobs",
    "queue": "Wakes the workers at once",
}


@dataclass(frozen=True)
class ProcessLine:
    """A process as the page shows it."""

    role: str
    does: str
    pid: int
    started_at: datetime
    restarts: int


@bp.get("/healthz")
@public
def healthz() -> tuple[dict[str, str], int]:
    """For a monitor: 200 while the database answers."""
    try:
        g.read.execute(text("SELECT 1"))
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return {"status": "the database does not answer"}, 503
    return {"status": "ok"}, 200


@bp.get("/system")
@requires("system.restart")
def show() -> str:
    """Processes, versions, and the way to the restart."""
    return render_template(
        "system/show.html",
        run=_processes(),
        can_restart=_can_restart(),
        last=last_restart(g.read),
        version=version("nightdesk"),
        engine="SQLite" if database().is_sqlite else "PostgreSQL",
        schema=schema_version(g.read),
    )


@bp.get("/system/restart")
@requires("system.restart")
def confirm_restart() -> str:
    """The question before the restart."""
    if not _can_restart():
        abort(404)
    return render_template(
        "confirm.html",
        title="Restart Nightdesk?",
        text="Web pages and workers start anew. It takes a few seconds; whoever asks for a page meanwhile waits, "
        "and nothing is lost.",
        url=url_for("system.restart"),
        yes="Restart",
        kind="primary",
        cancel_url=url_for("system.show"),
    )


@bp.post("/system/restart")
@requires("system.restart")
def restart() -> Response:
    """Ask the supervisor to replace web and workers."""
    if not _can_restart():
        abort(404)
    with write() as uow:
        restart_id = ask_restart(uow, change=change(), actor=current_user.name)
    return redirect(url_for("system.show_restart", restart_id=restart_id), code=303)


@bp.get("/system/restart/<int:restart_id>")
@requires("system.restart")
def show_restart(restart_id: int) -> str:
    """How far it is. The element asks again by itself, also of the new processes."""
    return render_partial("system/restart.html", "system/_restart.html", restart=_find(restart_id))


def _find(restart_id: int) -> RestartState:
    try:
        return find_restart(g.read, restart_id)
    except DomainError:
        abort(404)


def _can_restart() -> bool:
    """Only under our own supervisor (portal/runtime/web.py says so)."""
    return bool(current_app.config["CAN_RESTART"])


def _processes() -> Sequence[ProcessLine]:
    load: Callable[[], Any] | None = current_app.config.get("LOAD_PROCESSES")
    return [
        ProcessLine(p.role, _what(p.role), p.pid, datetime.fromisoformat(p.started_at), p.restarts)
        for p in (load() if load else ())
    ]


def _what(role: str) -> str:
    return _DOES.get(role) or _DOES.get(role.split("-")[0], "")
