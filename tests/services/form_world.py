"""The shop of the paging tests as requesters meet it, and the form Dana sends."""

from __future__ import annotations

from dataclasses import replace

from portal.models import Ticket
from portal.services.form import FormRequest, take_request

SENT = FormRequest(
    key="k1",
    sender="192.0.2.7",
    name="Dana Reed",
    email="dana@customer.example",
    subject="Nobody can print",
    body="Help",
)


def send(world, **changes):
    """Send the form; returns the ticket's id."""
    with world.database.unit_of_work() as uow:
        return take_request(world.context, uow, replace(SENT, **changes)).id


def load(world, ticket_id):
    with world.database.read_session() as session:
        return session.get_one(Ticket, ticket_id)
