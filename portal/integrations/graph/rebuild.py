"""A mail built anew from its parts: Graph gives no MIME original of signed and encrypted mail to an application."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

_OWN = ("content-type", "content-transfer-encoding", "mime-version")


def rebuild_mail(entry: Mapping[str, Any], attachments: Sequence[Mapping[str, Any]]) -> bytes | None:
    """The bytes, for a mail whose whole content is one S/MIME envelope; None for any other.

    `entry` and `attachments` are Graph's: https://learn.microsoft.com/en-us/graph/api/resources/fileattachment
    """
    files = [one for one in attachments if one.get("contentBytes")]
    if len(files) != 1 or not _is_envelope(files[0]):
        return None
    content = base64.b64decode(str(files[0]["contentBytes"]))
    given = header_lines(entry)
    kind = next((line for line in given if line.lower().startswith("content-type: application/")), "")
    lines = [line for line in given if line.partition(":")[0].lower() not in _OWN]
    lines += [kind or "Content-Type: application/pkcs7-mime; name=smime.p7m", "Content-Transfer-Encoding: base64"]
    return "\r\n".join([*lines, "MIME-Version: 1.0", "", ""]).encode() + base64.encodebytes(content)


def header_lines(entry: Mapping[str, Any]) -> list[str]:
    """The header as Graph knows it, a line each; what tells the mail from others where it knows none."""
    lines = [f"{one['name']}: {one['value']}" for one in entry.get("internetMessageHeaders") or ()]
    lines = lines or [f"Message-ID: {entry.get('internetMessageId', '')}"]
    return [" ".join(line.split()) for line in lines]


def _is_envelope(file: Mapping[str, Any]) -> bool:
    return "pkcs7-mime" in str(file.get("contentType", "")).lower() or str(file.get("name", "")).lower().endswith(
        ".p7m"
    )
