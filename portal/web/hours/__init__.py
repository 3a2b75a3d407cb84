"""Business hours: when the shop is open."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("hours", __name__, url_prefix="/hours")

from portal.web.hours import views  # noqa: E402, F401
