"""The HTTP client of msal: with time-outs, and able to speak to another place than the public one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests


class Answer:
    """What msal reads of an answer."""

    def __init__(self, response: requests.Response, text: str) -> None:
        self.status_code, self.headers, self.text = response.status_code, response.headers, text
        self.raise_for_status = response.raise_for_status


@dataclass(frozen=True)
class Refusal:
    """An answer that is none: to which path, its status, and what stands in Retry-After."""

    path: str = ""
    status: int = 0
    retry_after: str = ""


class LoginHttp:
    """Sends what goes to `public` to `base` instead, where one is given. msal insists on https addresses in what it
    asks and in what the discovery answers, so its answers are turned back. Never repeats a request."""

    def __init__(self, public: str, base: str, timeout: float) -> None:
        self._session = requests.Session()
        self._public, self._base, self._timeout = public, base.rstrip("/"), timeout
        self.refusal = Refusal()  # the last one: msal asks other places after it, and hides it

    def get(self, url: str, **more: Any) -> Answer:
        """One GET."""
        return self._ask("GET", url, more)

    def post(self, url: str, **more: Any) -> Answer:
        """One POST."""
        return self._ask("POST", url, more)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _ask(self, method: str, url: str, more: dict[str, Any]) -> Answer:
        target = urlsplit(url)
        if self._base:
            url = f"{self._base}{target.path}" + (f"?{target.query}" if target.query else "")
        response = self._session.request(method, url, **{"timeout": self._timeout, "allow_redirects": False, **more})
        if response.status_code >= 300:
            self.refusal = Refusal(target.path, response.status_code, response.headers.get("Retry-After", ""))
        return Answer(response, response.text.replace(self._base, self._public) if self._base else response.text)
