"""The browser remembers its owner, in a signed cookie that only this site reads."""

from __future__ import annotations

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from portal.web.state import context

COOKIE = "nightdesk_owner"
_YEAR = 365 * 24 * 3600


def load_owner() -> dict[str, str]:
    """Field name to text; empty when nobody is remembered or the cookie is not ours."""
    try:
        found = _signer().loads(request.cookies.get(COOKIE, ""))
    except BadSignature:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def save_owner(response: Response, owner: dict[str, str]) -> None:
    """Remember for a year."""
    config = current_app.config
    response.set_cookie(
        COOKIE,
        str(_signer().dumps(owner)),
        max_age=_YEAR,
        path=config["SESSION_COOKIE_PATH"],
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def forget_owner(response: Response) -> None:
    """Nobody is remembered any more."""
    response.delete_cookie(COOKIE, path=current_app.config["SESSION_COOKIE_PATH"])


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(context().box.mac("form owner", b""))
