"""The requester's own page of a ticket, by its private link."""

from __future__ import annotations

from flask import Blueprint

from portal.web.uploads import take_large_posts

bp = Blueprint("status", __name__, url_prefix="/r/<mark>")
take_large_posts(bp)

from portal.web.status import views  # noqa: E402, F401
