"""Exceptions from the roster: added, replaced, taken out, and taken back."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("overrides", __name__, url_prefix="/oncall/overrides")

from portal.web.overrides import views  # noqa: E402, F401
