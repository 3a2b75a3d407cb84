"""Mail that does not go out: addresses that are held back, and the circuit breaker."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("mail_stops", __name__, url_prefix="/mail/stopped")

from portal.web.mail_stops import views  # noqa: E402, F401
