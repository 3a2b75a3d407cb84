"""The form, and the answer to it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError

from portal.core.calendars import holiday_at, is_open
from portal.core.errors import DomainError
from portal.core.promises import format_opening, promise_answer
from portal.services.calendars import load_hours
from portal.services.form import DECLARED, take_request
from portal.services.form_posts import TooManyPostsError
from portal.services.links import find_by_link, private_link, private_mark
from portal.services.requester_page import TELLING, find_waking
from portal.services.ticket_times import hours_of_queue
from portal.web.auth import public
from portal.web.form import bp
from portal.web.form.forms import OWNER_FIELDS, RequestForm, make_request_form
from portal.web.form.owner import forget_owner, load_owner, save_owner
from portal.web.htmx import render_partial
from portal.web.state import context, now, reads, site, write
from portal.web.uploads import read_uploads, sent_names

_FROM_LINK = ("name", "email", "phone", "department", "device", "subject")
_MOST_LOOKS = 20
_STALE = (
    "This page was open in another session, so it was not sent. Nothing is lost: please press Send once more. "
    "If this comes back, allow cookies for this site."
)
_NEW_PRICE = "The price has changed since you opened this page. Please look at it and choose again."


@dataclass(frozen=True)
class Closed:
    """The shop is closed: when it opens again ("" unknown), and the holiday, "" on other days."""

    opening: str
    holiday: str


@bp.route("/", methods=["GET", "POST"])
@public
def show() -> Response:
    """Ask for help. A post with `act=forget` empties the owner's fields and keeps the rest."""
    form = make_request_form(site().form_departments)
    if request.method == "GET":
        _fill(form)
        return _page(form)
    if request.form.get("act") == "forget":
        return _forget(form)
    try:
        files = read_uploads("files")
    except DomainError as error:
        form.validate()
        form.files.errors = [*form.files.errors, str(error)]
        return _page(form, 422)
    if not form.validate() or _has_new_price(form):
        return _page(form, 422)
    try:
        with write() as uow:
            sent = form.read(sender=request.remote_addr or "", files=files)
            mark = private_mark(take_request(context(), uow, sent), box=context().box)
    except TooManyPostsError as error:
        form.form_errors = [*form.form_errors, str(error)]
        return _page(form, 429)
    return _remember(form, mark)


@bp.errorhandler(CSRFError)
def show_again(error: CSRFError) -> Response:
    """The session ended while the form was open: with a fresh token and every word."""
    form = make_request_form(site().form_departments)
    form.form_errors = [_STALE]
    return _page(form, 400)


@bp.get("/sent/<mark>")
@public
def sent(mark: str) -> str:
    """The number, when somebody will look, and the private link. Looks again by itself while somebody is being told."""
    ticket = find_by_link(reads(), mark, box=context().box)
    if ticket is None:
        abort(404)
    hours = hours_of_queue(reads(), ticket.queue_id)
    waking = find_waking(reads(), ticket.id)
    looks = request.args.get("n", 0, type=int)
    is_decided = ticket.triaged_at is not None and waking != TELLING
    is_settled = is_open(hours, now()) or is_decided or looks >= _MOST_LOOKS
    return render_partial(
        "form/sent.html",
        "form/_promise.html",
        ticket=ticket,
        mark=mark,
        link=private_link(ticket, box=context().box, site_url=context().site_url),
        waking=waking,
        promise=promise_answer(hours, now=now(), is_paged=False),
        closed=_closed(),
        next_look=None if is_settled else url_for("form.sent", mark=mark, n=looks + 1),
    )


def _fill(form: RequestForm) -> None:
    """A link fills the fields, then the cookie of the browser's owner."""
    owner = load_owner()
    wanted = {**owner, **{name: request.args[name] for name in _FROM_LINK if name in request.args}}
    if "mail" in request.args:
        wanted["email"] = request.args["mail"]
    for name, value in wanted.items():
        if name in form and not (name == "department" and not _has_choice(form, value)):
            form[name].data = value
    form.key.data = base64.b32encode(context().random.token(15)).decode().lower()


def _has_choice(form: RequestForm, name: str) -> bool:
    choices = getattr(form.department, "choices", None)
    return choices is None or any(name == choice.value for choice in choices)


def _forget(form: RequestForm) -> Response:
    for name in OWNER_FIELDS:
        form[name].data = ""
    response = _page(form)
    forget_owner(response)
    return response


def _has_new_price(form: RequestForm) -> bool:
    """The consent is to a price, so it must be the one that holds."""
    price = site().form_price
    if form.emergency.data != DECLARED or (form.price.data or "") == price:
        return False
    form.emergency.errors = [*form.emergency.errors, _NEW_PRICE]
    form.emergency.data = None
    return True


def _remember(form: RequestForm, mark: str) -> Response:
    response = make_response(redirect(url_for("form.sent", mark=mark), code=303))
    if form.remember.data:
        save_owner(response, {name: form[name].data or "" for name in OWNER_FIELDS})
    else:
        forget_owner(response)
    return response


def _page(form: RequestForm, status: int = 200) -> Response:
    """The form. Files cannot be put back into it, so a refused one says which to choose again."""
    names = sent_names("files") if request.method == "POST" else []
    if names:
        again = f"Please choose your files again: {', '.join(names)}."
        form.files.errors = [" ".join([*form.files.errors, again])]
    if not current_user.is_authenticated:
        session.permanent = True  # so that the token outlives a closed browser, and with it the open form
    closed = _closed()
    asks = bool(form.asked.data) or (closed is not None and site().form_emergency)
    form.asked.data = "1" if asks else ""
    form.price.data = site().form_price
    values: dict[str, Any] = {"form": form, "closed": closed, "asks": asks, "owner": load_owner().get("name", "")}
    response = make_response(render_template("form/show.html", **values), status)
    # Not no-store: the browser's back button must bring back what was typed.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _closed() -> Closed | None:
    hours = load_hours(reads())
    if is_open(hours, now()):
        return None
    holiday = holiday_at(hours, now())
    return Closed(format_opening(hours, now=now()), holiday.name if holiday else "")
