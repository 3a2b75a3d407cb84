"""What a view reaches for: the context, the read session, the settings, the time, and who acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app, g
from flask_login import current_user
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from portal.config import Config
from portal.core.settings import SiteSettings
from portal.models import Database, ReadSession, UnitOfWork
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.settings import load_settings
from portal.services.tickets import Actor

_KEY = "nightdesk"


class _WebReadSession(ReadSession, FlaskSession):
    """The read session of a request. It ends with the request."""


class _ReadOnlySQLAlchemy(SQLAlchemy):
    """Flask-SQLAlchemy scopes the read session to the request; engines stay those of our Database."""

    def _make_engine(self, bind_key: str | None, options: dict[str, Any], app: Flask) -> Engine:
        return cast(Context, app.extensions[_KEY]).database.reader


_reads = _ReadOnlySQLAlchemy(session_options={"class_": _WebReadSession, "autoflush": False})


def install(app: Flask, context: Context, config: Config) -> None:
    """Give the app its context and each request its read session, `g.read`."""
    app.extensions[_KEY] = context
    app.extensions["nightdesk_config"] = config
    app.config["SQLALCHEMY_DATABASE_URI"] = config.database
    _reads.init_app(app)

    @app.before_request
    def open_reads() -> None:
        # Not the session itself: a download that streams on after the request gets one of its own, which ends with it.
        g.read = _reads.session


def context() -> Context:
    """Database, clock and ports."""
    return cast(Context, current_app.extensions[_KEY])


def config() -> Config:
    """What the process was started with."""
    return cast(Config, current_app.extensions["nightdesk_config"])


def database() -> Database:
    """For `with write() as uow:` see below; rarely needed itself."""
    return context().database


def reads() -> Session:
    """The request's read session, also as `g.read`."""
    return cast(Session, g.read)


@contextmanager
def write() -> Iterator[UnitOfWork]:
    """A unit of work. Ends the read session's snapshot first, so that what is shown afterwards is what was written.

    Rows that were read before are detached: read again what you decide on, in `uow.session`.
    """
    g.read.close()
    g.pop("site", None)
    with context().database.unit_of_work() as uow:
        yield uow


def site() -> SiteSettings:
    """The settings, read once a request."""
    if "site" not in g:
        g.site = load_settings(reads())
    return cast(SiteSettings, g.site)


def now() -> datetime:
    """Product time."""
    return context().clock.now()


def change() -> Change:
    """Who acts now, for the audit."""
    return Change(current_user.id if current_user.is_authenticated else None, now())


def actor() -> Actor:
    """Who acts now, for a ticket's history."""
    return Actor(current_user.name, current_user.id)
