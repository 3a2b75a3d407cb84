"""What a roster lacks in the next twelve months, who carries how much of it, and the hours for pay."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("roster_report", __name__, url_prefix="/oncall/report")

from portal.web.roster_report import views  # noqa: E402, F401
