"""The system page: processes, versions, restart, health."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("system", __name__)

from portal.web.system import views  # noqa: E402, F401
