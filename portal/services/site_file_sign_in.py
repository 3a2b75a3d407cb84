"""The part of the settings file about mailboxes that sign in by OAuth: at Microsoft 365, or at an IMAP server."""

from __future__ import annotations

from typing import Any

from portal.core.errors import DomainError
from portal.core.site_file import EnvRef
from portal.models import MailboxRow
from portal.services.mailboxes import GRAPH, IMAP
from portal.services.mailboxes_graph import GraphPlace, load_place

_OAUTH = ("provider", "client_id", "tenant", "login_url")


def read_place(entry: dict[str, Any], row: MailboxRow | None) -> GraphPlace | None:
    """The place of a mailbox at Microsoft 365; None for one at an IMAP server.

    Raises DomainError when the entry is both or neither, or when the mailbox is of the other kind.
    """
    data = entry.get("graph")
    if bool(data) == bool(entry.get("imap")):
        raise DomainError(f"The mailbox {entry['name']} needs either `imap` or `graph`.")
    if row is not None and row.kind != (GRAPH if data else IMAP):
        raise DomainError(f"The mailbox {entry['name']} is of another kind. Remove it on its page first.")
    if not data:
        return None
    return GraphPlace(
        tenant=data["tenant"],
        client_id=data["client_id"],
        flow=data["sign_in"],
        cloud=data["cloud"],
        graph_url=data["url"],
        login_url=data["login_url"],
    )


def read_oauth(entry: dict[str, Any]) -> dict[str, str]:
    """What signing in by OAuth at an IMAP server needs, as its adapter names it; empty for a password."""
    data = entry.get("oauth")
    if not data:
        return {}
    found = {"protocol": "imap", "flow": data["sign_in"], "user": entry["imap"]["user"].strip()}
    return found | {key: data[key].strip() for key in _OAUTH if data[key].strip()}


def read_secret_reference(entry: dict[str, Any]) -> EnvRef | None:
    """Where the client secret stands."""
    data = entry.get("graph") or entry.get("oauth") or {}
    return data.get("client_secret")


def export_sign_in(row: MailboxRow, *, secret: str) -> dict[str, Any]:
    """The keys of the entry; `secret` names the variable of the client secret."""
    kept = {"client_secret": EnvRef(secret)} if row.secrets.get("oauth") else {}
    if row.kind == GRAPH:
        place = load_place(row)
        named = {"sign_in": place.flow, "cloud": place.cloud, "url": place.graph_url, "login_url": place.login_url}
        return {"graph": {"tenant": place.tenant, "client_id": place.client_id, **kept, **_told(named)}}
    oauth = row.options.get("oauth", {})
    if not oauth:
        return {}
    return {
        "oauth": {**_told({key: oauth.get(key, "") for key in _OAUTH}), **kept, "sign_in": oauth.get("flow", "code")}
    }


def _told(values: dict[str, str]) -> dict[str, str]:
    """Without what the file takes for granted."""
    granted = {"sign_in": "app", "cloud": "global"}
    return {key: value for key, value in values.items() if value and granted.get(key) != value}
