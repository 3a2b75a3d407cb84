"""What Twilio posts to us: inbound texts and delivery states, signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portal.core.ports import InboundSms
from portal.integrations.twilio.adapter import explain_error, state_of

SIGNATURE_HEADER = "X-Twilio-Signature"


def is_signed(auth_token: str, *, url: str, form: Any, signature: str) -> bool:
    """Whether Twilio signed this post.

    Args:
        auth_token: the account's secret; without one nothing is trusted.
        url: the public address as configured (never from request headers), with path and query.
        form: Werkzeug's MultiDict itself: a plain dict would lose repeated fields.
        signature: the X-Twilio-Signature header.
    """
    from twilio.request_validator import RequestValidator

    if not auth_token or not signature:
        return False
    return bool(RequestValidator(auth_token).validate(url, form, signature))


def parse_inbound(form: Mapping[str, str], *, received_at: datetime) -> InboundSms | None:
    """A text from a phone; None when the post is something else (a delivery state, a message without words or id)."""
    provider_id, sender = form.get("MessageSid", ""), form.get("From", "")
    if not provider_id or not sender or "Body" not in form:
        return None
    return InboundSms(provider_id, sender, form["Body"], received_at)


def parse_status(form: Mapping[str, str]) -> tuple[str, str, str, str] | None:
    """(provider id, our state, error code, the error in words) of a delivery state, None when it is something else."""
    provider_id, status = form.get("MessageSid", ""), form.get("MessageStatus", "")
    if not provider_id or not status:
        return None
    code = form.get("ErrorCode", "")
    return provider_id, state_of(status), code, explain_error(code)
