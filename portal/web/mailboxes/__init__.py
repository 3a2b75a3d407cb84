"""Mailboxes: where mail is read and sent."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("mailboxes", __name__, url_prefix="/mailboxes")

from portal.web.mailboxes import graph_views, state_views, test_mail, views  # noqa: E402, F401
