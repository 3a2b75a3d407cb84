"""See how it goes, add something, say that it works again or still does not."""

from __future__ import annotations

import base64

from flask import Response, abort, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from portal.core.calendars import is_open
from portal.core.errors import DomainError
from portal.core.promises import promise_answer
from portal.core.uploads import Upload
from portal.models import Ticket
from portal.services import requester_page
from portal.services.form import DECLARED
from portal.services.form_posts import TooManyPostsError
from portal.services.links import find_by_link, private_mark
from portal.services.merged import ticket_for_link
from portal.services.ticket_times import hours_of_queue
from portal.services.ticket_view import read_attachment
from portal.web.auth import public
from portal.web.htmx import saved
from portal.web.state import context, now, reads, site, write
from portal.web.status import bp
from portal.web.status.forms import ReplyForm
from portal.web.uploads import download, read_uploads, sent_names

_STALE = "This page was open in another session, so your message was not sent. Please press Send once more."


@bp.get("")
@public
def show(mark: str) -> Response:
    """What was said, where it stands, what the requester can do."""
    form = ReplyForm()
    form.key.data = base64.b32encode(context().random.token(15)).decode().lower()
    return _page(mark, form)


@bp.post("/reply")
@public
def reply(mark: str) -> Response | BaseResponse:
    """More words. Of a ticket that had ended it makes an open one."""
    _find(reads(), mark)
    form = ReplyForm()
    try:
        files = read_uploads("files")
        if not form.validate():
            return _page(mark, form, 422)
        return _send(mark, form, files)
    except DomainError as error:
        form.body.errors = [*form.body.errors, str(error)]
        return _page(mark, form, 429 if isinstance(error, TooManyPostsError) else 422)


@bp.post("/close")
@public
def close(mark: str) -> BaseResponse:
    """It works again."""
    with write() as uow:
        requester_page.close_by_link(context(), uow, _find(uow.session, mark))
    return saved(url_for("status.show", mark=mark), "Good to hear. Your request is closed.")


@bp.post("/rate")
@public
def rate(mark: str) -> BaseResponse:
    """How content the requester is, 1 to 5."""
    rating = request.form.get("rating", "")
    if rating not in ("1", "2", "3", "4", "5"):
        abort(400, "Please choose a number from 1 to 5.")
    with write() as uow:
        requester_page.rate_by_link(context(), uow, _find(uow.session, mark), int(rating))
    return saved(url_for("status.show", mark=mark), "Thank you for telling us.")


@bp.post("/emergency")
@public
def declare(mark: str) -> BaseResponse:
    """It cannot wait after all. The price is the one the button showed."""
    price = request.form.get("price", "")
    page = url_for("status.show", mark=mark)
    if price != site().form_price:
        return saved(page, "The price has changed since you opened this page. Please look at it once more.", "warn")
    with write() as uow:
        requester_page.declare_emergency(context(), uow, _find(uow.session, mark), price=price)
    return saved(page, "It is noted as an emergency.")


@bp.get("/files/<int:file_id>")
@public
def file(mark: str, file_id: int) -> Response:
    """A file of the conversation, as a download."""
    found = requester_page.find_public_file(reads(), _find(reads(), mark).id, file_id)
    if found is None:
        abort(404)
    return download(found.filename, found.size, read_attachment(reads(), found))


@bp.errorhandler(CSRFError)
def show_again(error: CSRFError) -> Response:
    """The session ended while the page was open: with a fresh token and every word."""
    mark = (request.view_args or {})["mark"]
    if find_by_link(reads(), mark, box=context().box) is None:  # nothing to show; a 404 raised here would become a 500
        page = render_template("errors/error.html", code=400, title="That did not work", text=_STALE)
        return make_response(page, 400)
    form = ReplyForm()
    form.body.errors = [_STALE]
    return _page(mark, form, 400)


@bp.after_request
def hide(response: Response) -> Response:
    """A link that somebody posted somewhere must not end in a search engine."""
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _find(session: Session, mark: str) -> Ticket:
    ticket = find_by_link(session, mark, box=context().box)
    if ticket is None:
        abort(404, "This link does not lead anywhere. It may be incomplete, or a newer one has replaced it.")
    return ticket_for_link(session, ticket)


def _send(mark: str, form: ReplyForm, files: tuple[Upload, ...]) -> BaseResponse:
    sent = requester_page.Reply(form.key.data or "", request.remote_addr or "", form.body.data or "", files)
    with write() as uow:
        ticket = _find(uow.session, mark)
        goes_to = requester_page.reply_by_link(context(), uow, ticket, sent)
        target = private_mark(goes_to, box=context().box)
    if target != mark:
        return saved(url_for("form.sent", mark=target))
    return saved(url_for("status.show", mark=mark, _anchor="end"), "We have your message.")


def _page(mark: str, form: ReplyForm, status: int = 200) -> Response:
    ticket = _find(reads(), mark)
    names = sent_names("files") if request.method == "POST" else []
    if names:
        form.files.errors = [f"Please choose your files again: {', '.join(names)}."]
    settings = site()
    hours = hours_of_queue(reads(), ticket.queue_id)
    is_closed = not is_open(hours, now())
    page = render_template(
        "status/show.html",
        form=form,
        ticket=ticket,
        mark=mark,
        messages=requester_page.load_public_messages(reads(), ticket.id),
        waking=requester_page.find_waking(reads(), ticket.id),
        promise=promise_answer(hours, now=now(), is_paged=False),
        may_reply=requester_page.may_reply(ticket, reopen_days=settings.mail_reopen_days, now=now()),
        may_declare=is_closed and settings.form_emergency and ticket.is_open and ticket.emergency != DECLARED,
    )
    return make_response(page, status)
