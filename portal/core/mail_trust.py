"""Whether the servers on the way believed that a mail comes from its sender (RFC 8601, RFC 7208).

A header can only take trust away here. Nobody but our own mail server could vouch for a sender, and from the headers
alone nobody can say which of them it wrote: what is good in them may be the sender's own work. What is bad was not
written by a forger. So a failed check makes evidence weaker, and a passed one proves nothing.
"""

from __future__ import annotations

import re

from portal.core.mail import ParsedMail

_RESULT = re.compile(r"\b(dmarc|dkim|spf|compauth)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)
_DKIM_DOMAIN = re.compile(r"header\.[di]\s*=\s*\"?@?([a-z0-9.@_-]+)", re.IGNORECASE)
_BAD_SPF = ("fail", "softfail", "hardfail")


def why_distrusted(mail: ParsedMail) -> str:
    """The check that the sender failed, in words; "" when none says so.

    DMARC decides where it was checked; without it a DKIM signature of the sender's own domain outweighs SPF, which
    breaks with every forwarding. Only the top-most Authentication-Results counts: the last server wrote it. It cannot
    talk away a Received-SPF that says otherwise.
    """
    domain = mail.sender.domain if mail.sender else ""
    found = {name.lower(): value.lower() for name, value, _ in _results(mail)}
    if found.get("compauth") == "fail":
        return "its server found the sender forged (compauth=fail)"
    if found.get("dmarc") == "fail":
        return "it fails the sender's own policy (dmarc=fail)"
    received = mail.headers.get("received-spf", "").strip().partition(" ")[0].lower()
    if received in _BAD_SPF and found.get("spf") not in _BAD_SPF:
        return f"its server may not send for {domain} (Received-SPF: {received})"
    if found.get("dmarc") in ("pass", "bestguesspass") or _has_own_signature(mail, domain):
        return ""
    spf = found.get("spf", "")
    return f"its server may not send for {domain} (spf={spf})" if spf in _BAD_SPF else ""


def _results(mail: ParsedMail) -> list[tuple[str, str, str]]:
    """Method, result and properties; what passed comes last, for one signature that holds is enough."""
    found: list[tuple[str, str, str]] = _RESULT.findall(mail.headers.get("authentication-results", ""))
    return sorted(found, key=lambda one: one[1].lower() == "pass")


def _has_own_signature(mail: ParsedMail, domain: str) -> bool:
    for name, value, properties in _results(mail):
        signer = _DKIM_DOMAIN.search(properties)
        if name.lower() == "dkim" and value.lower() == "pass" and signer:
            signed_by = signer.group(1).rpartition("@")[2].lower()
            if "." in signed_by and f".{domain}".endswith(f".{signed_by}"):
                return True
    return False
