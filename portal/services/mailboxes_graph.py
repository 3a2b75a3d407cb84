"""Mailboxes at Microsoft 365: what their page and the settings file set beside what every mailbox has."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.ports import SecretBox
from portal.models import MailboxRow, UnitOfWork
from portal.services.audit import Change
from portal.services.mailboxes import GRAPH, MailboxForm, save_mailbox

FLOWS = ("app", "code", "device")
CLOUDS = ("global", "us", "us_dod", "china")
INBOX_FOLDER, SENT_FOLDER = "inbox", "sentitems"
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TENANT = re.compile(r"[A-Za-z0-9.-]{3,255}")


@dataclass(frozen=True)
class GraphPlace:
    """The registered application and the cloud it lies in.

    `flow` is app (by its own right), code (a person follows a link) or device (a person types a code elsewhere).
    `graph_url` and `login_url` replace the cloud's own places, for proxies and tests.
    """

    tenant: str
    client_id: str
    flow: str = "app"
    cloud: str = "global"
    graph_url: str = ""
    login_url: str = ""


def load_place(row: MailboxRow) -> GraphPlace:
    """What is stored."""
    oauth, graph = row.options.get("oauth", {}), row.options.get("graph", {})
    return GraphPlace(
        tenant=oauth.get("tenant", ""),
        client_id=oauth.get("client_id", ""),
        flow=oauth.get("flow", "app"),
        cloud=oauth.get("cloud", "global"),
        graph_url=graph.get("url", ""),
        login_url=oauth.get("login_url", ""),
    )


def save_graph_mailbox(
    uow: UnitOfWork,
    form: MailboxForm,
    place: GraphPlace,
    *,
    box: SecretBox,
    change: Change,
    mailbox_id: int | None = None,
) -> MailboxRow:
    """As `save_mailbox`. Another application, tenant or way to sign in needs a new sign-in."""
    place = _trimmed(place)
    before = _stored(uow.session, mailbox_id)
    _check(place, form, before)
    return save_mailbox(uow, make_form(form, place), box=box, change=change, mailbox_id=mailbox_id)


def make_form(form: MailboxForm, place: GraphPlace) -> MailboxForm:
    """The form as every mailbox is saved, with what the adapters need."""
    place, address = _trimmed(place), form.address.strip()
    oauth = {"client_id": place.client_id, "tenant": place.tenant, "flow": place.flow, "cloud": place.cloud}
    oauth |= {"login_url": place.login_url} if place.login_url else {}
    oauth |= {"user": address} if place.flow != "app" else {}
    graph = {"address": address, "cloud": place.cloud}
    graph |= {"url": place.graph_url} if place.graph_url else {}
    return replace(form, kind=GRAPH, oauth=oauth, graph=graph)


def _trimmed(place: GraphPlace) -> GraphPlace:
    return replace(place, **{name: str(value).strip().rstrip("/") for name, value in vars(place).items()})


def _stored(session: Session, mailbox_id: int | None) -> MailboxRow | None:
    row = session.get(MailboxRow, mailbox_id) if mailbox_id else None
    if row is not None and row.kind != GRAPH:
        raise DomainError("This mailbox is not at Microsoft 365.")
    return row


def _identity(place: GraphPlace) -> tuple[str, ...]:
    return place.tenant.lower(), place.client_id.lower(), place.flow, place.cloud, place.login_url


def _check(place: GraphPlace, form: MailboxForm, before: MailboxRow | None) -> None:
    if not _TENANT.fullmatch(place.tenant):
        raise DomainError("Please enter the directory (tenant) ID, or a domain of the tenant such as example.com.")
    if place.flow == "app" and place.tenant.lower() in ("common", "organizations", "consumers"):
        raise DomainError("An application that signs in by its own right needs the ID of its own tenant.")
    if not _ID.fullmatch(place.client_id):
        raise DomainError("Please enter the application (client) ID: letters and digits in five groups.")
    if place.flow not in FLOWS or place.cloud not in CLOUDS:
        raise DomainError("Please choose how to sign in, and the cloud, from the lists.")
    for url in (place.graph_url, place.login_url):
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise DomainError(f"{url} is not an address.")
    _check_secret(place, form, before)


def _check_secret(place: GraphPlace, form: MailboxForm, before: MailboxRow | None) -> None:
    """A stored secret goes to the place it was entered for and to no other."""
    if _ID.fullmatch(form.client_secret.strip()):
        raise DomainError("This is the ID of the client secret. Please enter its value, which stands beside it.")
    if place.flow != "app" or form.client_secret:
        return
    if before is None or not before.secrets.get("oauth"):
        raise DomainError("Please enter the client secret.")
    if _identity(load_place(before)) != _identity(place):
        raise DomainError("Please enter the client secret again: the application or its tenant changed.")
