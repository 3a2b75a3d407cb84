"""Who is on call on holidays."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("holiday_duty", __name__, url_prefix="/oncall/holidays")

from portal.web.holiday_duty import views  # noqa: E402, F401
