"""On call: the roster by week and month, and its shifts."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("oncall", __name__, url_prefix="/oncall")

from portal.web.oncall import rotations, schedules, shifts, views  # noqa: E402, F401
