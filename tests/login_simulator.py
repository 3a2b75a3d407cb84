"""Microsoft's sign-in and Google's, as far as we use them: our own, on loopback."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
SECRET = "s3cret~value-of-the-app"
PUBLIC = "https://login.microsoftonline.com"  # discovery names https, whatever reached us


@dataclass
class Login:
    """What the sign-in knows. `expires_in`: seconds an access token lives; `asked` are the grants, oldest first."""

    expires_in: int = 3600
    secret: str = SECRET
    secret_error: str = ""  # an AADSTS number for every use of the secret
    user: str = "dana@shop.example"
    access: dict = field(default_factory=dict)  # access token -> when it ends
    refresh: dict = field(default_factory=dict)  # refresh token -> "valid" or "used"
    codes: dict = field(default_factory=dict)  # authorisation code -> what it was asked with
    devices: dict = field(default_factory=dict)  # device code -> "waits", "approved", "declined"
    asked: list = field(default_factory=list)
    is_strict: bool = True  # a refresh token works once: the family is revoked when it is used again

    def approve(self, address: str) -> str:
        """A person follows the link and signs in; gives the address their browser ends on."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(address).query).items()}
        code = "0." + secrets.token_urlsafe(12)
        self.codes[code] = query
        answer = {"code": code, "state": query["state"], "session_state": "x"}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def approve_device(self, word: str = "approved") -> None:
        """The person has typed the code, or declined."""
        self.devices = dict.fromkeys(self.devices, word)

    def revoke(self) -> None:
        """An administrator ends every session; the secret is no longer worth anything either."""
        self.access.clear()
        self.refresh = dict.fromkeys(self.refresh, "revoked")

    def expire(self) -> None:
        """Every access token is over."""
        self.access = dict.fromkeys(self.access, 0.0)

    def knows(self, bearer: str) -> bool:
        return self.access.get(bearer.removeprefix("Bearer "), 0.0) > time.time()

    def answer(self, method: str, path: str, form: dict[str, str]) -> tuple[int, dict] | None:
        """Status and answer, None when this is no address of the sign-in."""
        if path == "/common/discovery/instance":
            alias = "login.microsoftonline.com"
            group = {"preferred_network": alias, "preferred_cache": "login.windows.net", "aliases": [alias]}
            return 200, {"api-version": "1.1", "metadata": [group]}
        if path == "/token":  # Google
            return self._google(form)
        tenant, _, rest = path.lstrip("/").partition("/")
        if rest == "v2.0/.well-known/openid-configuration":
            if tenant not in (TENANT, "common", "organizations"):
                return 400, _error("invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
            root = f"{PUBLIC}/{tenant}"
            return 200, {
                "issuer": f"{root}/v2.0",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
            }
        if method == "POST" and rest == "oauth2/v2.0/devicecode":
            return self._device()
        if method == "POST" and rest == "oauth2/v2.0/token":
            return self._token(form)
        return None

    def _token(self, form: dict[str, str]) -> tuple[int, dict]:
        grant = form["grant_type"].rpartition(":")[2]
        self.asked.append(grant)
        if form["client_id"] != CLIENT_ID:
            return 400, _error("unauthorized_client", 700016, "Application not found in the directory.")
        if grant == "client_credentials" or "client_secret" in form:
            if self.secret_error:
                return 401, _error("invalid_client", int(self.secret_error), "The provided client secret is no good.")
            if form.get("client_secret") != self.secret:
                return 401, _error("invalid_client", 7000215, "Invalid client secret provided.")
        if grant == "client_credentials":
            return 200, self._grant(form, is_user=False)
        if grant == "refresh_token":
            return self._refresh(form)
        if grant == "authorization_code":
            known = self.codes.pop(form["code"], None)
            if known is None or known["redirect_uri"] != form["redirect_uri"] or "code_verifier" not in form:
                return 400, _error("invalid_grant", 54005, "The code was already redeemed.")
            return 200, self._grant(form, is_user=True, nonce=known.get("nonce", ""))
        state = self.devices.get(form["device_code"], "expired_token")
        if state == "waits":
            return 400, _error("authorization_pending", 70016, "Still waiting for the user.")
        if state != "approved":
            return 400, _error("authorization_declined" if state == "declined" else state, 70018, "No.")
        return 200, self._grant(form, is_user=True)

    def _refresh(self, form: dict[str, str]) -> tuple[int, dict]:
        state = self.refresh.get(form["refresh_token"], "unknown")
        if state == "used" and self.is_strict:
            self.revoke()
        if state != "valid":
            return 400, _error("invalid_grant", 50173, "The grant has expired due to it being revoked.")
        self.refresh[form["refresh_token"]] = "used"
        return 200, self._grant(form, is_user=True)

    def _grant(self, form: dict[str, str], *, is_user: bool, nonce: str = "") -> dict:
        access = "at." + secrets.token_urlsafe(24)
        self.access[access] = time.time() + self.expires_in
        answer = {"token_type": "Bearer", "expires_in": self.expires_in, "access_token": access}
        if not is_user:
            return answer
        rotated = "rt." + secrets.token_urlsafe(24)
        self.refresh[rotated] = "valid"
        now = int(time.time())
        claims = {
            "aud": CLIENT_ID, "iss": f"{PUBLIC}/{TENANT}/v2.0", "iat": now, "nbf": now, "exp": now + 3600,
            "sub": "sub", "oid": "0id", "tid": TENANT, "preferred_username": self.user, "name": "Dana",
        }  # fmt: skip
        if nonce:
            claims["nonce"] = nonce
        return answer | {
            "scope": form.get("scope") or "https://graph.microsoft.com/Mail.Read openid profile offline_access",
            "refresh_token": rotated,
            "client_info": _b64({"uid": "0id", "utid": TENANT}),
            "id_token": f"{_b64({'alg': 'RS256', 'typ': 'JWT'})}.{_b64(claims)}.c2lnbmF0dXJl",
        }

    def _device(self) -> tuple[int, dict]:
        code = "dc." + secrets.token_urlsafe(8)
        self.devices[code] = "waits"
        return 200, {
            "device_code": code, "user_code": "F4NGRTP8", "verification_uri": "https://microsoft.com/devicelogin",
            "expires_in": 900, "interval": 5, "message": "To sign in, use a web browser.",
        }  # fmt: skip

    def _google(self, form: dict[str, str]) -> tuple[int, dict]:
        """RFC 6749; Google gives a refresh token with the code only, and never another."""
        self.asked.append(form["grant_type"])
        if form.get("client_secret") != self.secret:
            return 401, {"error": "invalid_client", "error_description": "Unauthorized"}
        is_known = form.get("code") in self.codes or self.refresh.get(form.get("refresh_token", "")) == "valid"
        if not is_known:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        access = "ya29." + secrets.token_urlsafe(24)
        self.access[access] = time.time() + self.expires_in
        answer = {"access_token": access, "expires_in": self.expires_in, "token_type": "Bearer"}
        if "code" in form:
            answer["refresh_token"] = "1//" + secrets.token_urlsafe(24)
            self.refresh[answer["refresh_token"]] = "valid"
        return 200, answer


def _error(name: str, number: int, text: str) -> dict:
    return {"error": name, "error_description": f"AADSTS{number}: {text} Trace ID: x", "error_codes": [number]}


def _b64(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
