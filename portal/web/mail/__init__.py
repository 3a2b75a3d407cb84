"""The ledger of mail: what came, and what became of it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("mail", __name__, url_prefix="/mail")

from portal.web.mail import views  # noqa: E402, F401
