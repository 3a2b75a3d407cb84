"""The pages of the mailboxes. No server is called from here: the test button leaves a question for a worker."""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import MailboxRow
from portal.services.choices import load_choices
from portal.services.mail_health import load_mailbox_health
from portal.services.mailboxes import GRAPH, delete_mailbox, is_started, save_mailbox
from portal.web.auth import requires
from portal.web.htmx import refused, render_partial, saved
from portal.web.mailboxes import bp
from portal.web.mailboxes.forms import EditMailbox
from portal.web.mailboxes.state_views import load_mailbox, state_of
from portal.web.state import change, context, now, site, write


@bp.get("")
@requires("mail.edit")
def index() -> str:
    """All mailboxes and how they are."""
    found = load_mailbox_health(g.read, site(), now=now(), counts_today=True)
    queues = {queue.id: queue.name for queue in load_choices(g.read).queues}
    return render_partial("mailboxes/index.html", "mailboxes/_list.html", mailboxes=found, queues=queues)


@bp.get("/new")
@requires("mail.edit")
def new() -> str:
    """The empty form."""
    return _form(_make_form(), None)


@bp.post("/new")
@requires("mail.edit")
def add() -> Response | tuple[str, int]:
    """Add a mailbox; it is read at once."""
    return _save(_make_form(), None)


@bp.get("/<int:mailbox_id>")
@requires("mail.edit")
def edit(mailbox_id: int) -> Response | str:
    """One mailbox: its state, the test, its settings."""
    row = load_mailbox(mailbox_id)
    if row.kind == GRAPH:
        return redirect(url_for("mailboxes.edit_graph", mailbox_id=mailbox_id))
    form = _make_form()
    form.fill(row)
    return _form(form, row)


@bp.post("/<int:mailbox_id>")
@requires("mail.edit")
def change_mailbox(mailbox_id: int) -> Response | tuple[str, int]:
    """Save the settings."""
    row = load_mailbox(mailbox_id)
    if row.kind == GRAPH:
        abort(404)
    return _save(_make_form(), row)


@bp.get("/<int:mailbox_id>/remove")
@requires("mail.edit")
def confirm_remove(mailbox_id: int) -> str:
    """Ask before it is gone."""
    row = load_mailbox(mailbox_id)
    return render_partial(
        "confirm.html",
        "_confirm.html",
        title=f"Remove {row.name}?",
        text="It is not read any more and its passwords are deleted. What came by it stays.",
        url=url_for("mailboxes.remove", mailbox_id=row.id),
        yes="Remove",
        cancel_url=url_for("mailboxes.edit", mailbox_id=row.id),
        kind="danger",
        fields={},
    )


@bp.post("/<int:mailbox_id>/remove")
@requires("mail.edit")
def remove(mailbox_id: int) -> Response:
    """Stop reading it."""
    name = load_mailbox(mailbox_id).name
    with write() as uow:
        delete_mailbox(uow, mailbox_id, change=change())
    return saved(url_for("mailboxes.index"), f"{name} is removed.")


def _make_form() -> EditMailbox:
    form = EditMailbox()
    form.offer_queues([(queue.id, queue.name) for queue in load_choices(g.read).queues])
    return form


def _form(form: EditMailbox, row: MailboxRow | None) -> str:
    return render_partial("mailboxes/edit.html", "mailboxes/_form.html", form=form, **_shown(row))


def _shown(row: MailboxRow | None) -> dict[str, Any]:
    return state_of(row.id) if row else {"mailbox": None}


def _refused(form: EditMailbox, row: MailboxRow | None) -> tuple[str, int]:
    return refused("mailboxes/edit.html", "mailboxes/_form.html", form=form, **_shown(row))


def _save(form: EditMailbox, row: MailboxRow | None) -> Response | tuple[str, int]:
    if not form.validate():
        return _refused(form, row)
    try:
        with write() as uow:
            mailbox_id = row.id if row else None
            kept = save_mailbox(uow, form.as_mailbox(row), box=context().box, change=change(), mailbox_id=mailbox_id)
            words = "read now" if kept.is_enabled else "tested now" if not is_started(kept) else "not read"
            mailbox_id, name = kept.id, kept.name
    except DomainError as error:
        form.form_errors = [str(error)]
        return _refused(form, row)
    return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id), f"{name} is saved and {words}.")
