"""The requester's form: tell us what is wrong."""

from __future__ import annotations

from flask import Blueprint

from portal.web.uploads import take_large_posts

bp = Blueprint("form", __name__)
take_large_posts(bp)

from portal.web.form import views  # noqa: E402, F401
