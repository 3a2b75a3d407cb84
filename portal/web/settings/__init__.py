"""Settings: a page for each group, the switch between watching and live, and the test buttons."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("settings", __name__, url_prefix="/settings")

from portal.web.settings import tests, views  # noqa: E402, F401
