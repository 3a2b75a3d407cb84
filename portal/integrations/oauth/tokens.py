"""A valid access token whenever one is asked for: renewed by one process at a time, committed before it is used."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from portal.core.errors import GatewayError
from portal.core.ports import MailAccount, SignInStep, TokenStore
from portal.core.retry import MAX_ASKED_WAIT
from portal.integrations.oauth.settings import GOOGLE, OAuthSettings

_PAUSE = 10.0  # seconds; short, because somebody may be mending it and press the test button
_MARGIN = 120.0  # seconds before its end that a token counts as over: clocks differ, requests take time


class Provider(Protocol):
    """Who signs us in. `tokens` is what a TokenStore keeps, read by its provider alone."""

    def current(self, tokens: str) -> tuple[str, float]:
        """The newest access token and when it ends (unix time); "" when there is none."""
        ...

    def renew(self, tokens: str) -> str:
        """The tokens with a new access token. Raises GatewayError with code `login` when a person must sign in."""
        ...

    def begin(self) -> SignInStep:
        """See MailSignIn.begin."""
        ...

    def finish(self, state: str, answer: str) -> tuple[str, str]:
        """The tokens and who signed in; ("", "") while the person has not finished."""
        ...


class MemoryTokens:
    """The TokenStore port for an account without a place to keep tokens: an application gets new ones at will."""

    def __init__(self) -> None:
        self._tokens = ""
        self._lock = threading.Lock()

    def load(self) -> str:
        """See TokenStore.load."""
        return self._tokens

    def save(self, tokens: str) -> None:
        """See TokenStore.save."""
        self._tokens = tokens

    @contextmanager
    def refreshing(self) -> Iterator[bool]:
        """See TokenStore.refreshing."""
        with self._lock:
            yield True


class AccessTokens:
    """The access token of one account. Threads may share one."""

    def __init__(self, provider: Provider, store: TokenStore) -> None:
        self._provider, self._store = provider, store
        self._kept, self._until = "", 0.0
        self._refusal: GatewayError | None = None
        self._refused_with, self._refused_until = "", 0.0
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """See `get`."""
        return self.get()

    def get(self, *, refused: str = "") -> str:
        """A token that should work now. `refused` is the one the server has just turned down."""
        with self._lock:
            if self._is_good(self._kept, self._until, refused) or self._load(refused):
                return self._kept
            return self._renew(refused)

    def _renew(self, refused: str) -> str:
        with self._store.refreshing() as is_ours:
            if self._load(refused):
                return self._kept
            if not is_ours:
                raise GatewayError("Another process is renewing the sign-in of this mailbox.", retry_after=5)
            tokens = self._ask(self._store.load())
            self._store.save(tokens)
        self._kept, self._until = self._provider.current(tokens)
        return self._kept

    def _ask(self, tokens: str) -> str:
        """A refusal stands for a moment, as long as nobody signs in: a hundred mails that wait would all ask again."""
        if self._refusal is not None and tokens == self._refused_with and time.monotonic() < self._refused_until:
            error = self._refusal
            raise GatewayError(
                error.message, permanent=error.permanent, retry_after=error.retry_after, code=error.code
            ) from error
        try:
            return self._provider.renew(tokens)
        except GatewayError as error:
            if error.permanent or error.retry_after:
                self._refusal, self._refused_with = error, tokens
                self._refused_until = time.monotonic() + min(error.retry_after or _PAUSE, MAX_ASKED_WAIT)
            raise

    def _load(self, refused: str) -> bool:
        token, until = self._provider.current(self._store.load())
        if not self._is_good(token, until, refused):
            return False
        self._kept, self._until = token, until
        return True

    @staticmethod
    def _is_good(token: str, until: float, refused: str) -> bool:
        return bool(token) and token != refused and time.time() < until - _MARGIN


class SignIn:
    """The MailSignIn port."""

    def __init__(self, provider: Provider, store: TokenStore) -> None:
        self._provider, self._store = provider, store

    def begin(self) -> SignInStep:
        """See MailSignIn.begin."""
        return self._provider.begin()

    def finish(self, state: str, answer: str) -> str | None:
        """See MailSignIn.finish."""
        tokens, who = self._provider.finish(state, answer)
        if not tokens:
            return None
        self._store.save(tokens)
        return who


def make_provider(account: MailAccount) -> Provider:
    """Raises GatewayError when the account says nothing of OAuth."""
    oauth: dict[str, Any] = dict(account.oauth)
    if not oauth.get("client_id"):
        raise GatewayError("This mailbox does not sign in by OAuth.", permanent=True, code="login")
    settings = OAuthSettings(**oauth)
    if settings.provider == GOOGLE:
        from portal.integrations.oauth.google import GoogleProvider

        return GoogleProvider(settings)
    # msal costs a process memory that it needs only with a mailbox of this kind.
    from portal.integrations.oauth.microsoft import MicrosoftProvider

    return MicrosoftProvider(settings)
