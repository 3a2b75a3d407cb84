"""Calendar feeds: the roster in calendar programs, and calendar files made into shifts."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("feeds", __name__, url_prefix="/feeds")

from portal.web.feeds import importing, reading, views  # noqa: E402, F401
