"""How tickets are sorted: rules, categories and queues, words, and a place to try them out."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("rules", __name__, url_prefix="/rules")

from portal.web.rules import sorting, tryout, views, words  # noqa: E402, F401
