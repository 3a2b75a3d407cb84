"""Holidays: the year, its days, and lists to import."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("holidays", __name__, url_prefix="/holidays")

from portal.web.holidays import views  # noqa: E402, F401
