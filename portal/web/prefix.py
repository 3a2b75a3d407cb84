"""A path in front of every page, when a proxy hands `/help/tickets` on as it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PathPrefix:
    """Moves the prefix from PATH_INFO to SCRIPT_NAME, so that every `url_for` carries it. Other paths are 404."""

    def __init__(self, app: WsgiApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path != self._prefix and not path.startswith(f"{self._prefix}/"):
            start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"Nothing here."]
        environ["SCRIPT_NAME"] = self._prefix
        environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        return self._app(environ, start_response)
