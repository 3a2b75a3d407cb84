"""Whom the shop works for."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("customers", __name__, url_prefix="/customers")

from portal.web.customers import views  # noqa: E402, F401
