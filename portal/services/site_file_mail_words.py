"""The shop's own words of mails in the settings file, there and back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.mail_templates import Template
from portal.services.mail_templates import list_own_templates, reset_template, save_template

if TYPE_CHECKING:
    from portal.services.site_file_import import Run


def collect_mail_words(session: Session, wall: datetime) -> list[dict[str, Any]]:
    """What differs from the words we ship. `wall` is what every section is asked with."""
    return [
        {"mail": one.event, "language": one.language, "subject": one.template.subject, "text": one.template.body}
        for one in list_own_templates(session)
    ]


def apply_mail_words(run: Run, entries: list[dict[str, Any]]) -> None:
    """Make the words those of the file; what it does not name has ours."""
    named: set[tuple[str, str]] = set()
    for place, entry in enumerate(entries):
        event, language = key = entry["mail"], entry["language"]
        with run.at("mail_words", place):
            if key in named:
                raise DomainError(f"The words of {event} in {language} stand here twice.")
            named.add(key)
            words = Template(entry["subject"], entry["text"])
            if save_template(run.uow, event, language, words, change=run.change):
                run.changes.append(f"mail_words: {event} in {language} changed")
    for own in list_own_templates(run.uow.session):
        if (own.event, own.language) not in named:
            reset_template(run.uow, own.event, own.language, change=run.change)
            run.changes.append(f"mail_words: {own.event} in {own.language} are ours again")
