"""Working on tickets: enter, answer, note, move, arrange, take."""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import DomainError
from portal.core.tickets import DEFAULT_PRIORITY
from portal.core.uploads import Upload
from portal.models import Ticket, UnitOfWork
from portal.services import links, ticket_work
from portal.services.choices import load_choices
from portal.services.ticket_work import CalledIn
from portal.web.auth import requires
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial, with_trigger
from portal.web.state import actor, context, now, reads, write
from portal.web.tickets import bp
from portal.web.tickets.forms import ArrangeForm, CalledInForm, ReplyForm, ResolveForm
from portal.web.tickets.views import find_ticket, main_of, side_of
from portal.web.uploads import read_uploads

Answer = str | Response | BaseResponse | tuple[str, int]


@bp.route("/new", methods=["GET", "POST"])
@requires("tickets.work")
def new() -> Answer:
    """Enter a ticket for somebody who called."""
    form = CalledInForm()
    form.offer(load_choices(reads()))
    if request.method == "GET":
        form.priority.data = str(DEFAULT_PRIORITY)
        return render_template("tickets/new.html", form=form)
    files = _files(form)
    if files is None or not form.validate():
        return refused("tickets/new.html", "tickets/_new.html", form=form)
    call = CalledIn(
        subject=form.subject.data,
        body=form.body.data,
        name=(form.name.data or "").strip(),
        email=(form.email.data or "").strip(),
        phone=(form.phone.data or "").strip(),
        arrangement=form.read(),
        files=files,
    )
    with write() as uow:
        ticket = ticket_work.open_called_in(context(), uow, call, actor=actor())
    return saved(url_for("tickets.show", ticket_id=ticket.id), "The ticket is entered. Nobody was paged.")


@bp.post("/<int:ticket_id>/answer")
@requires("tickets.work")
def answer(ticket_id: int) -> Answer:
    """An answer by mail, or a note for the team: the pressed button says which."""
    view = find_ticket(ticket_id)
    form = ReplyForm()
    form.offer(view.row.status)
    files = _files(form)
    if files is None or not form.validate():
        return _main_refused(ticket_id, form)
    try:
        with write() as uow:
            _say(uow, ticket_id, form, files, is_note=request.form.get("kind") == "note")
    except DomainError as error:
        form.form_errors.append(str(error))
        return _main_refused(ticket_id, form)
    if not wants_partial():
        return saved(url_for("tickets.show", ticket_id=ticket_id, _anchor="reply"), "Saved.")
    return with_trigger(render_template("tickets/_main.html", **main_of(find_ticket(ticket_id))), "ticket-changed")


@bp.post("/<int:ticket_id>/status")
@requires("tickets.work")
def status(ticket_id: int) -> Answer:
    """Another status; resolving needs a note."""
    find_ticket(ticket_id)
    resolve = ResolveForm()
    is_resolving = resolve.status.data == "resolved"
    if is_resolving and not resolve.validate():
        return _side_refused(ticket_id, resolve)
    try:
        with write() as uow:
            ticket, note = _ticket(uow, ticket_id), resolve.note.data if is_resolving else ""
            wanted, tell = resolve.status.data or "", bool(request.form.get("tell"))
            ticket_work.move_ticket(context(), uow, ticket, wanted, actor=actor(), resolution=note or "", tell=tell)
    except DomainError as error:
        resolve.form_errors.append(str(error))
        return _side_refused(ticket_id, resolve)
    return _side_changed(ticket_id, "The status is changed.")


@bp.post("/<int:ticket_id>/take")
@requires("tickets.work")
def take(ticket_id: int) -> Answer:
    """Assign the ticket to oneself."""
    find_ticket(ticket_id)
    with write() as uow:
        ticket_work.take_ticket(context(), uow, _ticket(uow, ticket_id), actor=actor())
    return _side_changed(ticket_id, "The ticket is yours.")


@bp.route("/<int:ticket_id>/edit", methods=["GET", "POST"])
@requires("tickets.work")
def edit(ticket_id: int) -> Answer:
    """Priority, queue, category, customer, assignee."""
    view = find_ticket(ticket_id)
    form = ArrangeForm()
    form.offer(load_choices(reads()), assignee_id=view.row.assignee_id)
    if request.method == "GET":
        form.fill(view.row)
        return render_partial("tickets/edit.html", "tickets/_edit.html", form=form, ticket=view.row)
    if not form.validate():
        return refused("tickets/edit.html", "tickets/_edit.html", form=form, ticket=view.row)
    try:
        with write() as uow:
            ticket = _ticket(uow, ticket_id)
            wanted = form.read(customer_id=ticket.customer_id)
            ticket_work.arrange_ticket(context(), uow, ticket, wanted, actor=actor())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused("tickets/edit.html", "tickets/_edit.html", form=form, ticket=find_ticket(ticket_id).row)
    return _side_changed(ticket_id, "The ticket is changed.", from_dialog=True)


@bp.post("/<int:ticket_id>/revoke-link")
@requires("tickets.work")
def revoke_link(ticket_id: int) -> BaseResponse:
    """The private links sent so far end."""
    find_ticket(ticket_id)
    with write() as uow:
        links.revoke_link(uow, _ticket(uow, ticket_id), actor=actor(), now=now())
    return saved(url_for("tickets.show", ticket_id=ticket_id), "The old private links lead nowhere now.")


def _ticket(uow: UnitOfWork, ticket_id: int) -> Ticket:
    ticket = uow.session.get(Ticket, ticket_id) or abort(404)
    if ticket.merged_into_id is not None:
        abort(409, "This ticket is part of another. Please work there.")
    return ticket


def _say(uow: UnitOfWork, ticket_id: int, form: ReplyForm, files: tuple[Upload, ...], *, is_note: bool) -> None:
    ticket, body, who = _ticket(uow, ticket_id), form.body.data or "", actor()
    if is_note:
        ticket_work.note_ticket(context(), uow, ticket, body, actor=who, files=files)
        return
    ticket_work.answer_ticket(context(), uow, ticket, body, actor=who, files=files, status=form.then.data or "")


def _files(form: CalledInForm | ReplyForm) -> tuple[Upload, ...] | None:
    """The files of a form; None when they are refused, and the form says why."""
    try:
        return read_uploads("files")
    except DomainError as error:
        form.validate()
        form.files.errors = [str(error)]
        return None


def _main_refused(ticket_id: int, form: ReplyForm) -> Answer:
    view = find_ticket(ticket_id)
    page = {**main_of(view, reply=form)}
    if wants_partial():
        return render_template("tickets/_main.html", **page), 422
    return render_template("tickets/show.html", **{**side_of(view), **page}), 422


def _side_refused(ticket_id: int, form: ResolveForm) -> Answer:
    view = find_ticket(ticket_id)
    side = side_of(view, resolve=form)
    if wants_partial():
        return render_template("tickets/_side.html", **side), 422
    return render_template("tickets/show.html", **{**main_of(view), **side}), 422


def _side_changed(ticket_id: int, message: str, *, from_dialog: bool = False) -> Answer:
    if not wants_partial():
        return saved(url_for("tickets.show", ticket_id=ticket_id), message)
    side = render_template("tickets/_side.html", **side_of(find_ticket(ticket_id)))
    return dialog_done(side, "#ticket-side") if from_dialog else side
