"""Swaps: ask a colleague to take a duty, and the answers, signed in or by a link."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("swaps", __name__)
by_link = Blueprint("link", __name__, url_prefix="/swap")

from portal.web.swaps import link, views  # noqa: E402, F401

bp.register_blueprint(by_link)
