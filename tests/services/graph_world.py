"""A shop whose mailbox lies at Microsoft 365: our services, the real O365 and msal, our own simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.integrations.mail_transport import MailServers
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from portal.services.mailboxes import MailboxForm
from portal.services.mailboxes_graph import GraphPlace, save_graph_mailbox
from tests.graph_simulator import ADDRESS, running_graph
from tests.graph_spec import SPEC, hold
from tests.login_simulator import CLIENT_ID, SECRET, TENANT
from tests.services.mail_world import make_mail_world
from tests.services.runtime_world import by_alice

FORM = MailboxForm(
    "Help", ADDRESS, sender_name="Shop Help Desk", folders=("inbox",), sent_folder="sentitems", client_secret=SECRET
)


def place_of(graph: Any, **changes: str) -> GraphPlace:
    return GraphPlace(**{
        "tenant": TENANT, "client_id": CLIENT_ID, "graph_url": graph.base, "login_url": graph.base, **changes
    })  # fmt: skip


def save(world: Any, form: MailboxForm = FORM, mailbox_id: int | None = None, **changes: str) -> int:
    """Save the mailbox; its id."""
    with world.database.unit_of_work() as uow:
        row = save_graph_mailbox(
            uow, form, place_of(world.graph, **changes), box=world.box, change=by_alice(world), mailbox_id=mailbox_id
        )
        return row.id


@contextmanager
def running_world(folder: Path) -> Iterator[Any]:
    """No mailbox yet. In the end every exchange is held against the vendor's document, where it is there."""
    world = make_mail_world(folder)
    with running_graph() as graph:
        graph.now = world.clock.now()
        world.graph, world.mail, world.data_dir = graph, MailServers(), folder
        yield world
        world.mail.close()
    if SPEC.exists():
        hold(graph.exchanges)


def poll(world: Any, seconds: float = 20) -> None:
    """Time passes on every clock, then everything due is done."""
    move(world, seconds)
    for _ in range(200):
        if not fetch_next(world):
            break
    while take_next(world):
        continue


def move(world: Any, seconds: float) -> None:
    world.clock.move(seconds)
    world.graph.now += timedelta(seconds=seconds)


def every(world: Any, model: Any) -> list[Any]:
    """All rows, oldest first."""
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))
