"""The first page after signing in: what waits, who is on call, whether all is well."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("dashboard", __name__)

from portal.web.dashboard import views  # noqa: E402, F401
