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
from portal.web.swaps import bp

_AGAIN = "This page was open in another session, so your answer was not counted. Please press once more."


@bp.get("/swap/<token>")
@public
def by_link(token: str) -> Response:
    """Who asks for what, with a yes and a no."""
    return _page(token)


@bp.post("/swap/<token>")
@public
def answer_by_link(token: str) -> Response | BaseResponse:
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
    return saved(url_for("swaps.by_link", token=token), f"{thanks_text(done.asker, done.terms, accept=said == 'yes')}.")


@bp.errorhandler(CSRFError)
def show_again(error: CSRFError) -> Response:
    """The session ended while the page was open."""
    token = (request.view_args or {}).get("token")
    if token is None:
        return make_response(
            render_template("errors/error.html", code=400, title="That did not work", text=_AGAIN), 400
        )
    return _page(token, refusal=_AGAIN, status=400)


def _page(token: str, *, refusal: str = "", status: int = 200) -> Response:
    view = find_by_token(reads(), token, now=now())
    status = 404 if view is None and status == 200 else status
    response = make_response(render_template("swaps/link.html", view=view, refusal=refusal), status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
