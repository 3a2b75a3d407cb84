"""Mailboxes at Microsoft 365, and signing in by OAuth for any mailbox. A worker speaks to the provider, no page."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import MailboxRow
from portal.services.choices import load_choices
from portal.services.mail_authorize import begin_sign_in, finish_sign_in, load_sign_in
from portal.services.mailboxes import GRAPH, is_started
from portal.services.mailboxes_graph import save_graph_mailbox
from portal.web.auth import requires
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.mailboxes import bp
from portal.web.mailboxes.graph_forms import EditGraphMailbox
from portal.web.mailboxes.state_views import load_mailbox, state_of
from portal.web.state import change, context, write

_PAGE, _PARTIAL = "mailboxes/graph_edit.html", "mailboxes/_graph_form.html"


@bp.get("/new/microsoft")
@requires("mail.edit")
def new_graph() -> str:
    """The empty form for a mailbox at Microsoft 365."""
    return render_partial(_PAGE, _PARTIAL, form=_make_form(), **_shown(None))


@bp.post("/new/microsoft")
@requires("mail.edit")
def add_graph() -> Response | tuple[str, int]:
    """Add it; it is read at once, or after somebody signed in."""
    return _save(_make_form(), None)


@bp.get("/<int:mailbox_id>/microsoft")
@requires("mail.edit")
def edit_graph(mailbox_id: int) -> str:
    """One mailbox at Microsoft 365: its state, the sign-in, its settings."""
    row = _load_graph(mailbox_id)
    form = _make_form()
    form.fill(row)
    return render_partial(_PAGE, _PARTIAL, form=form, **_shown(row))


@bp.post("/<int:mailbox_id>/microsoft")
@requires("mail.edit")
def change_graph(mailbox_id: int) -> Response | tuple[str, int]:
    """Save its settings."""
    return _save(_make_form(), _load_graph(mailbox_id))


@bp.get("/<int:mailbox_id>/sign-in")
@requires("mail.edit")
def sign_in(mailbox_id: int) -> Response | str:
    """How signing in stands; asks again by itself while a worker is at it."""
    load_mailbox(mailbox_id)
    return _answer(mailbox_id)


@bp.post("/<int:mailbox_id>/sign-in")
@requires("mail.edit")
def begin(mailbox_id: int) -> Response | str:
    """Ask for a link or a code."""
    return _try(mailbox_id, lambda uow: begin_sign_in(uow, mailbox_id, change=change()))


@bp.post("/<int:mailbox_id>/sign-in/finish")
@requires("mail.edit")
def finish(mailbox_id: int) -> Response | str:
    """The pasted address, or that the code was typed."""
    answer = request.form.get("answer", "")[:8000]
    return _try(
        mailbox_id,
        lambda uow: finish_sign_in(uow, mailbox_id, answer=answer, box=context().box, change=change()),
    )


def _try(mailbox_id: int, work: Any) -> Response | str:
    load_mailbox(mailbox_id)
    try:
        with write() as uow:
            work(uow)
    except DomainError as error:
        return _answer(mailbox_id, str(error))
    return _answer(mailbox_id)


def _answer(mailbox_id: int, refusal: str = "") -> Response | str:
    row = load_mailbox(mailbox_id)
    if wants_partial():
        view = load_sign_in(g.read, row)
        return render_template("mailboxes/_sign_in.html", mailbox=row, sign_in=view, refusal=refusal)
    return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id), refusal, "bad")


def _load_graph(mailbox_id: int) -> MailboxRow:
    row = load_mailbox(mailbox_id)
    if row.kind != GRAPH:
        abort(404)
    return row


def _make_form() -> EditGraphMailbox:
    form = EditGraphMailbox()
    form.offer_queues([(queue.id, queue.name) for queue in load_choices(g.read).queues])
    return form


def _shown(row: MailboxRow | None) -> dict[str, Any]:
    return state_of(row.id) if row else {"mailbox": None}


def _save(form: EditGraphMailbox, row: MailboxRow | None) -> Response | tuple[str, int]:
    if not form.validate():
        return refused(_PAGE, _PARTIAL, form=form, **_shown(row))
    try:
        with write() as uow:
            kept = save_graph_mailbox(
                uow,
                form.as_mailbox(row),
                form.as_place(),
                box=context().box,
                change=change(),
                mailbox_id=row.id if row else None,
            )
            words = "read now" if kept.is_enabled else "tested now" if not is_started(kept) else "not read"
            mailbox_id, name = kept.id, kept.name
    except DomainError as error:
        form.form_errors = [str(error)]
        return refused(_PAGE, _PARTIAL, form=form, **_shown(row))
    return saved(url_for("mailboxes.edit_graph", mailbox_id=mailbox_id), f"{name} is saved and {words}.")
