"""People: who works here, how they are reached, and whether they may sign in."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("people", __name__, url_prefix="/people")

from portal.web.people import views  # noqa: E402, F401
