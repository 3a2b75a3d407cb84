"""Business hours: when the shop is open, and by which calendar each queue goes."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("hours", __name__, url_prefix="/hours")

from portal.web.hours import calendars, special, tryout, views  # noqa: E402, F401
