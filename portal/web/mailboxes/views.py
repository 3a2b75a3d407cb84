"""The pages of the mailboxes. No server is called from here: the test button leaves a question for a worker."""

from __future__ import annotations

from flask import abort, g, render_template, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import MailboxRow
from portal.services.choices import load_choices
from portal.services.mailboxes import READ_KINDS, ask_check, delete_mailbox, list_mailboxes, save_mailbox
from portal.web.auth import requires
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.mailboxes import bp
from portal.web.mailboxes.forms import EditMailbox
from portal.web.state import change, context, now, write


@bp.get("")
@requires("mail.edit")
def index() -> str:
    """All mailboxes and how they are."""
    return render_partial("mailboxes/index.html", "mailboxes/_list.html", mailboxes=list_mailboxes(g.read))


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
def edit(mailbox_id: int) -> str:
    """One mailbox: its state, the test, its settings."""
    row = _load(mailbox_id)
    form = _make_form()
    form.fill(row)
    return _form(form, row)


@bp.post("/<int:mailbox_id>")
@requires("mail.edit")
def change_mailbox(mailbox_id: int) -> Response | tuple[str, int]:
    """Save the settings."""
    return _save(_make_form(), _load(mailbox_id))


@bp.post("/<int:mailbox_id>/check")
@requires("mail.edit")
def check(mailbox_id: int) -> Response | str:
    """Ask a worker to look at both servers."""
    _load(mailbox_id)
    with write() as uow:
        ask_check(uow, mailbox_id, change=change())
    if wants_partial():
        return render_template("mailboxes/_check.html", mailbox=_load(mailbox_id))
    return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id))


@bp.get("/<int:mailbox_id>/check")
@requires("mail.edit")
def check_result(mailbox_id: int) -> str:
    """What the worker has found; asks again by itself until it has."""
    row = _load(mailbox_id)
    return render_template("mailboxes/_check.html", mailbox=row) if wants_partial() else edit(mailbox_id)


@bp.get("/<int:mailbox_id>/remove")
@requires("mail.edit")
def confirm_remove(mailbox_id: int) -> str:
    """Ask before it is gone."""
    row = _load(mailbox_id)
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
    name = _load(mailbox_id).name
    with write() as uow:
        delete_mailbox(uow, mailbox_id, change=change())
    return saved(url_for("mailboxes.index"), f"{name} is removed.")


def _load(mailbox_id: int) -> MailboxRow:
    row = g.read.get(MailboxRow, mailbox_id, populate_existing=True)
    if row is None or row.kind not in READ_KINDS:
        abort(404)
    return row  # type: ignore[no-any-return]


def _make_form() -> EditMailbox:
    form = EditMailbox()
    form.offer_queues([(queue.id, queue.name) for queue in load_choices(g.read).queues])
    return form


def _form(form: EditMailbox, row: MailboxRow | None) -> str:
    return render_partial("mailboxes/edit.html", "mailboxes/_form.html", form=form, mailbox=row)


def _save(form: EditMailbox, row: MailboxRow | None) -> Response | tuple[str, int]:
    if not form.validate():
        return refused("mailboxes/edit.html", "mailboxes/_form.html", form=form, mailbox=row)
    try:
        with write() as uow:
            saved_row = save_mailbox(
                uow, form.as_mailbox(now=now()), box=context().box, change=change(), mailbox_id=row.id if row else None
            )
            mailbox_id, name = saved_row.id, saved_row.name
    except DomainError as error:
        form.form_errors = [str(error)]
        return refused("mailboxes/edit.html", "mailboxes/_form.html", form=form, mailbox=row)
    return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id), f"{name} is saved and read now.")
