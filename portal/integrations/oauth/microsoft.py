"""Signing in at Microsoft Entra through msal: as the application, by a link, or by a code typed elsewhere.

Every call makes its own msal application: msal remembers refusals for minutes, and a mended secret must work at once.
Reference: https://learn.microsoft.com/en-us/entra/msal/python/
"""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msal
import requests
from msal.exceptions import MsalServiceError

from portal.core.errors import GatewayError
from portal.core.ports import SignInStep
from portal.integrations.oauth.http import LoginHttp, Refusal
from portal.integrations.oauth.refusals import (
    BY_NAME,
    BY_NUMBER,
    NO_TENANT,
    NOT_SIGNED_IN,
    PASSING,
    SIGN_IN_AGAIN,
    USED_UP,
)
from portal.integrations.oauth.settings import APP, DEVICE, OAuthSettings

# msal logs requests and claims at DEBUG; what goes wrong is raised, and logged by us in our own words.
logging.getLogger("msal").setLevel(logging.CRITICAL)

# The page that Microsoft keeps for programs without an address of their own: it is empty, and its address is pasted.
REDIRECT = "/common/oauth2/nativeclient"

T = TypeVar("T")


class MicrosoftProvider:
    """See `oauth.tokens.Provider`. Tokens are msal's own cache, as JSON."""

    def __init__(self, settings: OAuthSettings) -> None:
        self._settings = settings
        self._http = LoginHttp(settings.place.login, settings.login_url, settings.timeout)

    def current(self, tokens: str) -> tuple[str, float]:
        """See Provider.current."""
        cache = _load(tokens)
        found = list(cache.search(cache.CredentialType.ACCESS_TOKEN))
        newest = max(found, key=lambda one: int(one["expires_on"]), default=None)
        return (newest["secret"], float(newest["expires_on"])) if newest else ("", 0.0)

    def renew(self, tokens: str) -> str:
        """See Provider.renew."""
        cache = _load(tokens)
        result = self._call(lambda: self._renew(cache))
        if result is None:
            raise GatewayError(NOT_SIGNED_IN, permanent=True, code="login")
        if "access_token" not in result:
            raise self._refused(result)
        return str(cache.serialize())

    def begin(self) -> SignInStep:
        """See MailSignIn.begin."""
        if self._settings.flow == APP:
            return SignInStep("")
        app = self._call(lambda: self._app(msal.SerializableTokenCache()))
        if self._settings.flow == DEVICE:
            flow = self._call(lambda: app.initiate_device_flow(scopes=self._settings.scopes))
            if "user_code" not in flow:
                raise self._refused(flow)
            expires_at = datetime.fromtimestamp(flow["expires_at"], UTC)
            return SignInStep(flow["verification_uri"], flow["user_code"], json.dumps(flow), expires_at)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # msal wants the answer posted to a page of ours; it is pasted instead
            flow = app.initiate_auth_code_flow(
                self._settings.scopes,
                redirect_uri=self._settings.place.login + REDIRECT,
                login_hint=self._settings.user or None,
                prompt="select_account",
            )
        return SignInStep(flow["auth_uri"], state=json.dumps(flow))

    def finish(self, state: str, answer: str) -> tuple[str, str]:
        """The tokens and who signed in; ("", "") while the person has not finished."""
        if self._settings.flow == APP:
            return self.renew(""), ""
        cache = msal.SerializableTokenCache()
        flow = json.loads(state)
        if self._settings.flow == DEVICE:
            result = self._call(
                lambda: self._app(cache).acquire_token_by_device_flow(flow, exit_condition=lambda flow: True)
            )
        else:
            given = _read_answer(answer)
            result = self._call(lambda: self._app(cache).acquire_token_by_auth_code_flow(flow, given))
        if result.get("error") in ("authorization_pending", "slow_down"):
            return "", ""
        if "access_token" not in result:
            error = self._refused(result)
            raise GatewayError(USED_UP, permanent=True, code="login") if error.message == SIGN_IN_AGAIN else error
        return cache.serialize(), str(result.get("id_token_claims", {}).get("preferred_username", ""))

    def _renew(self, cache: Any) -> dict[str, Any] | None:
        app = self._app(cache)
        if self._settings.flow == APP:
            for one in list(cache.search(cache.CredentialType.ACCESS_TOKEN)):
                cache.remove_at(one)
            return app.acquire_token_for_client(self._settings.scopes)  # type: ignore[no-any-return]
        accounts = app.get_accounts()
        if not accounts:
            return None
        return app.acquire_token_silent_with_error(  # type: ignore[no-any-return]
            self._settings.scopes, accounts[0], force_refresh=True
        )

    def _app(self, cache: Any) -> Any:
        settings = self._settings
        options = {
            "authority": f"{settings.place.login}/{settings.tenant}",
            "token_cache": cache,
            "http_client": self._http,
        }
        if settings.client_secret and settings.flow != DEVICE:
            return msal.ConfidentialClientApplication(
                settings.client_id, client_credential=settings.client_secret, **options
            )
        return msal.PublicClientApplication(settings.client_id, **options)

    def _call(self, work: Callable[[], T]) -> T:
        self._http.refusal = Refusal()
        try:
            return work()
        except (requests.RequestException, MsalServiceError) as error:
            raise GatewayError(
                "Microsoft's sign-in cannot be reached.", retry_after=_seconds(self._http.refusal.retry_after)
            ) from error
        except (ValueError, KeyError, RuntimeError) as error:
            # msal: the tenant is unknown, a state that is not ours, or an answer that nobody can read.
            refusal = self._http.refusal
            if refusal.status in (400, 404) and refusal.path.endswith("openid-configuration"):
                raise GatewayError(NO_TENANT, permanent=True, code="login") from error
            if "state" in str(error):
                words = "This address belongs to another try. Begin to sign in again."
                raise GatewayError(words, permanent=True, code="login") from error
            raise GatewayError("Microsoft's sign-in answered something else than expected.") from error

    def _refused(self, result: dict[str, Any]) -> GatewayError:
        """Its code decides; its own words are shown where we have none, without what it puts behind them."""
        text = str(result.get("error_description") or "")
        found = re.search(r"AADSTS(\d+)", text)
        number, name = found[1] if found else "", str(result.get("error") or "")
        refusal = self._http.refusal
        if refusal.status not in (0, 400, 401, 403) or {number, name} & PASSING:
            return GatewayError("Microsoft's sign-in is busy.", retry_after=_seconds(refusal.retry_after))
        words = BY_NUMBER.get(number) or BY_NAME.get(name)
        if words is None:
            said = re.split(r" Trace ID| Correlation ID|\r|\n", text)[0][:200]
            words = f"Microsoft refuses to sign in: {said or name or 'no reason given'}"
        return GatewayError(words, permanent=True, code="login")


def _load(tokens: str) -> Any:
    cache = msal.SerializableTokenCache()
    if tokens:
        cache.deserialize(tokens)
    return cache


def _read_answer(address: str) -> dict[str, str]:
    """The parameters of the address that the browser ended on; as a query or as a fragment."""
    parts = urlsplit(address.strip())
    given = {key: values[0] for key, values in parse_qs(parts.query or parts.fragment).items()}
    if not given.keys() & {"code", "error"}:
        raise GatewayError(
            "This is not the address the sign-in ended on. It holds code=.", permanent=True, code="answer"
        )
    return given


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
