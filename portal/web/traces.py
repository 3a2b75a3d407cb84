"""Log lines say which request they belong to. The endpoint, never the path: paths carry one-time tokens."""

from __future__ import annotations

import uuid

import structlog
from flask import Flask, request


def install(app: Flask) -> None:
    """Bind a short id to every line that a request logs."""

    @app.before_request
    def bind() -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=uuid.uuid4().hex[:8], endpoint=request.endpoint or "-")

    @app.teardown_request
    def unbind(error: BaseException | None) -> None:
        structlog.contextvars.clear_contextvars()
