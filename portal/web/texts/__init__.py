"""Webhooks of the SMS provider: signed, and free of our own form token for that reason."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("texts", __name__, url_prefix="/texts")

from portal.web.texts import views  # noqa: E402, F401
