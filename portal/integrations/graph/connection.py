"""Requests to Graph through O365's Account: our token, our time-outs, no retry and no sleep of its own.

O365 2.1 knows no delta query and sends no MIME, so its connection is used and not its message objects. Tokens are
not its business: the backend below hands ours over, and `msal_client` is never touched (a test holds it to that).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from O365 import Account, MSGraphProtocol
from O365.utils import BaseTokenBackend
from urllib3.exceptions import MaxRetryError

from portal.core.errors import GatewayError
from portal.integrations.oauth.settings import CLOUDS
from portal.integrations.oauth.tokens import AccessTokens

# At DEBUG, O365 logs the session's headers, the bearer token among them; at ERROR, addresses of people.
logging.getLogger("O365").setLevel(logging.CRITICAL)

TIMEOUT = 30.0
_IDS = 'IdType="ImmutableId"'
_CHUNK = 65_536
_ACCEPTED = 202
_CREATED = 201
_PAGES = ("text/html", "application/json")  # of some proxy: stored, one would stand in the mail's place

# Graph's own codes: https://learn.microsoft.com/en-us/graph/errors and what Exchange puts into them.
_WORDS = {
    "ErrorAccessDenied": "The application may not open this mailbox. Grant it Mail.Read and Mail.Send in Microsoft "
    "Entra, and check the application access policy of Exchange.",
    "Authorization_RequestDenied": "The application may not open this mailbox. Grant it Mail.Read and Mail.Send in "
    "Microsoft Entra.",
    "ErrorSendAsDenied": "This account may not send as this address. Grant it Send As in Exchange.",
    "ErrorInvalidUser": "Microsoft 365 has no mailbox with this address.",
    "Request_ResourceNotFound": "Microsoft 365 has no mailbox with this address.",
    "ResourceNotFound": "Microsoft 365 has no mailbox with this address.",
    "MailboxNotEnabledForRESTAPI": "This address has no mailbox in Exchange Online.",
    "MailboxNotSupportedForRESTAPI": "This address has no mailbox in Exchange Online.",
    "ErrorInvalidRecipients": "Microsoft 365 refuses one of the recipients.",
    "ErrorMessageSizeExceeded": "Microsoft 365 refuses this mail: it is too large.",
    "RequestEntityTooLarge": "Microsoft 365 refuses this mail: it is too large.",
    "ErrorQuotaExceeded": "The mailbox is full: nothing can be sent from it.",
}
MAIL_CODES = frozenset(("ErrorInvalidRecipients", "ErrorMessageSizeExceeded", "RequestEntityTooLarge"))
_ACCOUNT_CODES = frozenset(_WORDS) - MAIL_CODES
_RIGHT_CODES = frozenset(("ErrorAccessDenied", "Authorization_RequestDenied"))
# What passes by itself, whatever status it comes with.
_PASSING = frozenset(
    ("ErrorServerBusy", "ErrorTimeoutExpired", "ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable",
     "ErrorInternalServerTransientError", "ErrorConnectionFailed", "ErrorExceededConnectionCount", "MailboxInfoStale",
     "ErrorSubmissionQuotaExceeded", "ErrorExceededMessageLimit")
)  # fmt: skip
RESYNC = frozenset({"SyncStateNotFound", "SyncStateInvalid", "resyncRequired", "ResyncRequired", "syncStateNotFound"})
FOLDER_GONE = frozenset({"ErrorItemNotFound", "ErrorFolderNotFound", "ErrorInvalidIdMalformed", "ErrorInvalidId"})
UNREADABLE = frozenset({"ErrorMimeContentConversionFailed", "ErrorContentConversionFailed", "ErrorCorruptData"})


class NotAllowed(GatewayError):
    """403: the application lacks a right for this request."""


@dataclass(frozen=True)
class GraphSettings:
    """One mailbox: its address, the cloud it lies in. `url` replaces Graph's place, for proxies and tests."""

    address: str
    cloud: str = "global"
    url: str = ""
    timeout: float = TIMEOUT

    @property
    def root(self) -> str:
        """Where Graph is, without a slash at the end."""
        return (self.url or CLOUDS.get(self.cloud, CLOUDS["global"]).graph).rstrip("/")


class _Backend(BaseTokenBackend):  # type: ignore[misc]
    """What O365 asks about tokens. It is told that they never end: when they do, we renew them."""

    def load_token(self) -> bool:
        return True

    def save_token(self, force: bool = False) -> bool:
        return True

    def token_is_expired(self, *, username: str | None = None) -> bool:
        return False

    def get_access_token(self, *, username: str | None = None) -> dict[str, str] | None:
        return None


