"""Holidays: the year and the month, their days, lists and files to import, and rules of every year."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("holidays", __name__, url_prefix="/holidays")

from portal.web.holidays import days, feeds, lists, rules, views  # noqa: E402, F401
