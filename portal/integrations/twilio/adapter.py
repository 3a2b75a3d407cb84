"""Twilio Programmable Messaging on the official SDK, one account and one sender.

The SDK is imported when the first call is made. It never retries here: the outbox decides (house.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from portal.core.errors import GatewayError
from portal.core.ports import InboundSms, SentSms

TIMEOUT = 10.0
_PAGE_SIZE = 100
_LOOK_UP_LIMIT = 500
_CLOCK_SKEW = timedelta(minutes=5)

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
_STATES = {
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
}
# https://www.twilio.com/docs/api/errors: what to do about it, in words a person can act on.
ERRORS = {
    "20003": "Twilio refuses the account SID or the token. Correct them under Settings.",
    "20005": "The Twilio account is suspended. Look at its billing page.",
    "20404": "Twilio does not know this account or text.",
    "21211": "This is not a phone number a text can be sent to. Correct the number.",
    "21212": "The sender number is not valid. Correct it under Settings.",
    "21408": "The Twilio account may not send to this country. Allow it in the account's geo permissions.",
    "21606": "The sender number does not belong to this Twilio account, or cannot send texts.",
    "21608": "A trial account sends only to numbers verified at Twilio.",
    "21610": "The owner of this phone texted STOP. They must text START to get pages again.",
    "21611": "Too many texts wait for this sender at Twilio.",
    "21614": "This number cannot receive texts. Give another number.",
    "21659": "The sender number does not belong to this Twilio account.",
    "30001": "Too many texts wait for this sender at Twilio.",
    "30002": "The Twilio account is suspended. Look at its billing page.",
    "30003": "The phone is switched off or out of reach.",
    "30004": "The phone's owner or carrier blocks our texts.",
    "30005": "The number does not exist any more.",
    "30006": "A landline, or a carrier that cannot be reached.",
    "30007": "The carrier took the text for spam. The sender may lack its registration.",
    "30008": "The carrier could not deliver the text and gives no reason.",
    "30032": "The toll-free sender number is not verified yet.",
    "30034": "The sender number is not registered for texts in the United States (A2P 10DLC).",
    "30454": "The account's daily limit is reached.",
}
_WAIT_CODES = {"20429", "21611", "14107", "30022", "30454"}
_WAIT_STATUSES = {408, 425, 429}


@dataclass(frozen=True)
class TwilioAccount:
    """What the settings page asks for.

    Args:
        account_sid: "AC...".
        auth_token: the secret.
        sender: our number (E.164) or a messaging service ("MG...").
        base_url: empty for Twilio itself; another scheme and host for a proxy or a test.
        status_callback: where Twilio posts delivery states; empty where we have no public address.
    """

    account_sid: str
    auth_token: str
    sender: str
    base_url: str = ""
    status_callback: str = ""

    def __repr__(self) -> str:
        return f"TwilioAccount({self.account_sid})"


class TwilioGateway:
    """`SmsGateway` for one Twilio account."""

    name = "twilio"

    def __init__(self, account: TwilioAccount, *, timeout: float = TIMEOUT) -> None:
        self._account = account
        self._timeout = timeout

    @cached_property
    def _http(self) -> Any:
        return _http_client(self._account.base_url, self._timeout)

    @cached_property
    def _client(self) -> Any:
        from twilio.rest import Client

        return Client(self._account.account_sid, self._account.auth_token, http_client=self._http)

    def send(self, ref: str, to: str, text: str) -> SentSms:
        """Twilio keeps no reference of ours, so `ref` stays here; see `find_sent`."""
        is_service = self._account.sender.startswith("MG")
        sender = {"messaging_service_sid" if is_service else "from_": self._account.sender}
        callback = {"status_callback": self._account.status_callback} if self._account.status_callback else {}
        with self._errors(creates=True):
            return _to_sent(self._client.messages.create(to=to, body=text, **sender, **callback))

    def find_sent(self, to: str, since: datetime, ref: str, text: str) -> SentSms | None:
        """By receiver, time and exact text.

        Not by Twilio's `DateSent` filter: a text still in its queue has no such date.
        """
        earliest = since - _CLOCK_SKEW
        with self._errors():
            for message in self._client.messages.stream(to=to, page_size=_PAGE_SIZE, limit=_LOOK_UP_LIMIT):
                if message.date_created and message.date_created < earliest:
                    return None
                if message.direction != "inbound" and (message.body or "").strip() == text.strip():
                    return _to_sent(message)
        return None

    def fetch_status(self, provider_id: str) -> SentSms:
        """One GET."""
        with self._errors():
            return _to_sent(self._client.messages(provider_id).fetch())

    def list_inbound(self, since: datetime) -> Sequence[InboundSms]:
        """All pages of what reached our sender since then, oldest first."""
        own = {} if self._account.sender.startswith("MG") else {"to": self._account.sender}
        with self._errors():
            stream = self._client.messages.stream(date_sent_after=since, page_size=_PAGE_SIZE, **own)
            found = [_to_inbound(message) for message in stream if message.direction == "inbound"]
        return sorted((text for text in found if text.received_at >= since), key=lambda text: text.received_at)

    def check_account(self) -> str:
        """The account's own word on its state."""
        with self._errors():
            account = self._client.api.accounts(self._account.account_sid).fetch()
        if account.status != "active":
            raise GatewayError(f"The Twilio account is {account.status}.", permanent=True, code="20005")
        kind = " It is a trial account: it sends only to verified numbers." if account.type == "Trial" else ""
        return f'The Twilio account "{account.friendly_name}" is active.{kind}'

    @contextmanager
    def _errors(self, *, creates: bool = False) -> Iterator[None]:
        """Everything the SDK raises becomes a GatewayError. `creates`: a lost answer may hide a text that went out."""
        from requests import exceptions as lost
        from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

        try:
            yield
        except (TwilioRestException, TwilioServiceException) as error:
            raise _from_answer(error.status, str(error.code or ""), self._http.retry_after, creates=creates) from None
        except lost.ConnectTimeout:
            raise GatewayError("Twilio cannot be reached.", code="connect") from None
        except lost.RequestException as error:
            maybe_done = creates and not _was_never_sent(error)
            raise GatewayError("The connection to Twilio broke off.", maybe_done=maybe_done, code="network") from None
        except (TwilioException, ValueError, TypeError, KeyError, AttributeError):
            # What the SDK raises depends on which part of its answer is missing or of the wrong kind.
            raise GatewayError("Twilio's answer was not understood.", maybe_done=creates, code="garbage") from None


