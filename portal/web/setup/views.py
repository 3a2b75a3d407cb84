"""`/setup`: before there is an administrator it takes the token and makes one; afterwards it is the list of steps."""

from __future__ import annotations

from datetime import timedelta

from flask import abort, redirect, render_template, request, session, url_for
from flask_login import login_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.permissions import Role
from portal.models import User
from portal.services import people
from portal.services.audit import Change
from portal.services.lexicon import seed_triage
from portal.services.readiness import load_readiness
from portal.services.setup_token import end_setup, has_admin, is_setup_token
from portal.web.auth import SignedIn, during_setup, may
from portal.web.setup import bp
from portal.web.setup.forms import AccountForm
from portal.web.state import context, now, reads, site, write

# name -> (title, key of the item in the readiness panel)
STEPS = {
    "site": ("Name and time zone", "zone"),
    "hours": ("Business hours", "hours"),
    "wake": ("Wake for what?", "wake"),
    "sms": ("Texts", "sms"),
    "technician": ("First technician", "phone"),
    "shift": ("First shift", "shift"),
    "test": ("Test page", "test"),
}


@bp.route("", methods=["GET", "POST"])
@during_setup
def show() -> Response | str | tuple[str, int]:
    """The account, or the steps."""
    if has_admin(reads()):
        only_admins()
        return render_template(
            "setup/show.html", steps=list_steps(), readiness=load_readiness(reads(), site(), now=now())
        )
    token = request.values.get("token", "")
    if not is_setup_token(context().data_dir, token):
        return render_template("setup/wrong_link.html", has_token=bool(token)), 403
    form = AccountForm()
    if request.method == "GET":
        return render_template("setup/account.html", form=form, token=token)
    if not form.validate():
        return render_template("setup/account.html", form=form, token=token), 422
    try:
        user = _make_admin(form)
    except DomainError as error:
        form.form_errors.append(str(error))
        return render_template("setup/account.html", form=form, token=token), 422
    end_setup(context().data_dir)
    session.clear()
    session.permanent = True
    login_user(SignedIn(user), duration=timedelta(days=14))
    return redirect(url_for("setup.step", name="site"), code=303)


def _make_admin(form: AccountForm) -> User:
    change = Change(None, now())
    password = people.make_password(form.password.data or "")
    with write() as uow:
        if has_admin(uow.session):
            abort(404)  # somebody else was quicker
        profile = people.Profile(form.email.data or "", form.name.data or "", Role.ADMIN)
        known = people.find_by_email(uow.session, profile.email)
        user = known or people.add_person(uow, profile, change=change)
        user.role, user.is_active = Role.ADMIN, True
        people.set_password(uow, user, password, change=Change(user.id, change.at))
        people.note_sign_in(uow, user.id, request.remote_addr or "", now=change.at)
        seed_triage(uow, change=change)
    return user


def only_admins() -> None:
    """Setup is over: nobody else may know that there was one."""
    if not may("settings.edit"):
        abort(404)


def list_steps() -> list[tuple[str, str, str]]:
    """(name, title, state) of every step; the states are those of the readiness panel."""
    readiness = load_readiness(reads(), site(), now=now())
    return [(name, title, readiness.state_of(key)) for name, (title, key) in STEPS.items()]


def next_url(name: str) -> str:
    """The step after this one, whether or not it is done; the list at the end."""
    names = list(STEPS)
    after = names[names.index(name) + 1 :]
    return url_for("setup.step", name=after[0]) if after else url_for("setup.show")
