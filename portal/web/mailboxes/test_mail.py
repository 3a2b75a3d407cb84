"""The button that sends a test mail to whoever presses it."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import MailboxRow
from portal.services.mail_test import ask_test_mail, load_test_mail
from portal.web.auth import requires
from portal.web.htmx import saved, wants_partial
from portal.web.mailboxes import bp
from portal.web.state import change, write


@bp.context_processor
def _test_mail() -> dict[str, Any]:
    """The part of the mailbox page that this module brings asks for its own state."""
    return {"load_test_mail": lambda mailbox_id: load_test_mail(g.read, mailbox_id, current_user.id)}


@bp.post("/<int:mailbox_id>/test-mail")
@requires("mail.edit")
def send_test_mail(mailbox_id: int) -> Response | str:
    """Ask a worker for a test mail to the person signed in."""
    try:
        with write() as uow:
            ask_test_mail(uow, mailbox_id, change=change())
    except DomainError:
        abort(404)
    return _show(mailbox_id)


@bp.get("/<int:mailbox_id>/test-mail")
@requires("mail.edit")
def test_mail_result(mailbox_id: int) -> Response | str:
    """What the server said; asks again by itself until it has."""
    return _show(mailbox_id)


def _show(mailbox_id: int) -> Response | str:
    mailbox = g.read.get(MailboxRow, mailbox_id) or abort(404)
    if wants_partial():
        return render_template("mailboxes/_test_mail.html", mailbox=mailbox)
    return saved(url_for("mailboxes.edit", mailbox_id=mailbox_id, _anchor="mailbox-test-mail"))
