"""The mail rules of the settings file, there and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.mail_rules import MailRule, parse_mail_rule, stored_conditions, stored_options
from portal.models import MailboxRow
from portal.services.mail_rules import list_mail_rules, order_mail_rules, remove_mail_rule, save_mail_rule

if TYPE_CHECKING:
    from portal.services.site_file_import import Run


def collect_mail_rules(session: Session, wall: datetime) -> list[dict[str, Any]]:
    """The rules as the file holds them, mailboxes by name. `wall` is what every section is asked with."""
    names = dict(row for row in session.execute(select(MailboxRow.id, MailboxRow.name)))
    return [_entry(rule, names) for rule in list_mail_rules(session)]


def apply_mail_rules(run: Run, entries: list[dict[str, Any]]) -> None:
    """Make the rules those of the file, in its order."""
    known = {rule.name: rule for rule in list_mail_rules(run.uow.session)}
    names = [" ".join(entry["name"].split()) for entry in entries]
    for place, entry in enumerate(entries):
        with run.at("mail_rules", place):
            if names.index(names[place]) != place:
                raise DomainError(f"The rule “{names[place]}” stands here twice.")
            stored = known.get(names[place])
            rule = replace(_read(run.uow.session, entry, names[place]), id=stored.id if stored else 0)
            if rule != stored:
                save_mail_rule(run.uow, rule, change=run.change)
                run.changes.append(f"mail_rules: {rule.name} {'changed' if stored else 'added'}")
    for name, stored in known.items():
        if name not in names:
            remove_mail_rule(run.uow, stored.id, change=run.change)
            run.changes.append(f"mail_rules: {name} removed")
    if not run.faults and order_mail_rules(run.uow, names):
        run.changes.append("mail_rules: another order")


def _entry(rule: MailRule, names: dict[int, str]) -> dict[str, Any]:
    items = stored_conditions(rule)["items"]
    conditions = [{key: value for key, value in item.items() if value} for item in items]
    return {
        "name": rule.name,
        **({} if rule.is_enabled else {"enabled": False}),
        **({"mailbox": names[rule.mailbox_id]} if rule.mailbox_id else {}),
        **({"conditions": conditions} if conditions else {}),
        "action": str(rule.action),
        **stored_options(rule),
    }


def _read(session: Session, entry: dict[str, Any], name: str) -> MailRule:
    mailbox_id = None
    if entry["mailbox"]:
        mailbox_id = session.scalar(select(MailboxRow.id).where(MailboxRow.name == entry["mailbox"]))
        if mailbox_id is None:
            raise DomainError(f"There is no mailbox “{entry['mailbox']}”.")
    options = {key: entry[key] for key in ("opens", "closes")}
    try:
        rule = parse_mail_rule(name, entry["action"], {"items": entry["conditions"]}, options, mailbox_id=mailbox_id)
    except ValueError as error:
        raise DomainError(str(error)) from None
    return replace(rule, is_enabled=entry["enabled"])
