"""From the database to the sections of the settings file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.escalation import person_of
from portal.core.rules import rule_actions, rule_conditions
from portal.core.settings import SPECS
from portal.core.site_file import EnvRef
from portal.core.wallclock import wall_of
from portal.models import Calendar, LexiconTerm, MailboxRow, Queue, ScheduleRow, User
from portal.services.categories import list_categories
from portal.services.escalation_steps import load_policy
from portal.services.mailboxes import inbox_folders, list_mailboxes
from portal.services.people import list_people
from portal.services.rules import list_rules
from portal.services.settings import list_set_secrets, load_settings
from portal.services.site_file_calendars import SITE_SECTIONS, collect_calendars, collect_site_calendar
from portal.services.site_file_customers import collect_customers
from portal.services.site_file_holidays import collect_feeds, collect_holidays, collect_rules
from portal.services.site_file_mail_rules import collect_mail_rules
from portal.services.site_file_mail_words import collect_mail_words
from portal.services.site_file_schedules_export import collect_schedules, collect_shifts
from portal.services.site_file_sign_in import export_sign_in


def collect_sections(session: Session, *, now: datetime) -> dict[str, Any]:
    """Every section, as `write_site_file` takes it. Shifts that are over and days that have passed are left out."""
    wall = wall_of(now, zone=load_settings(session).zone)
    collectors: dict[str, Callable[[Session, datetime], Any]] = {
        "settings": _settings, "people": _people, "queues": _queues, "categories": _categories,
        "customers": collect_customers, "words": _words,
        **{name: partial(collect_site_calendar, name=name) for name in SITE_SECTIONS},
        "calendars": lambda session, wall: collect_calendars(session, now=now),
        "holidays": collect_holidays, "holiday_rules": collect_rules, "holiday_feeds": collect_feeds,
        "escalation": _escalation,
        "shifts": lambda session, wall: collect_shifts(session, now),
        "schedules": lambda session, wall: collect_schedules(session, now),
        "mailboxes": _mailboxes, "rules": _rules,
        "mail_rules": collect_mail_rules, "mail_words": collect_mail_words,
    }  # fmt: skip
    return {name: collect(session, wall) for name, collect in collectors.items()}


def secret_name(*words: str) -> str:
    """The variable that an export names for a secret: TWILIO_TOKEN, MAILBOX_SUPPORT_PASSWORD."""
    return "_".join(re.sub(r"[^A-Z0-9]+", "_", word.upper()).strip("_") for word in words if word)


def _settings(session: Session, wall: datetime) -> dict[str, Any]:
    settings, secrets, mails = load_settings(session), list_set_secrets(session), _mails(session)
    values: dict[str, Any] = {}
    for spec in SPECS:
        if spec.kind == "secret":
            if spec.key in secrets:
                values[spec.key] = EnvRef(secret_name(spec.key.partition(".")[2]))
            continue
        value = getattr(settings, spec.attribute)
        values[spec.key] = mails.get(value, "") if spec.kind == "person" else value
    return values


def _mails(session: Session) -> dict[int, str]:
    return dict(row for row in session.execute(select(User.id, User.email)))


def _people(session: Session, wall: datetime) -> list[dict[str, Any]]:
    return [
        {
            "mail": user.email, "name": user.name, "role": user.role,
            **({"phones": [phone.number for phone in user.phones]} if user.phones else {}),
            **({} if user.is_active else {"active": False}),
        }
        for user in list_people(session)
    ]  # fmt: skip


def _queues(session: Session, wall: datetime) -> list[Any]:
    calendars = dict(row for row in session.execute(select(Calendar.id, Calendar.name)))
    schedules = dict(row for row in session.execute(select(ScheduleRow.id, ScheduleRow.name)))
    found = []
    for queue in session.scalars(select(Queue).order_by(Queue.position, Queue.name)):
        own = {"calendar": calendars.get(queue.calendar_id or 0), "schedule": schedules.get(queue.schedule_id or 0)}
        own = {key: name for key, name in own.items() if name}
        found.append({"name": queue.name, **own} if own else queue.name)
    return found


def _categories(session: Session, wall: datetime) -> list[dict[str, str]]:
    return [
        {"name": category.name, **({"queue": category.queue} if category.queue else {})}
        for category in list_categories(session)
    ]


def _words(session: Session, wall: datetime) -> dict[str, dict[str, dict[str, float]]]:
    found: dict[str, dict[str, dict[str, float]]] = {}
    query = select(LexiconTerm).order_by(LexiconTerm.aspect, LexiconTerm.target, LexiconTerm.term)
    for row in session.scalars(query):
        found.setdefault(row.aspect, {}).setdefault(row.target, {})[row.term] = row.weight
    return found


def _escalation(session: Session, wall: datetime) -> list[dict[str, Any]]:
    mails = _mails(session)
    steps = []
    for step in load_policy(session).steps:
        person = person_of(step.targets[0])
        ask = mails.get(person, "") if person is not None else step.targets[0]
        steps.append({"ask": ask, "wait_minutes": step.wait, "repeats": step.repeats})
    return steps


def _mailboxes(session: Session, wall: datetime) -> list[dict[str, Any]]:
    queues = dict(row for row in session.execute(select(Queue.id, Queue.name)))
    found = []
    for row in list_mailboxes(session):
        entry: dict[str, Any] = {"name": row.name, "address": row.address}
        entry |= {"sender_name": row.sender_name} if row.sender_name else {}
        entry |= {"signature": row.signature} if row.signature else {}
        entry |= {"queue": queues[row.queue_id]} if row.queue_id else {}
        folders = inbox_folders(row)
        entry |= {"folder": folders[0] if len(folders) == 1 else list(folders)}
        entry |= {"sent_folder": row.options["sent_folder"]} if row.options.get("sent_folder") else {}
        entry |= {"interval_s": row.interval_s, "enabled": row.is_enabled}
        entry |= {"secret_expires_on": row.secret_expires_on} if row.secret_expires_on else {}
        entry |= {"takes_duplicates": True} if row.takes_duplicates else {}
        secret = secret_name("MAILBOX", row.name, "CLIENT_SECRET")
        found.append({**entry, **_servers(row), **export_sign_in(row, secret=secret)})
    return found


def _servers(row: MailboxRow) -> dict[str, Any]:
    servers = {}
    for kind, middle in (("imap", ""), ("smtp", "SMTP")):
        server = row.options.get(kind)
        if server:
            known = {key: server[key] for key in ("host", "port", "security", "user") if server.get(key)}
            has_secret = bool(row.secrets.get(kind))
            name = secret_name("MAILBOX", row.name, middle, "PASSWORD")
            servers[kind] = {**known, **({"password": EnvRef(name)} if has_secret else {})}
    return servers


def _rules(session: Session, wall: datetime) -> list[dict[str, Any]]:
    found = []
    for entry in list_rules(session):
        conditions = rule_conditions(entry.rule)
        found.append(
            {
                "name": entry.rule.name,
                **({} if entry.rule.is_enabled else {"enabled": False}),
                "match": conditions["match"],
                "conditions": [
                    {"kind": str(item["kind"]), **({"value": item["value"]} if item["value"] else {})}
                    for item in conditions["items"]
                ],
                "actions": rule_actions(entry.rule),
            }
        )
    return found
