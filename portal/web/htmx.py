"""One route, two renderings (house.md): the partial for htmx, the page that includes it for everybody else."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, flash, make_response, redirect, render_template, request
from htmx_flask import Htmx
from werkzeug.wrappers import Response

_htmx = Htmx()


def install(app: Flask) -> None:
    """Reading of the request's HX headers, by htmx-flask; answers are ours (its own refuse valid swaps)."""
    _htmx.init_app(app)


def wants_partial() -> bool:
    """The request is htmx's, and neither boosted nor a history restore."""
    htmx = cast(Any, request).htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_partial(page: str, partial: str, **values: Any) -> str:
    """The partial template for htmx, the page otherwise. The page includes the same partial."""
    return render_template(partial if wants_partial() else page, **values)


def refused(page: str, partial: str, **values: Any) -> tuple[str, int]:
    """The form again with its errors: 422."""
    return render_partial(page, partial, **values), 422


def saved(url: str, message: str = "", tone: str = "good") -> Response:
    """After a change by a plain form: 303 to the page that shows it, with a message there."""
    if message:
        flash(message, tone)
    if wants_partial():
        response = Response(status=204)
        response.headers["HX-Redirect"] = url
        return response
    return redirect(url, code=303)


def with_trigger(body: str, *events: str, status: int = 200) -> Response:
    """A partial that also tells the page what happened, in the past tense (`HX-Trigger`)."""
    response = make_response(body, status)
    response.headers["HX-Trigger"] = ", ".join(events)
    return response


def dialog_done(body: str, target: str) -> Response:
    """What a form in the dialog asked for is done: close it, and replace `target` (a selector) by `body`."""
    response = with_trigger(body, "dialog-close")
    response.headers["HX-Retarget"] = target
    response.headers["HX-Reswap"] = "outerHTML"
    return response


def local_path(text: str | None, default: str) -> str:
    """A `next` that stays in this site; anything else is the default."""
    path = text or ""
    # Browsers read a backslash as a slash, and leave out tabs and line breaks wherever they stand.
    is_plain = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if is_plain else default
