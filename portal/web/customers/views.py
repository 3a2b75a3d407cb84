"""The list of customers, and one customer: added, changed, removed."""

from __future__ import annotations

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import SITE_CALENDAR
from portal.services import customers
from portal.services.calendars import list_calendars
from portal.services.customers import CustomerEntry
from portal.web.auth import may, requires
from portal.web.customers import bp
from portal.web.customers.forms import CustomerForm
from portal.web.htmx import refused, render_partial, saved
from portal.web.state import change, write

EDIT = ("customers/edit.html", "customers/_edit.html")


@bp.get("")
@requires("customers.view")
def index() -> str:
    """Every customer, how their mail is known, and by which hours they go."""
    return render_template(
        "customers/index.html",
        customers=customers.list_customers(g.read),
        calendars={head.id: head for head in list_calendars(g.read)},
        may_edit=may("customers.edit"),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("customers.edit")
def add() -> Response | tuple[str, int] | str:
    """A new customer."""
    form = _form()
    if request.method == "GET":
        return render_partial(*EDIT, form=form, entry=None)
    profile = form.read()
    if profile is not None:
        try:
            with write() as uow:
                customers.add_customer(uow, profile, change=change())
        except DomainError as error:
            form.form_errors.append(str(error))
        else:
            return saved(url_for("customers.index"), f"{profile.name} is added.")
    return refused(*EDIT, form=form, entry=None)


@bp.route("/<int:customer_id>", methods=["GET", "POST"])
@requires("customers.edit")
def edit(customer_id: int) -> Response | tuple[str, int] | str:
    """Name, addresses and hours of one customer."""
    entry = _entry(customer_id)
    form = _form()
    if request.method == "GET":
        form.fill(entry)
        return render_partial(*EDIT, form=form, entry=entry)
    profile = form.read()
    if profile is not None:
        try:
            with write() as uow:
                changed = customers.edit_customer(uow, customer_id, profile, change=change(), seen=form.seen)
        except DomainError as error:
            form.form_errors.append(str(error))
        else:
            words = f"{profile.name} is saved." if changed else "Nothing was different."
            return saved(url_for("customers.index"), words, "good" if changed else "info")
    return refused(*EDIT, form=form, entry=entry)


@bp.route("/<int:customer_id>/remove", methods=["GET", "POST"])
@requires("customers.edit")
def remove(customer_id: int) -> Response | str:
    """Ask, then remove."""
    entry = _entry(customer_id)
    if request.method == "GET":
        return render_partial(
            "confirm.html",
            "_confirm.html",
            title=f"Remove {entry.profile.name}?",
            text="Its tickets stay, without a customer. Their deadlines then count in the hours of their queue.",
            url=request.path,
            yes="Remove",
            cancel_url=url_for("customers.index"),
        )
    try:
        with write() as uow:
            customers.remove_customer(uow, customer_id, change=change())
    except DomainError as error:
        return saved(url_for("customers.index"), str(error), "bad")
    return saved(url_for("customers.index"), f"{entry.profile.name} is removed.")


def _entry(customer_id: int) -> CustomerEntry:
    return customers.load_customer(g.read, customer_id) or abort(404)


def _form() -> CustomerForm:
    form = CustomerForm()
    form.offer((head.id, head.name) for head in list_calendars(g.read) if head.id != SITE_CALENDAR)
    return form
