"""What calendar programs read: no cookie, no page, nothing but the secret in the address."""

from __future__ import annotations

from contextlib import suppress

from flask import Response, abort, g, request

from portal.models import DatabaseBusyError
from portal.services.calendar_feeds import is_note_due, note_reading, open_feed, write_feed
from portal.web.auth import public
from portal.web.feeds import bp
from portal.web.state import context, now, write


@bp.get("/<token>.ics")
@public
def read(token: str) -> Response:
    """The feed; 304 while nothing in it has changed, 404 for every address that leads nowhere."""
    source = open_feed(g.read, token, now=now(), box=context().box)
    if source is None:
        abort(404)
    response = Response(mimetype="text/calendar")
    response.set_etag(source.tag)
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    response.headers["X-Robots-Tag"] = "noindex"
    if source.tag in request.if_none_match or "*" in request.headers.get("If-None-Match", ""):
        response.status_code = 304
    else:
        response.set_data(write_feed(source))
    if is_note_due(source, now=now()):
        # Only to show that the feed is read: not worth an answer, if somebody is writing just now.
        with suppress(DatabaseBusyError), write() as uow:
            note_reading(uow, source.feed_id, now=now())
    return response
