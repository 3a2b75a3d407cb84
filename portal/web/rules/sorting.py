"""Categories and queues: what tickets are sorted into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR, UnitOfWork
from portal.models.versions import load_site_state
from portal.services import categories
from portal.services.calendar_edit import choose_queue_calendar
from portal.services.calendars import list_calendars
from portal.services.categories import CategoryEntry, QueueEntry
from portal.web.auth import may, requires
from portal.web.htmx import refused, render_partial, saved
from portal.web.rules import bp
from portal.web.rules.forms import CategoryForm, QueueForm
from portal.web.state import change, write

Save = Callable[[UnitOfWork], Any]


@bp.get("/categories")
@requires("rules.view")
def show_categories() -> str:
    """All categories and queues, and by which hours a queue goes."""
    calendars = {head.id: head for head in list_calendars(g.read)}
    return render_template(
        "rules/categories.html",
        categories=categories.list_categories(g.read),
        queues=[(queue, calendars.get(_calendar_of(queue.id))) for queue in categories.list_queues(g.read)],
        may_edit=may("rules.edit"),
    )


@bp.route("/categories/new", methods=["GET", "POST"])
@requires("rules.edit")
def add_category() -> Response | tuple[str, int] | str:
    """A new category."""
    form = _category_form()

    def save(uow: UnitOfWork) -> None:
        categories.add_category(uow, form.name.data, queue_id=form.queue_id.data or None, change=change())

    return _edit("Add a category", form, save)


@bp.route("/categories/<int:category_id>", methods=["GET", "POST"])
@requires("rules.edit")
def edit_category(category_id: int) -> Response | tuple[str, int] | str:
    """Rename a category, or send its tickets elsewhere."""
    entry = _category(category_id)
    form = _category_form()
    if request.method == "GET":
        form.name.data, form.queue_id.data = entry.name, entry.queue_id or 0

    def save(uow: UnitOfWork) -> None:
        queue_id = form.queue_id.data or None
        categories.edit_category(uow, category_id, name=form.name.data, queue_id=queue_id, change=change())

    return _edit(entry.name, form, save)


@bp.route("/categories/<int:category_id>/remove", methods=["GET", "POST"])
@requires("rules.edit")
def remove_category(category_id: int) -> Response | str:
    """Ask, then remove."""
    entry = _category(category_id)
    return _remove(
        entry.name,
        "Its words go with it. It can only be removed while no ticket and no rule needs it.",
        lambda uow: categories.remove_category(uow, category_id, change=change()),
    )


@bp.route("/queues/new", methods=["GET", "POST"])
@requires("rules.edit")
def add_queue() -> Response | tuple[str, int] | str:
    """A new queue."""
    form = _queue_form(0)

    def save(uow: UnitOfWork) -> None:
        queue_id = categories.add_queue(uow, form.name.data, change=change())
        choose_queue_calendar(uow, queue_id, form.calendar_id.data or None, change=change())

    return _edit("Add a queue", form, save)


@bp.route("/queues/<int:queue_id>", methods=["GET", "POST"])
@requires("rules.edit")
def edit_queue(queue_id: int) -> Response | tuple[str, int] | str:
    """Rename a queue, or let it go by other hours."""
    entry = _queue(queue_id)
    form = _queue_form(_calendar_of(queue_id))
    if request.method == "GET":
        form.name.data = entry.name

    def save(uow: UnitOfWork) -> None:
        categories.rename_queue(uow, queue_id, form.name.data, change=change())
        choose_queue_calendar(uow, queue_id, form.calendar_id.data or None, change=change())

    return _edit(entry.name, form, save)


@bp.route("/queues/<int:queue_id>/remove", methods=["GET", "POST"])
@requires("rules.edit")
def remove_queue(queue_id: int) -> Response | str:
    """Ask, then remove."""
    entry = _queue(queue_id)
    return _remove(
        entry.name,
        "It can only be removed while it is empty and no category or rule needs it.",
        lambda uow: categories.remove_queue(uow, queue_id, change=change()),
    )


def _category(category_id: int) -> CategoryEntry:
    return next((one for one in categories.list_categories(g.read) if one.id == category_id), None) or abort(404)


def _queue(queue_id: int) -> QueueEntry:
    return next((one for one in categories.list_queues(g.read) if one.id == queue_id), None) or abort(404)


def _calendar_of(queue_id: int) -> int:
    """The calendar of its own that a queue has; 0 for the site's."""
    own = load_site_state(g.read).queues.get(queue_id)
    return (own and own.calendar_id) or 0


def _queue_form(calendar_id: int) -> QueueForm:
    form = QueueForm(data={"calendar_id": calendar_id})
    form.offer((head.id, head.name) for head in list_calendars(g.read) if head.id != SITE_CALENDAR)
    return form


def _category_form() -> CategoryForm:
    form = CategoryForm()
    form.offer((queue.id, queue.name) for queue in categories.list_queues(g.read))
    return form


def _edit(title: str, form: QueueForm | CategoryForm, save: Save) -> Response | tuple[str, int] | str:
    values = {"title": title, "form": form, "url": request.path}
    if request.method == "GET":
        return render_partial("rules/named.html", "rules/_named.html", **values)
    if form.validate():
        try:
            with write() as uow:
                save(uow)
        except DomainError as error:
            form.name.errors = [str(error)]
        else:
            return saved(url_for("rules.show_categories"), f"{form.name.data} is saved.")
    return refused("rules/named.html", "rules/_named.html", **values)


def _remove(name: str, text: str, act: Save) -> Response | str:
    if request.method == "GET":
        return render_partial(
            "confirm.html",
            "_confirm.html",
            title=f"Remove {name}?",
            text=text,
            url=request.path,
            yes="Remove",
            cancel_url=url_for("rules.show_categories"),
        )
    try:
        with write() as uow:
            act(uow)
    except DomainError as error:
        return saved(url_for("rules.show_categories"), str(error), "bad")
    return saved(url_for("rules.show_categories"), f"{name} is removed.")
