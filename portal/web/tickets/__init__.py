"""Tickets: the list with its search, the page of one ticket, and what is done there."""

from __future__ import annotations

from flask import Blueprint

from portal.web.uploads import take_large_posts

bp = Blueprint("tickets", __name__, url_prefix="/tickets")
take_large_posts(bp)

from portal.web.tickets import messages, relations, views, work  # noqa: E402, F401
