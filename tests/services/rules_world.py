"""A shop whose mailbox takes mails in at once: `post(world, raw)` gives the ledger row that became of one."""

from __future__ import annotations

from typing import Any

from portal.core.mail_rules import Action, Condition, MailRule
from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailLedger, Ticket
from portal.services.mail_intake import take_next
from portal.services.mail_rules import save_mail_rule
from portal.services.mail_store import store_mails
from tests.mails import mail_bytes
from tests.services.runtime_world import by_alice


def post(world: Any, raw: bytes = b"", *, mailbox_id: int = 1, **words: Any) -> MailLedger:
    """A mail arrives and gets its verdict. Each has its own id unless `raw` or `message_id` says otherwise."""
    world.mails = getattr(world, "mails", 0) + 1
    raw = raw or mail_bytes(**{"message_id": f"<{world.mails}@customer.example>", **words})
    mail = FetchedMail(f"7:{world.mails}", "INBOX", world.clock.now(), len(raw), raw)
    with world.database.unit_of_work() as uow:
        store_mails(uow, uow.session.get_one(MailboxRow, mailbox_id), [mail], now=world.clock.now())
    take_all(world)
    return row_of(world, f"7:{world.mails}")


def take_all(world: Any) -> None:
    while take_next(world):
        continue


def row_of(world: Any, provider_id: str) -> MailLedger:
    with world.database.read_session() as session:
        return session.query(MailLedger).filter_by(provider_id=provider_id).one()


def ticket(world: Any, ticket_id: int) -> Ticket:
    with world.database.read_session() as session:
        return session.get_one(Ticket, ticket_id)


def add_rule(world: Any, *conditions: tuple[Any, ...], action: Action = Action.IGNORE, **changes: Any) -> int:
    """A rule of these (kind, value) conditions; returns its id."""
    rule = MailRule(
        **{"name": "Rule", "action": action, "conditions": tuple(Condition(*c) for c in conditions), **changes}
    )
    with world.database.unit_of_work() as uow:
        return save_mail_rule(uow, rule, change=by_alice(world))
