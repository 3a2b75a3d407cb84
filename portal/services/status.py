"""How the site stands, for `portal status`, the system page and `/healthz`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from portal.models import Page
from portal.services.mail_intake import count_unexplained


@dataclass(frozen=True)
class SiteStatus:
    """`schema` is the database's migration, "" for one that has never been migrated."""

    schema: str
    unexplained_mails: int
    open_pages: int


def load_status(session: Session, *, now: datetime) -> SiteStatus:
    """A few small statements. A database that was never migrated has nothing in it."""
    schema = schema_version(session)
    if not schema:
        return SiteStatus("", 0, 0)
    open_pages = select(func.count()).select_from(Page).where(Page.state == "open")
    return SiteStatus(schema, count_unexplained(session, now=now), session.scalar(open_pages) or 0)


def schema_version(session: Session) -> str:
    """The migration the database is at."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return ""
    return session.scalar(text("SELECT version_num FROM alembic_version")) or ""
