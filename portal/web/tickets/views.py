"""Reading tickets: the list, one ticket, its history, its files."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from portal.core.tickets import PRIORITIES, SOURCES, STATUSES, format_number
from portal.services.choices import load_choices
from portal.services.deadlines import response_deadline
from portal.services.message_view import load_invitations
from portal.services.page_timeline import load_timeline
from portal.services.ticket_history import describe_event
from portal.services.ticket_list import TicketPage, count_tickets, list_tickets
from portal.services.ticket_search import count_found, search_tickets
from portal.services.ticket_view import (
    TicketView,
    find_attachment,
    load_conversation,
    load_history,
    load_ticket_view,
    read_attachment,
)
from portal.services.triage_view import load_triage_view
from portal.web.auth import requires
from portal.web.htmx import render_partial, wants_partial
from portal.web.state import now, reads, site
from portal.web.tickets import bp
from portal.web.tickets.forms import MergeForm, ReplyForm, ResolveForm, StatusForm
from portal.web.tickets.messages import point
from portal.web.tickets.query import ListQuery, read_query
from portal.web.uploads import download

# htmx asks for one part of the page by the id it will replace.
_PARTS = {"ticket-side": "tickets/_side.html", "ticket-main": "tickets/_main.html"}


@bp.get("")
@requires("tickets.view")
def index() -> BaseResponse:
    """The list, or what the search finds. `#1234` leads straight to that ticket."""
    query = read_query(request.args, user_id=current_user.id)
    number = _number_in(query.wanted.words)
    if number is not None and load_ticket_view(reads(), number) is not None:
        return _go_to(url_for("tickets.show", ticket_id=number))
    page = (search_tickets if query.wanted.words else list_tickets)(reads(), query.wanted, query.place)
    body = render_partial(
        "tickets/index.html",
        "tickets/_list.html",
        query=query,
        found=page,
        count=_count(query, page),
        choices=load_choices(reads()),
        statuses=STATUSES,
        priorities=PRIORITIES,
        sources=SOURCES,
    )
    response = make_response(body)
    if wants_partial():
        response.headers["HX-Push-Url"] = query.here
    return response


@bp.get("/<int:ticket_id>")
@requires("tickets.view")
def show(ticket_id: int) -> str:
    """One ticket. htmx may ask for a part of the page."""
    view = find_ticket(ticket_id)
    target = cast(Any, request).htmx.target if wants_partial() else None
    if target == "ticket-side":
        return render_template(_PARTS[target], **side_of(view))
    if target == "ticket-main":
        return render_template(_PARTS[target], **main_of(view))
    return render_ticket(view)


@bp.get("/<int:ticket_id>/history")
@requires("tickets.view")
def history(ticket_id: int) -> str:
    """Everything that happened to a ticket."""
    view = find_ticket(ticket_id)
    choices = load_choices(reads())
    lines = [describe_event(event, choices, number=_format) for event in load_history(reads(), ticket_id)]
    return render_partial("tickets/history.html", "tickets/_history.html", ticket=view.row, lines=lines)


@bp.get("/<int:ticket_id>/files/<int:file_id>")
@requires("tickets.view")
def file(ticket_id: int, file_id: int) -> Response:
    """An attachment, as a download."""
    found = find_attachment(reads(), ticket_id, file_id) or abort(404)
    return download(found.filename, found.size, read_attachment(reads(), found))


def render_ticket(view: TicketView, *, merge: MergeForm | None = None) -> str:
    """The whole page of a ticket."""
    return render_template("tickets/show.html", **{**side_of(view, merge=merge), **main_of(view)})


def find_ticket(ticket_id: int) -> TicketView:
    """The ticket of a page; 404 with a sentence when there is none."""
    view = load_ticket_view(reads(), ticket_id) if ticket_id < 2**53 else None
    return view or abort(404, f"There is no ticket {_format(ticket_id)}.")


def side_of(view: TicketView, *, resolve: ResolveForm | None = None, merge: MergeForm | None = None) -> dict[str, Any]:
    """What the side of the page shows: facts, status, paging."""
    status = StatusForm(formdata=None)
    status.offer(view.row.status)
    return {
        "view": view,
        "ticket": view.row,
        "ticket_id": view.row.id,
        "status_form": status,
        "resolve_form": resolve or ResolveForm(formdata=None),
        "merge_form": merge or MergeForm(formdata=None),
        "relations": view.relations,
        "maybe_words": _in_our_numbers(view.row.maybe_reason),
        "deadline": response_deadline(reads(), view.row),
        "now": now(),
        "timeline": load_timeline(reads(), view.row.id),
        "triage": load_triage_view(reads(), view.row),
    }


def main_of(view: TicketView, *, reply: ReplyForm | None = None) -> dict[str, Any]:
    """What the middle of the page shows: the conversation and the form below it."""
    if reply is None:
        reply = ReplyForm(formdata=None)
        reply.offer(view.row.status)
    before = request.args.get("before", type=int)
    conversation = load_conversation(reads(), view.row.id, before=before)
    calendars = [file_id for message in conversation.messages for file_id in message.invitations]
    return {
        "view": view,
        "ticket": view.row,
        "conversation": conversation,
        "formatted": {one.id: point(one.html, one.pictures, ticket_id=view.row.id) for one in conversation.messages},
        "invitations": load_invitations(reads(), calendars),
        "before": before,
        "reply_form": reply,
    }


def _in_our_numbers(words: str) -> str:
    return re.sub(r"#(\d+)", lambda found: _format(int(found.group(1))), words)


def _format(number: int) -> str:
    return format_number(number, prefix=site().site_prefix)


def _number_in(words: str) -> int | None:
    prefix = site().site_prefix
    digits = words.removeprefix(prefix or "#")
    is_number = words != digits and digits.isascii() and digits.isdigit() and len(digits) < 16
    return int(digits) if is_number else None


def _go_to(url: str) -> BaseResponse:
    if not wants_partial():
        return redirect(url, code=303)
    response = Response(status=204)
    response.headers["HX-Redirect"] = url
    return response


def _count(query: ListQuery, page: TicketPage) -> str:
    """How many there are, as far as that can be told without looking at each."""
    if query.wanted.words:
        number, has_more = count_found(reads(), query.wanted)
        return f"{number:,}{'+' if has_more else ''}"
    total = count_tickets(reads(), query.wanted)
    if total is None and not (page.older or page.newer):
        total = len(page.lines)
    return "" if total is None else f"{total:,}"
