"""Pages: who is being asked, taking them, asking now, and who is asked next."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("pages", __name__, url_prefix="/pages")

from portal.web.pages import steps, views  # noqa: E402, F401
