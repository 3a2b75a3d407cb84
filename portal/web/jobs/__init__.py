"""Scheduled jobs: what runs by itself, when, and how it went."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

from portal.web.jobs import views  # noqa: E402, F401
