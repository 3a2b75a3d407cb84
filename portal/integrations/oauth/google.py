"""Signing in at Google for IMAP and SMTP (XOAUTH2): plain RFC 6749, a link and its address pasted back.

Reference: https://developers.google.com/identity/protocols/oauth2/native-app
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from portal.core.errors import GatewayError
from portal.core.ports import SignInStep
from portal.integrations.oauth.settings import OAuthSettings

AUTHORIZE = "https://accounts.google.com/o/oauth2/v2/auth"
TOKEN = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPE = "https://mail.google.com/"
REDIRECT = "http://127.0.0.1"  # nothing answers there: its address is pasted
SIGN_IN_AGAIN = "Google has ended the sign-in for this mailbox. Sign in again."


class GoogleProvider:
    """See `oauth.tokens.Provider`. Tokens are a JSON object: access_token, refresh_token, expires_at (unix time)."""

    def __init__(self, settings: OAuthSettings) -> None:
        self._settings = settings

    def current(self, tokens: str) -> tuple[str, float]:
        """See Provider.current."""
        kept = json.loads(tokens) if tokens else {}
        return str(kept.get("access_token", "")), float(kept.get("expires_at", 0))

    def renew(self, tokens: str) -> str:
        """See Provider.renew. Google keeps the refresh token; where one comes all the same, it is the new one."""
        kept = json.loads(tokens) if tokens else {}
        if not kept.get("refresh_token"):
            raise GatewayError("Nobody has signed in for this mailbox yet. Sign in.", permanent=True, code="login")
        return self._ask({"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]}, kept)

    def begin(self) -> SignInStep:
        """See MailSignIn.begin."""
        state = secrets.token_urlsafe(16)
        query = {
            "client_id": self._settings.client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": SCOPE,
            "access_type": "offline",
            "prompt": "consent",  # else Google gives no refresh token the second time
            "login_hint": self._settings.user,
            "state": state,
        }
        return SignInStep(f"{AUTHORIZE}?{urlencode(query)}", state=state)

    def finish(self, state: str, answer: str) -> tuple[str, str]:
        """See MicrosoftProvider.finish."""
        given = {key: values[0] for key, values in parse_qs(urlsplit(answer.strip()).query).items()}
        if "code" not in given:
            words = "This is not the address the sign-in ended on. It holds code=."
            raise GatewayError(words, permanent=True, code="answer")
        if not hmac.compare_digest(given.get("state", ""), state):
            words = "This address belongs to another try. Begin to sign in again."
            raise GatewayError(words, permanent=True, code="login")
        form = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": REDIRECT}
        return self._ask(form, {}), self._settings.user

    def _ask(self, form: dict[str, str], kept: dict[str, Any]) -> str:
        settings = self._settings
        url = f"{settings.login_url.rstrip('/')}/token" if settings.login_url else TOKEN
        form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        try:
            response = requests.post(url, data=form, timeout=settings.timeout, allow_redirects=False)
            given = response.json()
        except (requests.RequestException, ValueError) as error:
            raise GatewayError("Google's sign-in cannot be reached.") from error
        if response.status_code >= 500 or response.status_code == 429 or not isinstance(given, dict):
            after = response.headers.get("Retry-After", "")
            raise GatewayError(
                "Google's sign-in is out of order.", retry_after=float(after) if after.isdecimal() else None
            )
        if "access_token" not in given:
            name = str(given.get("error", ""))
            said = str(given.get("error_description") or name or "no reason given")[:200]
            words = SIGN_IN_AGAIN if name == "invalid_grant" else f"Google refuses to sign in: {said}"
            raise GatewayError(words, permanent=True, code="login")
        fresh = {
            "access_token": given["access_token"],
            "refresh_token": given.get("refresh_token") or kept.get("refresh_token", ""),
            "expires_at": time.time() + float(given.get("expires_in", 3600)),
        }
        return json.dumps(fresh)