class GraphConnection:
    """One mailbox's requests. One call at a time."""

    def __init__(self, settings: GraphSettings, tokens: AccessTokens) -> None:
        self._settings, self._tokens = settings, tokens
        self._account: Account | None = None
        self.asked_at: datetime | None = None  # the server's clock at the last answer

    @property
    def settings(self) -> GraphSettings:
        """Whose mailbox, and where."""
        return self._settings

    @property
    def address(self) -> str:
        """Whose mailbox."""
        return self._settings.address

    def get(self, path: str, *, params: dict[str, str] | None = None, page_size: int = 0) -> dict[str, Any]:
        """A JSON answer. `path` stands behind "users/{address}/", or is a link that Graph gave."""
        prefer = {"Prefer": f"odata.maxpagesize={page_size}"} if page_size else {}
        return _json(self._ask("get", path, params=params, headers=prefer))

    def read(self, path: str, *, limit: int | None) -> tuple[bytes, int]:
        """The bytes behind an address, and how many there are at least. Stops once `limit` is passed."""
        response = self._ask("get", path, stream=True)
        pieces: list[bytes] = []
        total = 0
        try:
            for piece in response.iter_content(_CHUNK):
                pieces.append(piece)
                total += len(piece)
                if limit is not None and total > limit:
                    break
        except requests.RequestException as error:
            raise GatewayError("Microsoft 365 broke off in the middle of a mail.", code="cut") from error
        finally:
            response.close()
        if (
            response.headers.get("Content-Type", "").lower().startswith(_PAGES)
            and pieces[:1]
            and pieces[0][:1] in b"<{"
        ):
            raise GatewayError("Microsoft 365 answered something else than a mail.", code="garbage")
        said = response.headers.get("Content-Length", "")
        return b"".join(pieces), max(total, int(said) if said.isdecimal() else 0)

    def create(self, path: str, content: str | dict[str, Any]) -> dict[str, Any]:
        """Something new in the mailbox, as it is then. Text is MIME in base64. `maybe_done` is never set: no mail
        leaves by this."""
        kind = "text/plain" if isinstance(content, str) else "application/json"
        return _json(self._ask("post", path, data=content, headers={"Content-type": kind}))

    def delete(self, path: str) -> None:
        """Take it away."""
        self._ask("delete", path)

    def put(self, url: str, data: bytes, content_range: str) -> int | None:
        """A piece of a file, to the address of an upload session. The next piece begins at the byte it gives; None:
        the file is whole. The address itself lets us in: our token stays here.
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Range": content_range}
        hooks = {"response": _look(is_send=False)}
        with _errors(is_send=False):
            response = requests.put(
                url, data, headers=headers, auth=_unsigned, hooks=hooks, timeout=self._settings.timeout,
                allow_redirects=False,
            )  # fmt: skip
        if response.status_code == _CREATED:
            return None
        answer = {name.lower(): value for name, value in _json(response).items()}
        try:
            return int(str(answer["nextexpectedranges"][0]).partition("-")[0])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise garbage() from error

    def post(self, path: str, data: str | None = None) -> None:
        """Sends a mail: its MIME, or by its address alone. `maybe_done` is set where it may have been taken all the
        same.

        Only 202 says that it was: to MIME that is too large for it, Graph answers 200 and does nothing
        (https://github.com/microsoftgraph/microsoft-graph-docs/issues/13979).
        """
        headers = {} if data is None else {"Content-type": "text/plain"}
        response = self._ask("post", path, is_send=True, data=data, headers=headers)
        if response.status_code != _ACCEPTED:
            words = f"Microsoft 365 did not take this mail ({response.status_code})."
            raise GatewayError(words, maybe_done=True, code="not taken")

    def close(self) -> None:
        """Let go of the connection."""
        account, self._account = self._account, None
        if account is not None and account.con.session is not None:
            account.con.session.close()

    def _ask(self, method: str, path: str, *, is_send: bool = False, **more: Any) -> requests.Response:
        token = self._tokens.get()
        try:
            return self._once(method, path, token, more, is_send=is_send)
        except GatewayError as error:
            if error.code != "token":
                raise
        # Taken back before its time. One more try, with a new one.
        try:
            return self._once(method, path, self._tokens.get(refused=token), more, is_send=is_send)
        except GatewayError as error:
            if error.code != "token":
                raise
            words = "Microsoft 365 refuses the sign-in. Test the mailbox, or sign in again."
            raise GatewayError(words, permanent=True, code="login") from error

    def _once(self, method: str, path: str, token: str, more: dict[str, Any], *, is_send: bool) -> requests.Response:
        connection = self._open().con
        if connection.session is None:
            connection.session = connection.get_session()
            connection.session.auth = _unsigned
        connection.update_session_auth_header(access_token=token)
        options = {**more, "headers": dict(more.get("headers", {})), "hooks": {"response": _look(is_send=is_send)}}
        with _errors(is_send=is_send):
            response: requests.Response = getattr(connection, method)(self._url(path), **options)
        self.asked_at = _date(response.headers.get("Date", ""))
        return response

    def _open(self) -> Account:
        if self._account is None:
            settings = self._settings
            cloud = type("Cloud", (MSGraphProtocol,), {"_protocol_url": f"{settings.root}/"})
            self._account = Account(
                ("nightdesk", "nightdesk"),  # unused: our own sign-in has been there before
                protocol=cloud(default_resource=f"users/{settings.address}", timezone="UTC"),
                token_backend=_Backend(),
                timeout=settings.timeout,
                requests_delay=0,
                request_retries=0,
                default_headers={"Prefer": _IDS},
            )
        return self._account

    def _url(self, path: str) -> str:
        """Always at the place we know: a link that points elsewhere must not get the token."""
        root = self._settings.root
        if "://" in path:
            link = urlsplit(path)
            base = urlsplit(root).path
            return f"{root}{link.path.removeprefix(base)}" + (f"?{link.query}" if link.query else "")
        return f"{root}/v1.0/users/{quote(self._settings.address, safe='@')}/{path}"


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds no password: left alone, requests takes one from this account's .netrc, even in place of our token."""
    return request


def _json(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise garbage() from error
    if not isinstance(answer, dict):
        raise garbage()
    return answer


def garbage() -> GatewayError:
    """An answer that nobody can read."""
    return GatewayError("Microsoft 365 answered something else than expected.", code="garbage")


def _look(*, is_send: bool) -> Callable[..., None]:
    """Each answer as it comes, before anybody acts on it: O365 stumbles over errors in a shape it does not know, and
    requests would follow a redirect, with the mail, to wherever it leads."""

    def look(response: requests.Response, **more: Any) -> None:
        if response.status_code >= 300:
            with response:
                raise _refused(response, is_send=is_send)

    return look


@contextmanager
def _errors(*, is_send: bool) -> Iterator[None]:
    """Whatever requests raises, as GatewayError."""
    try:
        yield
    except requests.exceptions.SSLError as error:
        words = "The certificate of Microsoft 365 cannot be trusted. Does something read along on the way?"
        raise GatewayError(words, permanent=True, code="certificate") from error
    except requests.ConnectTimeout as error:
        raise GatewayError("Microsoft 365 cannot be reached.") from error
    except requests.Timeout as error:
        raise GatewayError("Microsoft 365 does not answer.", maybe_done=is_send, code="timeout") from error
    except requests.ConnectionError as error:
        # What urllib3 raises when no connection came about at all.
        never_began = bool(error.args) and isinstance(error.args[0], MaxRetryError)
        raise GatewayError("Microsoft 365 cannot be reached.", maybe_done=is_send and not never_began) from error
    except requests.RequestException as error:
        raise GatewayError("Microsoft 365 broke off in the middle of an answer.", maybe_done=is_send) from error


def _refused(response: requests.Response, *, is_send: bool) -> GatewayError:
    status = response.status_code
    code, said = _reason(response)
    if status == 401:
        return GatewayError("Microsoft 365 refuses the token.", code="token")
    if status in (408, 409, 412, 423, 429, 503) or code in _PASSING:
        words = "Microsoft 365 asks us to wait." if status == 429 else "Microsoft 365 is busy."
        return GatewayError(words, retry_after=_retry_after(response), code="busy")
    if status >= 500 and code not in UNREADABLE:
        words = f"Microsoft 365 is out of order ({code or status})."
        return GatewayError(words, retry_after=_retry_after(response), maybe_done=is_send, code=code or str(status))
    if status == 410 or code in RESYNC:
        return GatewayError("Microsoft 365 has forgotten where reading stood.", code="resync")
    if status < 400:
        words = "Something between us and Microsoft 365 answers in its place: it sends us elsewhere."
        return GatewayError(words, code="garbage")
    words = _WORDS.get(code) or f"Microsoft 365 refuses this: {said or code or status}"
    is_account = code in _ACCOUNT_CODES or status == 403
    kind = NotAllowed if status == 403 and (code in _RIGHT_CODES or code not in _WORDS) else GatewayError
    return kind(words, permanent=True, code="login" if is_account else code or str(status))


def _reason(response: requests.Response) -> tuple[str, str]:
    """Graph's code and words, on one line."""
    try:
        error = response.json()["error"]
        return str(error.get("code", "")), " ".join(str(error.get("message", "")).split())[:200]
    except (ValueError, AttributeError, TypeError, KeyError, requests.RequestException):
        return "", ""


def _retry_after(response: requests.Response) -> float | None:
    """Seconds, or a date (RFC 9110 section 10.2.3) seen from the server's own clock."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    until = _date(text)
    if until is None:
        return None
    return max(0.0, (until - (_date(response.headers.get("Date", "")) or datetime.now(UTC))).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError):
        return None
