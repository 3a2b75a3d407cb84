"""How one mailbox of any kind is, and what is asked of its worker: test it, begin to read it, compare it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import MailboxRow
from portal.services.mail_authorize import load_sign_in
from portal.services.mail_health import load_mailbox_health
from portal.services.mail_reconcile import ask_reconcile
from portal.services.mailbox_checks import LOOK_BACK_DAYS
from portal.services.mailboxes import READ_KINDS, ask_check, set_sent_folder, start_mailbox
from portal.web.auth import requires
from portal.web.htmx import saved, wants_partial
from portal.web.mailboxes import bp
from portal.web.state import change, now, site, write

_EVER = datetime(1970, 1, 2, tzinfo=UTC)


@bp.post("/<int:mailbox_id>/check")
@requires("mail.edit")
def check(mailbox_id: int) -> Response | str:
    """Ask a worker to look at both servers."""
    load_mailbox(mailbox_id)
    with write() as uow:
        ask_check(uow, mailbox_id, change=change())
    return _answer(mailbox_id)


@bp.get("/<int:mailbox_id>/check")
@requires("mail.edit")
def check_result(mailbox_id: int) -> Response | str:
    """How the mailbox is; asks again by itself while a worker is at it."""
    load_mailbox(mailbox_id)
    return _answer(mailbox_id)


@bp.post("/<int:mailbox_id>/start")
@requires("mail.edit")
def start(mailbox_id: int) -> Response | str:
    """The answer to "from when?"."""
    load_mailbox(mailbox_id)
    since = _since(request.form.get("days", "0"))
    return _try(mailbox_id, lambda uow: start_mailbox(uow, mailbox_id, read_from_at=since, change=change()))


@bp.post("/<int:mailbox_id>/sent")
@requires("mail.edit")
def sent(mailbox_id: int) -> Response | str:
    """Read the folder of sent mail that the test has found."""
    found = load_mailbox(mailbox_id).options.get("found", {}).get("sent", "")
    return _try(mailbox_id, lambda uow: set_sent_folder(uow, mailbox_id, folder=found, change=change()))


@bp.post("/<int:mailbox_id>/compare")
@requires("mail.edit")
def compare(mailbox_id: int) -> Response | str:
    """Ask the mailbox's worker to compare it with what was taken in."""
    load_mailbox(mailbox_id)
    with write() as uow:
        ask_reconcile(uow, now=now(), mailbox_id=mailbox_id)
    return _answer(mailbox_id)


def load_mailbox(mailbox_id: int) -> MailboxRow:
    """The mailbox as it stands now, or 404."""
    row = g.read.get(MailboxRow, mailbox_id, populate_existing=True)
    if row is None or row.kind not in READ_KINDS:
        abort(404)
    return row  # type: ignore[no-any-return]


def state_of(mailbox_id: int) -> dict[str, Any]:
    """What `mailboxes/_check.html` shows."""
    found = load_mailbox_health(g.read, site(), now=now(), counts_today=True)
    health = next(one for one in found if one.row.id == mailbox_id)
    sign_in = load_sign_in(g.read, health.row)
    return {"mailbox": health.row, "health": health, "look_back": LOOK_BACK_DAYS, "sign_in": sign_in}


def _try(mailbox_id: int, act: Any) -> Response | str:
    try:
        with write() as uow:
            act(uow)
    except DomainError as error:
        return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id), str(error), "bad")
    return _answer(mailbox_id)


def _answer(mailbox_id: int) -> Response | str:
    load_mailbox(mailbox_id)
    if wants_partial():
        return render_template("mailboxes/_check.html", **state_of(mailbox_id))
    return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id))


def _since(days: str) -> datetime | None:
    """None for "from now on", and for whatever was not offered."""
    if days == "all":
        return _EVER
    return now() - timedelta(days=int(days)) if days in map(str, LOOK_BACK_DAYS) else None
