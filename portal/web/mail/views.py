"""The pages of the ledger."""

from __future__ import annotations

from flask import Response as FlaskResponse
from flask import abort, flash, g, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.services import mail_ledger, mail_suspensions
from portal.services.mail_intake import count_unexplained, retry_quarantined
from portal.services.mail_ledger import LedgerFilter
from portal.services.mailboxes import list_mailboxes
from portal.web.auth import may, requires
from portal.web.htmx import render_partial, saved
from portal.web.mail import bp
from portal.web.state import change, now, write

LABELS = {
    "": "All",
    "ticket": "Tickets",
    "reply": "Replies",
    "automatic": "Automatic",
    "bounce": "Bounces",
    "ignored": "Ignored",
    "duplicate": "Duplicates",
    "quarantined": "Quarantine",
    "waiting": "Waiting",
}


@bp.get("")
@requires("mail.view")
def index() -> str:
    """Every message, newest first."""
    verdict = request.args.get("verdict", "")
    verdict = verdict if verdict in LABELS else ""
    wanted = LedgerFilter(verdict, request.args.get("before", type=int), request.args.get("after", type=int))
    page = mail_ledger.load_ledger_page(g.read, wanted)
    return render_partial(
        "mail/index.html",
        "mail/_list.html",
        ledger=page,
        verdict=verdict,
        labels=LABELS,
        mailboxes=list_mailboxes(g.read),
        unexplained=count_unexplained(g.read, now=now()),
        waiting=mail_ledger.count_waiting(g.read),
        quarantined=mail_ledger.count_quarantined(g.read),
        suspended=mail_suspensions.list_suspended(g.read),
        may_edit=may("mail.edit"),
    )


@bp.get("/<int:ledger_id>")
@requires("mail.view")
def show(ledger_id: int) -> str:
    """One message: where it came from, its verdict and why."""
    found = mail_ledger.load_ledger_row(g.read, ledger_id)
    if found is None:
        abort(404)
    row, mailbox = found
    subject = mail_ledger.load_ticket_subject(g.read, row.ticket_id)
    return render_partial(
        "mail/show.html", "mail/_row.html", row=row, mailbox=mailbox, ticket_subject=subject, may_edit=may("mail.edit")
    )


@bp.get("/<int:ledger_id>/original")
@requires("mail.view")
def original(ledger_id: int) -> FlaskResponse:
    """The message as it came, to keep or to open in a mail program. Never shown in the browser."""
    raw = mail_ledger.load_original(g.read, ledger_id)
    if raw is None:
        abort(404)
    response = FlaskResponse(raw, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{ledger_id}.eml"'
    return response


@bp.post("/<int:ledger_id>/retry")
@requires("mail.edit")
def retry(ledger_id: int) -> Response:
    """Try a mail in quarantine once more."""
    with write() as uow:
        is_tried = retry_quarantined(uow, ledger_id, now=now())
    if not is_tried:
        flash("This mail is not in quarantine any more.", "warn")
        return saved(url_for("mail.show", ledger_id=ledger_id))
    return saved(url_for("mail.show", ledger_id=ledger_id), "It is tried again now.")


@bp.post("/<int:ledger_id>/ignore")
@requires("mail.edit")
def ignore(ledger_id: int) -> Response:
    """Set a mail in quarantine aside. Its original stays."""
    try:
        with write() as uow:
            mail_ledger.ignore_quarantined(uow, ledger_id, change=change())
    except DomainError as error:
        return saved(url_for("mail.show", ledger_id=ledger_id), str(error), "warn")
    return saved(url_for("mail.show", ledger_id=ledger_id), "The mail is set aside. Its original stays here.")


@bp.post("/resume")
@requires("mail.edit")
def resume() -> Response:
    """Send mail to an address again although one came back."""
    email = request.form.get("email", "")
    try:
        with write() as uow:
            mail_suspensions.resume_address(uow, email, change=change())
    except DomainError as error:
        return saved(url_for("mail.index"), str(error), "warn")
    return saved(url_for("mail.index"), f"Mail to {email} goes out again.")
