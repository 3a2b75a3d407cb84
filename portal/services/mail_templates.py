"""The words of our mails: those we ship, and those a shop wrote instead (core/mail_templates.py has the rules)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.config import PROJECT_ROOT
from portal.core.errors import DomainError
from portal.core.mail_templates import EVENTS, LANGUAGES, Template, find_faults, parse_template
from portal.models import MailTemplate, UnitOfWork
from portal.services.audit import Change, record_change

_FOLDER = PROJECT_ROOT / "templates" / "messages"
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class TemplateEntry:
    """The words in force for one event in one language; `is_own`: the shop wrote them."""

    event: str
    language: str
    template: Template
    is_own: bool


@cache
def shipped_template(event: str, language: str) -> Template:
    """The words we ship. Raises DomainError for what we do not."""
    if event not in EVENTS or language not in LANGUAGES:
        raise DomainError(f"There are no words for “{event}” in “{language}”.")
    return parse_template((_FOLDER / language / f"{event}.txt").read_text(encoding="utf-8"))


def load_template(session: Session, event: str, language: str) -> TemplateEntry:
    """The words in force. Raises DomainError for an event or language that is not."""
    shipped = shipped_template(event, language)
    row = session.get(MailTemplate, (event, language))
    if row is None:
        return TemplateEntry(event, language, shipped, is_own=False)
    return TemplateEntry(event, language, Template(row.subject, row.body), is_own=True)


def list_own_templates(session: Session) -> Sequence[TemplateEntry]:
    """Those the shop wrote, in the order of events and languages."""
    rows = {(row.event, row.language): row for row in session.scalars(select(MailTemplate))}
    return [
        TemplateEntry(event, language, Template(row.subject, row.body), is_own=True)
        for event in EVENTS
        for language in LANGUAGES
        if (row := rows.get((event, language))) is not None
    ]


def save_template(uow: UnitOfWork, event: str, language: str, template: Template, *, change: Change) -> bool:
    """Use these words from now on; ours again when they are the same. False when they were in force already.

    Raises DomainError with a line for each fault.
    """
    wanted = parse_template(f"{template.subject}\n{_one_kind_of_line_end(template.body)}")
    before = load_template(uow.session, event, language)
    if before.template == wanted:
        return False
    if wanted == shipped_template(event, language):
        return reset_template(uow, event, language, change=change)
    faults = find_faults(event, Template(template.subject, wanted.body))
    if faults:
        raise DomainError("\n".join(map(str, faults)))
    row = uow.session.get(MailTemplate, (event, language))
    if row is None:
        row = MailTemplate(event=event, language=language, version=0)
        uow.session.add(row)
    row.subject, row.body, row.changed_at, row.version = wanted.subject, wanted.body, change.at, row.version + 1
    uow.session.flush()
    record_change(uow, change, "mail_words.edit", f"{event}.{language}", before=vars(before.template))
    return True


def reset_template(uow: UnitOfWork, event: str, language: str, *, change: Change) -> bool:
    """Our words again. False when they are in force."""
    row = uow.session.get(MailTemplate, (event, language))
    if row is None:
        return False
    before = {"subject": row.subject, "body": row.body}
    uow.session.delete(row)
    uow.session.flush()
    record_change(uow, change, "mail_words.reset", f"{event}.{language}", before=before)
    return True


def _one_kind_of_line_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
