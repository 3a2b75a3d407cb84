"""What goes wrong, as a page with a sentence: never a trace, never a lost form without a word."""

from __future__ import annotations

import structlog
from flask import Flask, abort, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.core.errors import DomainError
from portal.models import DatabaseBusyError
from portal.web.htmx import wants_partial

log = structlog.get_logger(__name__)

_TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "Not for your role",
    404: "Nothing here",
    405: "Not that way",
    413: "Too large",
    422: "That did not work",
    429: "Too many at once",
    500: "Something went wrong",
    503: "Not now",
}
_TEXTS = {
    403: "Your role does not allow this. An administrator can change it.",
    404: "This page does not exist, or not any more.",
    405: "This address is not opened like that.",
    413: "What you sent is larger than we take.",
    500: "It is noted in the log. Nothing you did was saved halfway; please try again.",
}


def install(app: Flask) -> None:
    """One handler for each kind of failure."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(DatabaseBusyError, _busy)
    app.register_error_handler(DomainError, _refused)
    app.before_request(_refuse_nul)
    # Flask's own line names the path, and paths carry secrets. `_http` logs what happened.
    app.log_exception = lambda exc_info: None  # type: ignore[method-assign]


def _refuse_nul() -> None:
    """No browser sends a NUL, and PostgreSQL keeps none: said here, once, for every field, file name and address."""
    texts = [request.path, *(file.filename or "" for _, file in request.files.items(multi=True))]
    texts += (value for fields in (request.args, request.form) for _, value in fields.items(multi=True))
    if any("\x00" in text for text in texts):
        abort(400, "This has a character in it that no text has (NUL). Please enter it again.")


def _page(code: int, text: str) -> tuple[str, int]:
    template = "errors/_error.html" if wants_partial() else "errors/error.html"
    return render_template(template, code=code, title=_TITLES.get(code, "That did not work"), text=text), code


def _http(error: HTTPException) -> tuple[str, int] | HTTPException:
    code = error.code or 500
    if code < 400:
        return error
    if isinstance(error, InternalServerError):
        log.error("a request failed", exc_info=error.original_exception)
        try:
            return _page(500, _TEXTS[500])
        except SQLAlchemyError:  # it is the database, and every page shows something of it
            return _TEXTS[500], 500
    is_ours = error.description and error.description != type(error).description
    return _page(code, str(error.description) if is_ours else _TEXTS.get(code, "Please go back and try again."))


def _forged(error: CSRFError) -> tuple[str, int]:
    return _page(400, "This form was not made by us, or you have signed in again since. Reload the page and try again.")


def _busy(error: DatabaseBusyError) -> tuple[str, int]:
    return _page(503, str(error))


def _refused(error: DomainError) -> tuple[str, int]:
    return _page(422, str(error))
