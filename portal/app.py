"""`create_app()`: register, and nothing else."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any

from flask import Flask, Response, request
from flask_login import current_user
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.config import PROJECT_ROOT, Config, load_config
from portal.services.alarms import open_alarms
from portal.services.context import Context
from portal.web import auth, errors, formats, htmx, ids, nav, state, traces
from portal.web.prefix import PathPrefix
from portal.wiring import build

# Each is a folder of portal/web with a blueprint `bp`.
AREAS = (
    "account", "customers", "dashboard", "feeds", "form", "holiday_duty", "holidays", "hours", "jobs", "mail",
    "mail_rules", "mail_stops", "mail_words", "mailboxes", "oncall", "overrides", "pages", "people", "roster_report",
    "rules", "sandbox", "settings", "setup", "status", "swaps", "system", "texts", "tickets",
)  # fmt: skip
MAX_REQUEST_BYTES = 64 * 1024 * 1024
_CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

csrf = CSRFProtect()


def create_app(config: Config | None = None, context: Context | None = None) -> Flask:
    """The portal. Without arguments everything comes from the environment (`wsgi.py`)."""
    config = config or load_config()
    context = context or build(config)
    app = Flask("portal", root_path=str(PROJECT_ROOT), template_folder="templates", static_folder="static")
    _configure(app, config, context)
    traces.install(app)
    ids.install(app)
    state.install(app, context, config)
    htmx.install(app)
    auth.install(app)
    csrf.init_app(app)
    errors.install(app)
    formats.register(app, zone=lambda: state.site().zone, now=context.clock.now)
    _add_words(app, config.path_prefix)
    for area in AREAS:
        bp = import_module(f"portal.web.{area}").bp
        app.register_blueprint(bp)
    for view in app.view_functions.values():
        if auth.carries_signature(view):
            csrf.exempt(view)
    app.after_request(_protect)
    auth.check_every_view(app)
    return app


def _configure(app: Flask, config: Config, context: Context) -> None:
    is_https = config.site_url.startswith("https://")
    app.config.update(
        SECRET_KEY=context.box.mac("web session", b""),
        SESSION_COOKIE_NAME="nightdesk",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH=f"{config.path_prefix}/",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        WTF_CSRF_TIME_LIMIT=None,  # a page left open over night must still work
        WTF_CSRF_SSL_STRICT=is_https,
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        CAN_RESTART=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.auto_reload = False
    app.url_map.redirect_defaults = False  # /hours/1 is asked for its rights itself, as each other number is
    if config.trusted_proxies:
        n = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=n, x_proto=n, x_host=n, x_prefix=0)  # type: ignore[method-assign]
    if config.path_prefix:
        app.wsgi_app = PathPrefix(app.wsgi_app, config.path_prefix)  # type: ignore[method-assign]


@cache
def _content_mark(name: str) -> str:
    return hashlib.sha256((PROJECT_ROOT / "static" / name).read_bytes()).hexdigest()[:12]


def _add_words(app: Flask, prefix: str) -> None:
    """What every template may use. `prefix` is the path in front of every page."""

    @cache  # a page names fifty icons: routing each anew took a tenth of its time
    def static_url(name: str) -> str:
        return f"{prefix}/static/{name}?v={_content_mark(name)}"

    def words() -> dict[str, Any]:
        alarms = open_alarms(state.reads()) if current_user.is_authenticated else ()
        return {"site": state.site(), "alarms": [alarm.text for alarm in alarms]}

    app.context_processor(words)
    app.jinja_env.globals.update(
        static_url=static_url, nav_items=lambda: nav.visible_items(auth.may_visit), wants_partial=htmx.wants_partial
    )


def _protect(response: Response) -> Response:
    """Headers of every answer (decisions.md 7)."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.add("Vary", "HX-Request")
    if state.config().site_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response
