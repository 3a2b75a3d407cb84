"""What Twilio posts: inbound texts and delivery states. Stored and woken here, understood by the worker."""

from __future__ import annotations

from flask import abort, request
from werkzeug.wrappers import Response

from portal.core.ports import SentSms
from portal.integrations.twilio.webhook import SIGNATURE_HEADER, is_signed, parse_inbound, parse_status
from portal.services.answers import store_inbound
from portal.services.notifications import record_receipt
from portal.services.settings import open_secret
from portal.web.auth import signed
from portal.web.state import config, context, now, reads, write
from portal.web.texts import bp

TWILIO = "twilio"
_NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@bp.post("/twilio")
@signed
def twilio_inbound() -> Response:
    """A text from a phone. The answer goes out through the outbox, so this one is empty."""
    _check_signature()
    text = parse_inbound(request.form, received_at=context().clock.lease_now())
    if text is not None:
        with write() as uow:
            store_inbound(uow, TWILIO, [text], now=now())
    return Response(_NO_ANSWER, mimetype="text/xml")


@bp.post("/twilio/status")
@signed
def twilio_status() -> Response:
    """How one of our texts fares."""
    _check_signature()
    state = parse_status(request.form)
    if state is not None:
        provider_id, name, code, words = state
        sent = SentSms(provider_id, name, "", "", now(), code, words)
        record_receipt(context(), provider=TWILIO, sent=sent)
    return Response(status=204)


def _check_signature() -> None:
    """Twilio signs the address it was given: the configured one, never the Host header (decisions.md 7)."""
    token = open_secret(reads(), "sms.twilio_token", box=context().box)
    query = f"?{request.query_string.decode()}" if request.query_string else ""
    url = f"{config().site_url}{request.path}{query}"
    signature = request.headers.get(SIGNATURE_HEADER, "")
    if not config().site_url or not is_signed(token, url=url, form=request.form, signature=signature):
        abort(403)
