"""What a mail server says, as people may read it."""

from __future__ import annotations

import base64
import ssl


def words_of(what: object, *, user: str = "", secret: str = "") -> str:
    """The server's words on one line, never long, and without the password: some servers repeat what they refuse."""
    if isinstance(what, ssl.SSLError):
        return f"this port does not speak the encryption that was chosen ({what.reason or what})"
    if isinstance(what, BaseException) and what.args and isinstance(what.args[0], bytes):
        what = what.args[0]
    text = what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)
    for form in _forms(user, secret):
        text = text.replace(form, "(hidden)")
    return " ".join(text.split())[:200] or "no reason given"


def _forms(user: str, secret: str) -> tuple[str, ...]:
    """The secret as it goes over the wire: plain, quoted, and as PLAIN and LOGIN write it."""
    if not secret:
        return ()
    coded = (f"\0{user}\0{secret}", secret)
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
    return (quoted, secret, *(base64.b64encode(one.encode()).decode() for one in coded))
