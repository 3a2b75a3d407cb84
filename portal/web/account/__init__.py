"""Signing in and out, one's own password, and the one-time links of invitations and resets."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("auth", __name__)

from portal.web.account import views  # noqa: E402, F401
