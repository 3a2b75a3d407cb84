"""The ledger of mail: what came, what became of it, and what a person decides about it."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("mail", __name__, url_prefix="/mail")

from portal.web.mail import decide, views  # noqa: E402, F401
