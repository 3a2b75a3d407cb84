"""The steps after the account. Each is one short form; "Later" goes on without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.permissions import Role
from portal.core.phones import show_phone
from portal.core.shifts import Shift
from portal.core.wallclock import wall_of
from portal.models import UnitOfWork, User
from portal.services import people
from portal.services.calendars import load_week, save_week
from portal.services.checks import SMS, load_check
from portal.services.page_tests import load_test_page
from portal.services.schedules import list_members
from portal.services.settings import list_chosen, list_set_secrets, save_settings
from portal.services.shifts import add_shift
from portal.web.auth import during_setup
from portal.web.htmx import saved
from portal.web.setting_forms import make_settings_form
from portal.web.setup import bp
from portal.web.setup.forms import FirstShiftForm, SimpleHoursForm, TechnicianForm
from portal.web.setup.views import STEPS, list_steps, next_url, only_admins
from portal.web.state import change, config, context, now, reads, site, write

Answer = Response | str | tuple[str, int]


@bp.route("/<name>", methods=["GET", "POST"])
@during_setup
def step(name: str) -> Answer:
    """One step of the first run."""
    only_admins()
    if name not in STEPS:
        abort(404)
    return _STEPS[name](name)


def _page(name: str, status: int = 200, **values: Any) -> tuple[str, int]:
    title = STEPS[name][0]
    later = next_url(name)
    page = render_template(f"setup/{name}.html", name=name, title=title, steps=list_steps(), later=later, **values)
    return page, status


def _settings(name: str, keys: tuple[str, ...], message: str, **values: Any) -> Answer:
    form = make_settings_form(keys, set_secrets=list_set_secrets(reads()))
    if request.method == "GET":
        form.fill(site())
        return _page(name, form=form, **values)
    found = form.read_values()
    if found is None:
        return _page(name, 422, form=form, **values)
    try:
        with write() as uow:
            save_settings(uow, found, change=change(), box=context().box)
    except DomainError as error:
        form.form_errors.extend(str(error).split("\n"))
        return _page(name, 422, form=form, **values)
    # Texts can be tried out on the same page before going on.
    return saved(url_for("setup.step", name=name) if name == "sms" else next_url(name), message)


def _site(name: str) -> Answer:
    is_chosen = "site.zone" in list_chosen(reads())
    keys = ("site.name", "site.zone")
    return _settings(name, keys, "Name and zone are saved.", site_url=config().site_url, is_chosen=is_chosen)


def _wake(name: str) -> Answer:
    return _settings(name, ("paging.wake_for",), "Noted.")


def _sms(name: str) -> Answer:
    keys = ("sms.provider", "sms.twilio_sid", "sms.twilio_token", "sms.twilio_from")
    return _settings(name, keys, "Saved.", check=load_check(reads(), SMS), next_url=url_for("setup.step", name=name))


def _hours(name: str) -> Answer:
    form = SimpleHoursForm()
    if request.method == "GET":
        return _page(name, form=form, week=load_week(reads()))
    week = form.read_week()
    if week is None:
        return _page(name, 422, form=form, week=load_week(reads()))
    with write() as uow:
        save_week(uow, week, change=change())
    return saved(next_url(name), "The business hours are saved.")


def _technician(name: str) -> Answer:
    form = TechnicianForm()
    if request.method == "GET":
        form.name.data, form.email.data = current_user.name, current_user.email
        return _page(name, form=form, people=people.list_people(reads()), show_phone=show_phone)
    token = ""
    try:
        if not form.validate():
            raise DomainError("")
        with write() as uow:
            user, token = _reachable(uow, form)
    except DomainError as error:
        if str(error):
            form.phone.errors = [*form.phone.errors, str(error)]
        return _page(name, 422, form=form, people=people.list_people(reads()), show_phone=show_phone)
    if token:
        base = context().site_url or request.url_root.rstrip("/")
        return _page(name, form=None, person=user, link=f"{base}/link/{token}", is_public=bool(context().site_url))
    return saved(next_url(name), f"{user.name} can be reached.")


def _reachable(uow: UnitOfWork, form: TechnicianForm) -> tuple[User, str]:
    """Give somebody the number; somebody new also an invitation."""
    email, name, phone = form.email.data or "", form.name.data or "", form.phone.data or ""
    known = people.find_by_email(uow.session, email)
    if known is None:
        user = people.add_person(uow, people.Profile(email, name, Role.TECHNICIAN, (phone,)), change=change())
        return user, people.make_link(uow, user, people.INVITE, random=context().random, change=change())
    numbers = (phone, *(row.number for row in known.phones))
    profile = people.Profile(known.email, name, known.role, numbers)
    return people.edit_person(uow, known.id, profile, change=change()), ""


def _shift(name: str) -> Answer:
    form = FirstShiftForm()
    members = [member for member in list_members(reads()) if member.is_active]
    form.person.choices = {m.id: m.name if m.has_phone else f"{m.name} (no phone yet)" for m in members}
    if request.method == "GET":
        form.suggest(wall_of(now(), zone=site().zone))
        form.person.data = next((member.id for member in members if member.has_phone), None)
        return _page(name, form=form)
    if not form.validate():
        return _page(name, 422, form=form)
    try:
        with write() as uow:
            add_shift(uow, Shift(0, form.person.data, form.starts.data, form.ends.data), change=change())
            # Whoever has the first shift is also asked when nobody is on call, until somebody else is chosen.
            if not site().paging_fallback:
                save_settings(uow, {"paging.fallback": form.person.data}, change=change(), box=context().box)
    except DomainError as error:
        form.form_errors.append(str(error))
        return _page(name, 422, form=form)
    return saved(next_url(name), "The shift is in the schedule.")


def _test(name: str) -> Answer:
    members = [member for member in list_members(reads()) if member.is_active and member.has_phone]
    return _page(name, test=load_test_page(reads()), members=members, provider=site().sms_provider)


_STEPS: dict[str, Callable[[str], Answer]] = {
    "site": _site,
    "hours": _hours,
    "wake": _wake,
    "sms": _sms,
    "technician": _technician,
    "shift": _shift,
    "test": _test,
}
