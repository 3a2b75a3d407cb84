"""The page behind the link in the mail: no signing in, nothing but this one request, and only a press counts.

A mail program that follows links before its owner does sees the page and changes nothing.
"""

from __future__ import annotations

from flask import Response, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response as BaseResponse

from portal.core.errors import DomainError
from portal.core.swaps import thanks_text
from portal.services.swaps import answer_swap, find_by_token
from portal.web.auth import public
from portal.web.htmx import saved
from portal.web.state import context, now, reads, write
from portal.web.swaps import by_link

_AGAIN = "This page was open in another session, so your answer was not counted. Please press once more."


@by_link.get("/<token>")
@public
def show(token: str) -> Response:
    """Who asks for what, with a yes and a no."""
    return _page(token)


@by_link.post("/<token>")
@public
def answer(token: str) -> Response | BaseResponse:
    """The press of a button."""
    view = find_by_token(reads(), token, now=now())
    said = request.form.get("answer")
    if view is None or view.ended or said not in ("yes", "no"):
        return _page(token)
    try:
        with write() as uow:
            done = answer_swap(
                context(), uow, view.id, person_id=view.terms.to_id, accept=said == "yes", how="link", at=now()
            )
    except DomainError as error:
        return _page(token, refusal=str(error), status=409)
    return saved(
        url_for("swaps.link.show", token=token), f"{thanks_text(done.asker, done.terms, accept=said == 'yes')}."
    )


@by_link.errorhandler(CSRFError)
def show_again(error: CSRFError) -> Response:
    """The session ended while the page was open."""
    return _page((request.view_args or {})["token"], refusal=_AGAIN, status=400)


def _page(token: str, *, refusal: str = "", status: int = 200) -> Response:
    view = find_by_token(reads(), token, now=now())
    status = 404 if view is None and status == 200 else status
    response = make_response(render_template("swaps/link.html", view=view, refusal=refusal), status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
