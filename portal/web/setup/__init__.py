"""The first run: an account by the one-time token, then a few steps, each of which can wait."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("setup", __name__, url_prefix="/setup")

from portal.web.setup import steps, views  # noqa: E402, F401
