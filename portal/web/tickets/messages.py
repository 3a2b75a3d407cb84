"""One message as it was sent, and the pictures that came with it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, abort, make_response, render_template, request, url_for
from markupsafe import Markup

from portal.core.mail_display import picture_type, point_pictures
from portal.services.message_view import load_as_sent
from portal.services.ticket_view import find_attachment, read_attachment
from portal.web.auth import requires
from portal.web.state import reads
from portal.web.tickets import bp

_LARGEST_PICTURE = 20_000_000
# Nothing runs, nothing is sent, nothing is fetched but pictures; "same-origin" so that ours come with the session.
_SANDBOX = "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
_POLICY = (
    "default-src 'none'; img-src 'self' data:{remote}; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " + _SANDBOX
)


@bp.get("/<int:ticket_id>/messages/<int:message_id>")
@requires("tickets.view")
def message(ticket_id: int, message_id: int) -> Response:
    """A message as its sender laid it out. Pictures from the internet only when asked for, for this one look."""
    with_remote = request.args.get("pictures") == "1"
    found = load_as_sent(reads(), ticket_id, message_id, with_remote=with_remote) or abort(404)
    html = point(found.html, found.pictures, ticket_id=ticket_id)
    ids = {"ticket_id": ticket_id, "message_id": message_id}
    response = make_response(
        render_template("tickets/message.html", found=found, html=html, with_remote=with_remote, **ids)
    )
    response.headers["Content-Security-Policy"] = _POLICY.format(remote=" https: http:" if with_remote else "")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/<int:ticket_id>/files/<int:file_id>/picture")
@requires("tickets.view")
def picture(ticket_id: int, file_id: int) -> Response:
    """A picture of a mail, for its own page. Its type is what its bytes are, whatever the sender called it."""
    found = find_attachment(reads(), ticket_id, file_id)
    if found is None or found.size > _LARGEST_PICTURE:
        abort(404)
    data = b"".join(read_attachment(reads(), found))
    response = Response(data, mimetype=picture_type(data[:16]) or abort(404))
    response.headers["Content-Disposition"] = "inline"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def point(html: str, pictures: Mapping[str, int], *, ticket_id: int) -> Markup:
    """HTML made safe before, with its own pictures at our addresses."""
    urls = {
        content_id: url_for("tickets.picture", ticket_id=ticket_id, file_id=file_id)
        for content_id, file_id in pictures.items()
    }
    return Markup(point_pictures(html, urls=urls))  # noqa: S704 - sanitised when it was taken in
