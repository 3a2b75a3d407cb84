"""Mail rules in the database: loaded, changed on their page, and asked about a mail. core/mail_rules.py decides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.mail import ParsedMail
from portal.core.mail_heads import MAX_HEAD, read_headers
from portal.core.mail_kinds import PERSON, MailKind
from portal.core.mail_rules import (
    MailRule,
    RuleMail,
    RuleOutcome,
    check_mail_rule,
    decide_rule,
    needs_headers,
    parse_mail_rule,
    stored_conditions,
    stored_options,
)
from portal.core.mail_trust import why_distrusted
from portal.models import BlobChunk, MailLedger, MonitorKey, UnitOfWork, User
from portal.models import MailRule as MailRuleRow
from portal.services.audit import Change, record_change
from portal.services.mailboxes import own_addresses

_REMOVED = "removed"  # the row stays, because the ledger refers to it
# Built once: asked for each mail.
_IN_ORDER = select(MailRuleRow).where(MailRuleRow.action != _REMOVED).order_by(MailRuleRow.position, MailRuleRow.id)


def list_mail_rules(session: Session) -> list[MailRule]:
    """Every rule in the order they are asked, those switched off too."""
    return [_rule(row) for row in session.scalars(_IN_ORDER)]


def find_mail_rule(session: Session, rule_id: int) -> MailRule | None:
    """One rule, None when it is gone."""
    row = session.get(MailRuleRow, rule_id)
    return _rule(row) if row and row.action != _REMOVED else None


def save_mail_rule(uow: UnitOfWork, rule: MailRule, *, change: Change) -> int:
    """Store a rule, a new one (`id` 0) at the end. Returns its id. Raises DomainError: what is wrong, one sentence a
    line."""
    problems = check_mail_rule(rule)
    if problems:
        raise DomainError("\n".join(problems))
    if any(one.name == rule.name.strip() and one.id != rule.id for one in list_mail_rules(uow.session)):
        raise DomainError(f"There is a rule “{rule.name.strip()}” already.")
    row = _existing(uow.session, rule.id) if rule.id else MailRuleRow(position=_next_position(uow.session))
    row.name, row.action, row.is_enabled = rule.name.strip(), str(rule.action), rule.is_enabled
    row.mailbox_id, row.conditions, row.options = rule.mailbox_id, stored_conditions(rule), stored_options(rule)
    uow.session.add(row)
    uow.session.flush()
    record_change(uow, change, "mail_rule.save", rule.name, conditions=row.conditions, does=row.action)
    return row.id


def switch_mail_rule(uow: UnitOfWork, rule_id: int, *, on: bool, change: Change) -> None:
    """Raises DomainError when the rule is gone."""
    row = _existing(uow.session, rule_id)
    if row.is_enabled != on:
        row.is_enabled = on
        record_change(uow, change, "mail_rule.on" if on else "mail_rule.off", row.name)


def move_mail_rule(uow: UnitOfWork, rule_id: int, *, up: bool, change: Change) -> None:
    """One place earlier or later; at the end of the list it stays. Raises DomainError when the rule is gone."""
    row = _existing(uow.session, rule_id)
    query = select(MailRuleRow).where(MailRuleRow.action != _REMOVED).order_by(MailRuleRow.position, MailRuleRow.id)
    rows = list(uow.session.scalars(query))
    here = rows.index(row)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(rows):
        return
    rows[here], rows[there] = rows[there], rows[here]
    for position, each in enumerate(rows):
        each.position = position
    record_change(uow, change, "mail_rule.move", row.name, position=there + 1)


def order_mail_rules(uow: UnitOfWork, names: Sequence[str]) -> bool:
    """Bring the rules into this order; what is not named follows. False: it was so already."""
    rules = list_mail_rules(uow.session)
    places = {name: place for place, name in enumerate(names)}
    wanted = sorted(rules, key=lambda rule: places.get(rule.name, len(places)))
    if wanted == rules:
        return False
    for position, rule in enumerate(wanted):
        uow.session.get_one(MailRuleRow, rule.id).position = position
    return True


def remove_mail_rule(uow: UnitOfWork, rule_id: int, *, change: Change) -> None:
    """Take a rule away. Mails it decided keep their reason; tickets it opened stay. Raises DomainError when it is gone
    already."""
    row = _existing(uow.session, rule_id)
    record_change(uow, change, "mail_rule.remove", row.name, conditions=row.conditions, does=row.action)
    uow.session.execute(delete(MonitorKey).where(MonitorKey.rule_id == row.id))
    row.action, row.is_enabled = _REMOVED, False


def decide_for_mail(
    session: Session, row: MailLedger, mail: ParsedMail, *, kind: MailKind, is_reply: bool
) -> RuleOutcome | None:
    """What the rules say of a mail that is about to get its verdict. None: no rule fits, a person let it in, or it
    lies among what we sent. Where no rule is switched on it costs one statement."""
    if row.is_released or row.is_sent:
        return None
    rules = [rule for rule in list_mail_rules(session) if rule.is_enabled]
    if not rules:
        return None
    facts = rule_mail(
        mail,
        row,
        own=own_addresses(session),
        headers=read_headers(load_head(session, row.sha256)) if needs_headers(rules) else {},
        is_staff=_is_staff(session, mail.from_email),
    )
    return decide_rule(rules, replace(facts, is_machine=kind.kind != PERSON, is_reply=is_reply))


def rule_mail(
    mail: ParsedMail, row: MailLedger, *, own: Collection[str], headers: Mapping[str, Sequence[str]], is_staff: bool
) -> RuleMail:
    """A mail as rules see it. `own` are our addresses in lower case; who wrote it is left to the caller."""
    to, cc = ({one.key for one in people} & set(own) for people in (mail.to, mail.cc))
    return RuleMail(
        sender=mail.from_email,
        subject=mail.subject,
        mailbox_id=row.mailbox_id,
        headers=headers,
        size=row.size,
        is_only_cc=bool(cc) and not to,
        is_staff=is_staff,
        is_forged=bool(why_distrusted(mail)),
    )


def load_head(session: Session, sha256: str | None) -> bytes:
    """The first 64 KiB of an original, b"" where there is none."""
    query = select(func.substr(BlobChunk.data, 1, MAX_HEAD)).where(BlobChunk.sha256 == sha256, BlobChunk.n == 0)
    return session.scalar(query) or b"" if sha256 else b""


def _is_staff(session: Session, address: str) -> bool:
    query = select(User.id).where(User.email == address.lower(), User.is_active)
    return bool(address) and session.scalar(query.limit(1)) is not None


def _existing(session: Session, rule_id: int) -> MailRuleRow:
    row = session.get(MailRuleRow, rule_id)
    if row is None or row.action == _REMOVED:
        raise DomainError("This rule is gone: somebody removed it meanwhile.")
    return row


def _next_position(session: Session) -> int:
    last = session.scalar(select(func.max(MailRuleRow.position)))
    return 0 if last is None else last + 1


def _rule(row: MailRuleRow) -> MailRule:
    rule = parse_mail_rule(row.name, row.action, row.conditions, row.options, mailbox_id=row.mailbox_id)
    return replace(rule, id=row.id, is_enabled=row.is_enabled)
