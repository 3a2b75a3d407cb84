"""The one-time token that lets the first person in: a file in the data folder, there until an administrator exists."""

from __future__ import annotations

import base64
import hmac
import os
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import User
from portal.services.context import Context

_FILE = "setup-token"
_BYTES = 20


def has_admin(session: Session) -> bool:
    """Whether anybody may set things up already. Then there is no `/setup` any more."""
    return session.scalar(select(User.id).where(User.role == "admin").limit(1)) is not None


def ensure_setup_token(context: Context, data_dir: Path) -> str | None:
    """The token, made once and the same until an administrator exists; then None, and the file is gone."""
    with context.database.read_session() as session:
        if has_admin(session):
            end_setup(data_dir)
            return None
    token = _read(data_dir)
    if not token:
        token = base64.b32encode(context.random.token(_BYTES)).decode().lower()
        _write(data_dir / _FILE, token)
    return token


def is_setup_token(data_dir: Path, candidate: str) -> bool:
    """Whether this is the token. False when setup is over."""
    token = _read(data_dir)
    return bool(token) and hmac.compare_digest(token.encode(), candidate.strip().lower().encode())


def end_setup(data_dir: Path) -> None:
    """An administrator exists: the token opens nothing any more."""
    (data_dir / _FILE).unlink(missing_ok=True)


def _read(data_dir: Path) -> str:
    try:
        return (data_dir / _FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def _write(path: Path, token: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(token + "\n")
    fresh.replace(path)
