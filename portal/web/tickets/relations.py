"""Two tickets that are one: merge, take apart, and what is said to a suggestion."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import DomainError
from portal.core.tickets import format_number
from portal.models import Ticket, UnitOfWork
from portal.services import ticket_merge
from portal.web.auth import requires
from portal.web.htmx import saved
from portal.web.state import actor, now, site, write
from portal.web.tickets import bp
from portal.web.tickets.forms import MergeForm
from portal.web.tickets.views import find_ticket, render_ticket


@bp.post("/<int:ticket_id>/merge")
@requires("tickets.work")
def merge(ticket_id: int) -> Any:
    """Put the ticket into another, named by its number."""
    find_ticket(ticket_id)
    form = MergeForm()
    if not form.validate():
        return render_ticket(find_ticket(ticket_id), merge=form), 422
    wanted = form.wanted()
    try:
        with write() as uow:
            target = ticket_merge.merge_ticket(uow, _load(uow, ticket_id), wanted, actor=actor(), now=now())
    except DomainError as error:
        form.number.errors = [*form.number.errors, str(error)]
        return render_ticket(find_ticket(ticket_id), merge=form), 422
    return _gone_into(target.id, ticket_id)


@bp.post("/<int:ticket_id>/unmerge")
@requires("tickets.work")
def unmerge(ticket_id: int) -> BaseResponse:
    """Take the ticket out of the one it was merged into."""
    find_ticket(ticket_id)
    here = url_for("tickets.show", ticket_id=ticket_id)
    try:
        with write() as uow:
            ticket_merge.unmerge_ticket(uow, _load(uow, ticket_id), actor=actor(), now=now())
    except DomainError as error:
        return saved(here, str(error), "warn")
    return saved(here, "They are two tickets again.")


@bp.post("/<int:ticket_id>/suggestion")
@requires("tickets.work")
def suggestion(ticket_id: int) -> BaseResponse:
    """It belongs to the other ticket, or it does not: the pressed button says which."""
    find_ticket(ticket_id)
    if request.form.get("answer") != "yes":
        with write() as uow:
            ticket_merge.refuse_suggestion(uow, _load(uow, ticket_id), actor=actor(), now=now())
        return saved(url_for("tickets.show", ticket_id=ticket_id), "They stay two tickets.")
    try:
        with write() as uow:
            target = ticket_merge.accept_suggestion(uow, _load(uow, ticket_id), actor=actor(), now=now())
    except DomainError as error:
        return saved(url_for("tickets.show", ticket_id=ticket_id), str(error), "warn")
    return _gone_into(target.id, ticket_id)


def _load(uow: UnitOfWork, ticket_id: int) -> Ticket:
    return uow.session.get_one(Ticket, ticket_id)


def _gone_into(target_id: int, ticket_id: int) -> BaseResponse:
    number = format_number(ticket_id, prefix=site().site_prefix)
    return saved(url_for("tickets.show", ticket_id=target_id), f"{number} is part of this ticket now.")
