"""Sandbox phones: the pretended provider's phones, drawn on a page."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("sandbox", __name__, url_prefix="/sandbox")

from portal.web.sandbox import views  # noqa: E402, F401
