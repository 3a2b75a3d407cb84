"""Rules for mail as it comes in: who is let in, what is set aside, what a monitoring system means."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("mail_rules", __name__, url_prefix="/mail/rules")

from portal.web.mail_rules import views  # noqa: E402, F401
