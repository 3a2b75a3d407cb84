"""What is stopped, why, and the buttons that let it go again."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import EmailField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.errors import DomainError
from portal.services import mail_suspensions
from portal.services.breaker import load_breaker, resume_trip, scope_name
from portal.web.auth import may, requires
from portal.web.htmx import saved
from portal.web.mail_stops import bp
from portal.web.state import change, now, write


class StopForm(FlaskForm):  # type: ignore[misc]
    """An address that nothing shall be sent to."""

    address = EmailField("Mail address", [InputRequired("Please enter a mail address.")])
    reason = StringField("Why", [Length(max=500)], description="Shown beside the address and on its tickets.")


@bp.get("")
@requires("mail.view")
def show() -> str:
    """The breaker and the addresses."""
    return render_template("mail_stops/show.html", **_page(StopForm()))


@bp.post("")
@requires("mail.edit")
def stop() -> Response | tuple[str, int]:
    """Hold back mail to an address, by hand."""
    form = StopForm()
    if form.validate():
        try:
            with write() as uow:
                mail_suspensions.suspend_by_hand(uow, form.address.data, reason=form.reason.data or "", change=change())
        except DomainError as error:
            form.address.errors = [str(error)]
        else:
            return saved(url_for("mail_stops.show", _anchor="suspended"), f"Nothing is sent to {form.address.data}.")
    return render_template("mail_stops/show.html", **_page(form)), 422


@bp.post("/resume-address")
@requires("mail.edit")
def resume_address() -> Response:
    """Send mail to an address again."""
    address = request.form.get("address", "")
    try:
        with write() as uow:
            mail_suspensions.resume_address(uow, address, change=change())
    except DomainError as error:
        return saved(url_for("mail_stops.show", _anchor="suspended"), str(error), "warn")
    return saved(url_for("mail_stops.show", _anchor="suspended"), f"Mail to {address} goes out again.")


@bp.post("/<int:trip_id>/resume")
@requires("mail.edit")
def resume(trip_id: int) -> Response:
    """Send automatic mail again where the breaker stopped it."""
    try:
        with write() as uow:
            name = resume_trip(uow, trip_id, change=change())
    except DomainError as error:
        return saved(url_for("mail_stops.show"), str(error), "warn")
    return saved(url_for("mail_stops.show"), f"Automatic mail to {name} goes out again.")


def _page(form: StopForm) -> dict[str, Any]:
    return {
        "form": form,
        "breaker": load_breaker(g.read, now=now()),
        "scope_name": scope_name,
        "suspended": mail_suspensions.list_suspended(g.read, most=200),
        "suspended_count": mail_suspensions.count_suspended(g.read),
        "may_edit": may("mail.edit"),
    }
