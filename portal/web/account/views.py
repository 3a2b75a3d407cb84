"""Sign in, sign out, passwords."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.models import User
from portal.services import people
from portal.web.account import bp
from portal.web.account.forms import ChangePasswordForm, LoginForm, NewPasswordForm
from portal.web.auth import SignedIn, public, requires
from portal.web.htmx import local_path, saved
from portal.web.state import change, now, reads, write

_WRONG = "Address and password do not fit together."


@bp.route("/login", methods=["GET", "POST"])
@public
def login() -> Response | str | tuple[str, int]:
    """The sign-in page."""
    target = local_path(request.args.get("next"), url_for("dashboard.show"))
    if current_user.is_authenticated:
        return redirect(target, code=303)
    form = LoginForm()
    if request.method == "GET":
        return render_template("account/login.html", form=form)
    if not form.validate():
        return render_template("account/login.html", form=form), 422
    try:
        user = _sign_in(form.email.data or "", form.password.data or "")
    except people.ThrottledError as error:
        form.form_errors.append(str(error))
        return render_template("account/login.html", form=form), 429
    if user is None:
        form.form_errors.append(_WRONG)
        return render_template("account/login.html", form=form), 422
    _remember(user, stays=bool(form.remember.data))
    return redirect(target, code=303)


def _sign_in(email: str, password: str) -> User | None:
    address = request.remote_addr or ""
    with write() as uow:
        people.begin_sign_in(uow, email, address, now=now())
    user = people.verify_sign_in(reads(), email, password)
    if user is not None:
        with write() as uow:
            people.note_sign_in(uow, user.id, address, now=now())
    return user


def _remember(user: User, *, stays: bool) -> None:
    """A fresh session: nothing of the one before signing in is carried over."""
    session.clear()
    session.permanent = stays
    login_user(SignedIn(user), duration=timedelta(days=14))


@bp.post("/logout")
@requires("account.own")
def logout() -> Response:
    """End the session."""
    logout_user()
    session.clear()
    flash("You are signed out.", "info")
    return redirect(url_for("auth.login"), code=303)


@bp.route("/account/password", methods=["GET", "POST"])
@requires("account.own")
def change_password() -> Response | str | tuple[str, int]:
    """A new password ends all other sessions of the account."""
    form = ChangePasswordForm()
    if request.method == "GET":
        return render_template("account/password.html", form=form)
    if form.validate() and people.verify_sign_in(reads(), current_user.email, form.current.data or "") is None:
        form.current.errors = [*form.current.errors, "This is not your password."]
    if form.errors or form.current.errors:
        return render_template("account/password.html", form=form), 422
    password = people.make_password(form.password.data or "")
    try:
        with write() as uow:
            user = uow.session.get_one(User, current_user.id)
            people.set_password(uow, user, password, change=change())
    except DomainError as error:
        form.password.errors = [*form.password.errors, str(error)]
        return render_template("account/password.html", form=form), 422
    _remember(user, stays=session.permanent)
    return saved(url_for("auth.change_password"), "Your password is changed. Other devices are signed out.")


@bp.route("/link/<token>", methods=["GET", "POST"])
@public
def use_link(token: str) -> Response | str | tuple[str, int]:
    """Set a password by an invitation or a reset. Works once."""
    link = people.find_link(reads(), token, now=now())
    if link is None:
        return render_template("account/link_gone.html"), 404
    user = people.find_person(reads(), link.user_id)
    form = NewPasswordForm()
    if request.method == "GET" or not form.validate():
        page = render_template("account/link.html", form=form, person=user, is_invite=link.purpose == people.INVITE)
        return page if request.method == "GET" else (page, 422)
    password = people.make_password(form.password.data or "")
    try:
        with write() as uow:
            user = people.use_link(uow, token, password, change_at=now())
    except DomainError as error:
        form.password.errors = [*form.password.errors, str(error)]
        return render_template("account/link.html", form=form, person=user, is_invite=False), 422
    _remember(user, stays=True)
    return saved(url_for("dashboard.show"), f"Welcome, {user.name}.")
