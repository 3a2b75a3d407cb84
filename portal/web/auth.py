"""Who may open a page. Every view says so itself; a view that does not stops the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import LoginManager, current_user
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal.core.permissions import ACTIONS, is_allowed
from portal.models import User
from portal.services.setup_token import has_admin
from portal.web.state import reads

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC = "public"
SETUP = "setup"
# Answered before there is an administrator, too.
_ALWAYS_OPEN = ("static", "system.healthz")


class SignedIn:
    """What Flask-Login asks of a user, around a row that may be detached."""

    is_authenticated = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        self.id, self.name, self.email, self.role = user.id, user.name, user.email, user.role
        self.is_active = user.is_active
        self._epoch = user.session_epoch

    def get_id(self) -> str:
        """The id with the epoch: a new epoch ends every session there was."""
        return f"{self.id}.{self._epoch}"


def requires(action: str) -> Callable[[View], View]:
    """Only members who may do this (core/permissions.py) open the view."""
    if action not in ACTIONS:
        raise KeyError(f"{action} is not in core/permissions.py")

    def mark(view: View) -> View:
        view.access = action  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Anybody may open the view; what it shows is protected by itself (a signed link, a signature) or by nothing."""
    view.access = PUBLIC  # type: ignore[attr-defined]
    return view


def signed(view: View) -> View:
    """A webhook: public, and free of the CSRF token because it checks the sender's signature instead."""
    view.carries_signature = True  # type: ignore[attr-defined]
    return public(view)


def carries_signature(view: Callable[..., Any]) -> bool:
    """Whether a view checks a signature of its own."""
    return bool(getattr(view, "carries_signature", False))


def during_setup(view: View) -> View:
    """Open until an administrator exists, and 404 from then on unless one is signed in."""
    view.access = SETUP  # type: ignore[attr-defined]
    return view


def access_of(app: Flask, endpoint: str) -> str | None:
    """The declaration of a view: an action, "public", "setup", or None."""
    if endpoint == "static":
        return PUBLIC
    return getattr(app.view_functions[endpoint], "access", None)


def may(action: str) -> bool:
    """Whether the person signed in may do this. For templates and views."""
    return bool(current_user.is_authenticated and is_allowed(current_user.role, action))


def may_visit(endpoint: str) -> bool:
    """Whether the person signed in may open this page. For the navigation."""
    access = access_of(current_app, endpoint)
    if access == SETUP:
        return may("settings.edit")
    return access == PUBLIC or (access in ACTIONS and may(access))


def install(app: Flask) -> None:
    """Flask-Login, and the guard in front of every view."""
    manager = LoginManager(app)
    manager.user_loader(_load_user)
    app.before_request(_guard)
    app.jinja_env.globals["may"] = may


def check_every_view(app: Flask) -> None:
    """Called when all is registered. Raises RuntimeError naming the views that forgot to say who may open them."""
    silent = [name for name in app.view_functions if access_of(app, name) is None]
    if silent:
        raise RuntimeError(f"no access declared for: {', '.join(sorted(silent))}")


def _load_user(stored: str) -> SignedIn | None:
    user_id, _, epoch = stored.partition(".")
    if not user_id.isdigit():
        return None
    user = reads().scalar(select(User).where(User.id == int(user_id)))
    if user is None or not user.is_active or str(user.session_epoch) != epoch:
        return None
    return SignedIn(user)


def _is_set_up() -> bool:
    """Looked up until it is true; it never becomes false again."""
    if not current_app.config.get("IS_SET_UP"):
        current_app.config["IS_SET_UP"] = has_admin(reads())
    return bool(current_app.config["IS_SET_UP"])


def _guard() -> Response | None:
    if request.endpoint is None:
        return None  # 404 and 405 are raised by Flask itself
    access = access_of(current_app, request.endpoint)
    if access == PUBLIC and (request.endpoint in _ALWAYS_OPEN):
        return None
    if access == SETUP:
        return None  # the area itself checks the token and whether setup is over
    if not _is_set_up():
        abort(503, "Nightdesk is not set up yet. Open the setup link that the start has printed.")
    if access == PUBLIC:
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    if not may(cast(str, access)):
        abort(403)
    return None


def _to_sign_in() -> Response:
    """Back to where they were after signing in; a post cannot be repeated, so its page is asked for."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    if request.headers.get("HX-Request"):
        wanted = request.headers.get("HX-Current-URL", "")
        wanted = "/" + wanted.split("/", 3)[3] if wanted.count("/") >= 3 else ""
    target = url_for("auth.login", next=wanted or None)
    if request.headers.get("HX-Request"):
        response = Response(status=401)
        response.headers["HX-Redirect"] = target
        return response
    return redirect(target, code=303)
