"""The list of people, one person, invitations, and who may not sign in any more."""

from __future__ import annotations

from flask import abort, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.phones import show_phone
from portal.models import User
from portal.services import people
from portal.web.auth import requires
from portal.web.htmx import render_partial, saved
from portal.web.people import bp
from portal.web.people.forms import PersonForm
from portal.web.state import change, context, now, reads, site, write


@bp.get("")
@requires("people.view")
def index() -> str:
    """Everybody, active members first."""
    return render_template("people/index.html", people=people.list_people(reads()), show_phone=show_phone)


@bp.route("/invite", methods=["GET", "POST"])
@requires("people.edit")
def invite() -> str | tuple[str, int]:
    """A new member, and the link by which they choose a password. It is shown once."""
    form = PersonForm()
    if request.method == "GET":
        form.role.data = "technician"
        return _form_page(form, None)
    profile = form.read_profile()
    if profile is None:
        return _form_page(form, None), 422
    try:
        with write() as uow:
            user = people.add_person(uow, profile, change=change())
            token = people.make_link(uow, user, people.INVITE, random=context().random, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return _form_page(form, None), 422
    return _link_page(user, token, is_invite=True)


@bp.route("/<int:user_id>", methods=["GET", "POST"])
@requires("people.edit")
def edit(user_id: int) -> Response | str | tuple[str, int]:
    """Name, address, role and phones of one person."""
    user = _person(user_id)
    form = PersonForm()
    if request.method == "GET":
        form.fill(user)
        return _form_page(form, user)
    profile = form.read_profile()
    if profile is None:
        return _form_page(form, user), 422
    try:
        with write() as uow:
            people.edit_person(uow, user_id, profile, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return _form_page(form, _person(user_id)), 422
    return saved(url_for("people.index"), f"{profile.name} is saved.")


@bp.post("/<int:user_id>/link")
@requires("people.edit")
def new_link(user_id: int) -> str:
    """A fresh link: the invitation again, or a new password for somebody who has one."""
    user = _person(user_id)
    is_invite = not user.password_hash
    if not user.is_active:
        raise DomainError(f"{user.name} is disabled. Enable the account first.")
    with write() as uow:
        user = uow.session.get_one(User, user_id)
        purpose = people.INVITE if is_invite else people.RESET
        token = people.make_link(uow, user, purpose, random=context().random, change=change())
    return _link_page(user, token, is_invite=is_invite)


@bp.get("/<int:user_id>/disable")
@requires("people.edit")
def ask_disable(user_id: int) -> str:
    """The question, with what would be missing."""
    user = _person(user_id)
    warnings = people.warn_of_disabling(reads(), user_id, now=now(), zone=site().zone)
    return render_partial("people/disable.html", "people/_disable.html", person=user, warnings=warnings)


@bp.post("/<int:user_id>/disable")
@requires("people.edit")
def disable(user_id: int) -> Response:
    """No sign-in and no pages any more; their history stays."""
    user = _person(user_id)
    try:
        with write() as uow:
            people.disable_person(uow, user_id, change=change())
    except DomainError as error:
        return saved(url_for("people.edit", user_id=user_id), str(error), "bad")
    return saved(url_for("people.index"), f"{user.name} cannot sign in any more and is not paged.")


@bp.post("/<int:user_id>/enable")
@requires("people.edit")
def enable(user_id: int) -> Response:
    """Let somebody in again."""
    user = _person(user_id)
    with write() as uow:
        people.enable_person(uow, user_id, change=change())
    return saved(url_for("people.edit", user_id=user_id), f"{user.name} may sign in again.")


def _person(user_id: int) -> User:
    return people.find_person(reads(), user_id) or abort(404)


def _form_page(form: PersonForm, user: User | None) -> str:
    return render_template("people/person.html", form=form, person=user)


def _link_page(user: User, token: str, *, is_invite: bool) -> str:
    """Without a public address the link is the one by which the administrator came here."""
    base = context().site_url or request.url_root.rstrip("/")
    return render_template(
        "people/link.html",
        person=user,
        link=f"{base}/link/{token}",
        is_invite=is_invite,
        is_public=bool(context().site_url),
    )
