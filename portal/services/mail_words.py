"""The words of one mail: which language, what its places stand for, and the template that puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core.languages import detect_language
from portal.core.mail_phrases import phrases_of
from portal.core.mail_templates import LANGUAGES, TEAM_NOTICE, MailWords, Template, render_template
from portal.core.quoting import own_words
from portal.core.settings import SiteSettings
from portal.core.tickets import WAITING_THIRD, format_number
from portal.models import Message, Ticket
from portal.services.mail_templates import load_template
from portal.services.tickets import REQUEST

_READ_CHARACTERS = 4000
_LONGEST_NAME = 60
_SAMPLE = {
    "subject": "The printer on floor 2 is jammed",
    "name": "Dana Reed",
    "words": "I have taken out the paper.\nPlease try once more.",
    "author": "Bob",
    "sender": "Dana Reed <dana@customer.example>",
    "priority": "P2",
    "queue": "Desktop",
}


@dataclass(frozen=True)
class Letter:
    """Everything a mail says. `name` is the requester's, `link` the page for its reader, `ref` our signed token; `more`
    holds the places of its event."""

    event: str
    language: str
    ticket: Ticket
    settings: SiteSettings
    ref: str
    name: str = ""
    link: str = ""
    signature: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


def language_of(session: Session, ticket: Ticket, settings: SiteSettings) -> str:
    """The language a requester is written to: that of their request where it is clear and we have words in it, else the
    site's."""
    if settings.mail_match_language:
        body = func.substr(Message.body, 1, _READ_CHARACTERS)
        first = select(body).where(Message.ticket_id == ticket.id, Message.kind == REQUEST).order_by(Message.id)
        found = detect_language(own_words(session.scalar(first.limit(1)) or ""))
        if found in LANGUAGES:
            return found
    return settings.site_language


def render_letter(session: Session, letter: Letter) -> MailWords:
    """Subject, text and HTML, by the template in force. Raises DomainError for an event that is not."""
    return _render(load_template(session, letter.event, letter.language).template, letter)


def preview_letter(
    template: Template, event: str, language: str, *, settings: SiteSettings, site_url: str
) -> MailWords:
    """What a template makes of an invented ticket, for the page on which it is edited. Places that are not known are
    empty."""
    phrases = phrases_of(language)
    page = "tickets/1234" if event == TEAM_NOTICE else "r/1234-example"
    letter = Letter(
        event=event,
        language=language,
        ticket=Ticket(id=1234, subject=_SAMPLE["subject"]),
        settings=settings,
        ref="nd.1234.example",
        name=_SAMPLE["name"],
        link=f"{site_url}/{page}" if site_url else "",
        more={
            **_SAMPLE,
            "promise": phrases.closed.format(phrases.from_time.format(phrases.tomorrow, "08:00")),
            "price": settings.form_price,
            "status": phrases.statuses[WAITING_THIRD],
            "what": phrases.new_ticket,
        },
    )
    return _render(template, letter)


def _render(template: Template, letter: Letter) -> MailWords:
    settings, phrases = letter.settings, phrases_of(letter.language)
    name = letter.name if _is_plain_name(letter.name) else ""
    values = {
        "hello": phrases.greet(name),
        "name": name,
        "number": format_number(letter.ticket.id, prefix=settings.site_prefix),
        "subject": letter.ticket.subject,
        "site": settings.site_name,
        "signature": letter.signature.strip() or settings.site_name,
        "link": letter.link,
        "by_mail": "" if letter.link else phrases.by_mail,
        "rate": phrases.rate,
        **letter.more,
    }
    tag = f"[#{letter.ticket.id}]"
    return render_template(template, values, tag=tag, ref=letter.ref, language=letter.language)


def _is_plain_name(name: str) -> bool:
    """Anybody may type a name and somebody else's address into the form: what we send there must not advertise."""
    return len(name) <= _LONGEST_NAME and not any(mark in name for mark in ("://", "www.", "\n", "@"))
