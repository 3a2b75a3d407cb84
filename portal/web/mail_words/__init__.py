"""The words of the mails we send, edited with a preview."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("mail_words", __name__, url_prefix="/mail/words")

from portal.web.mail_words import views  # noqa: E402, F401