def _http_client(base_url: str, timeout: float) -> Any:
    """The SDK's HTTP client with our time-out and host, which remembers what a refusal asked us to wait."""
    from twilio.http.http_client import TwilioHttpClient

    base = urlsplit(base_url)

    class HttpClient(TwilioHttpClient):  # type: ignore[misc,unused-ignore]
        _waits = threading.local()

        @property
        def retry_after(self) -> float | None:
            """Seconds that the last answer to this thread asked us to wait."""
            return getattr(self._waits, "seconds", None)

        def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
            if base_url:
                parts = urlsplit(url)
                url = urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + parts.path, parts.query, ""))
            response = super().request(method, url, *args, **kwargs)
            wait = (response.headers or {}).get("Retry-After", "")
            self._waits.seconds = float(wait) if wait.isdecimal() else None
            return response

    return HttpClient(timeout=timeout, max_retries=0)


def _from_answer(status: int, code: str, retry_after: float | None, *, creates: bool) -> GatewayError:
    if status in _WAIT_STATUSES or code in _WAIT_CODES:
        return GatewayError(explain_error(code) or "Twilio asks us to wait.", retry_after=retry_after, code=code)
    if status >= 500:
        message = f"Twilio has a fault of its own ({status})."
        return GatewayError(message, retry_after=retry_after, maybe_done=creates, code=code)
    reason = explain_error(code) or f"Twilio refused this ({code or status})."
    return GatewayError(reason, permanent=True, code=code)


def _was_never_sent(error: Exception) -> bool:
    """Whether the connection was refused before a byte of the request left."""
    from urllib3.exceptions import NameResolutionError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | NameResolutionError)


def explain_error(code: str) -> str:
    """One sentence on a Twilio error code, empty for an unknown one."""
    return ERRORS.get(code, "")


def state_of(status: str) -> str:
    """Our four states of a text for Twilio's; what is under way is accepted."""
    return _STATES.get(status, "accepted")


def _to_sent(message: Any) -> SentSms:
    if not message.sid or not message.date_created:
        raise ValueError("a text without an id or a date")
    code = str(message.error_code or "")
    explained = explain_error(code) or (message.error_message or "")
    return SentSms(
        message.sid,
        state_of(message.status or ""),
        message.to or "",
        message.body or "",
        message.date_created,
        code,
        explained,
    )


def _to_inbound(message: Any) -> InboundSms:
    received_at = message.date_sent or message.date_created
    return InboundSms(message.sid, message.from_ or "", message.body or "", received_at)
