"""The words of a mail as a shop edits them: plain text with `{{ name }}` places, and nothing that could run.

A line whose places are all empty disappears. The ticket's number in the subject and our reference below the text are no
part of a template, so they cannot be edited away. The HTML is made from the text: there is one text to edit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType

CONFIRMATION, AFTER_HOURS, ANSWER = "confirmation", "after_hours", "answer"
UPDATE, RESOLVED, TEAM_NOTICE = "update", "resolved", "team_notice"
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español", "nl": "Nederlands"}

MAX_SUBJECT, MAX_BODY = 400, 20_000
_PLACE = re.compile(r"\{\{[ \t]*([^{}\n]*?)[ \t]*\}\}")
_MANY_LINES = re.compile(r"\n{3,}")
_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'’»]")
_INDENT = re.compile(r"^ +", re.MULTILINE)

_COMMON = {
    "hello": "the greeting, with the requester’s name where we know it",
    "name": "the requester’s name",
    "number": "the ticket’s number",
    "subject": "the ticket’s subject",
    "site": "the name of the help desk",
    "signature": "the mailbox’s signature, else the name of the help desk",
    "link": "the private page of the ticket; empty while Nightdesk has no public address",
    "by_mail": "how to end the request by mail; empty where there is a link",
}
_PROMISE = {"promise": "when somebody will look; empty where nobody can say"}


@dataclass(frozen=True)
class EventSpec:
    """A mail we send: its name and use for the page, its places with their meaning, and those it cannot do without."""

    name: str
    label: str
    help: str
    places: Mapping[str, str]
    needed: tuple[str, ...] = ()


def _event(name: str, label: str, help_text: str, *needed: str, **places: str) -> EventSpec:
    return EventSpec(name, label, help_text, MappingProxyType({**_COMMON, **places}), needed)


EVENTS: Mapping[str, EventSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            _event(CONFIRMATION, "Confirmation", "To the requester, once for each new ticket.", **_PROMISE),
            _event(
                AFTER_HOURS,
                "After-hours question",
                "Instead of the confirmation while you are closed and only confirmed emergencies wake somebody.",
                **_PROMISE,
                price="the price of an emergency; empty when none is set",
            ),
            _event(
                ANSWER,
                "Answer",
                "A technician’s words to the requester.",
                "words",
                words="what the technician wrote",
                author="who wrote it",
            ),
            _event(
                UPDATE,
                "Update",
                "When a technician changes the status and ticks that the requester is told.",
                "status",
                status="the new status, in the requester’s language",
            ),
            _event(
                RESOLVED,
                "Solved",
                "When a ticket is resolved.",
                "words",
                words="the note of how it was solved",
                rate="how to rate the help by mail",
            ),
            _event(
                TEAM_NOTICE,
                "Notice to the team",
                "About a new ticket or a reply. Answering it answers the requester.",
                what="whether it is a new ticket or a reply",
                sender="who wrote, with mail address",
                words="what they wrote",
                priority="P1 to P4",
                queue="the ticket’s queue",
            ),
        )
    }
)


@dataclass(frozen=True)
class Template:
    """The words of one event in one language, as edited."""

    subject: str
    body: str


@dataclass(frozen=True)
class MailWords:
    """A mail ready to go: its subject on one line, its text and its HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class TemplateFault:
    """What is wrong with a template. `line` counts from 1 in the text; 0 is the subject."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"{f'Line {self.line}' if self.line else 'Subject'}: {self.text}"


def parse_template(text: str) -> Template:
    """A template as its file holds it: the subject, an empty line, the text."""
    subject, _, body = text.partition("\n")
    return Template(subject.strip(), body.strip("\n"))


def find_faults(event: str, template: Template) -> tuple[TemplateFault, ...]:
    """Everything that keeps a template from being used, in the order of its lines. Raises KeyError for an unknown
    event."""
    spec = EVENTS[event]
    faults = [fault for number, line in _lines(template) for fault in _faults_of_line(number, line, spec)]
    if "\n" in template.subject.strip():
        faults.append(TemplateFault(0, "it must be one line."))
    if len(template.subject) > MAX_SUBJECT or len(template.body) > MAX_BODY:
        faults.append(TemplateFault(0, f"at most {MAX_SUBJECT} characters, and the text {MAX_BODY:,}."))
    if not template.subject.strip():
        faults.append(TemplateFault(0, "please write one."))
    if not template.body.strip():
        faults.append(TemplateFault(1, "please write a text."))
    elif missing := [name for name in spec.needed if name not in _places_in(template.body)]:
        places = ", ".join(f"{{{{ {name} }}}}" for name in missing)
        faults.append(TemplateFault(1, f"the text needs {places}, or the mail says nothing."))
    return tuple(sorted(faults, key=lambda fault: fault.line))


def render_template(
    template: Template, values: Mapping[str, str], *, tag: str, ref: str, language: str = "en"
) -> MailWords:
    """The mail. A place without a value is empty; what a value holds is never looked at for places again.

    Args:
        template: the words.
        values: what the places stand for, plain text.
        tag: the number as mails thread by it, `[#1234]`: always in front of the subject.
        ref: our signed token: always below the text, once. "" leaves it out.
        language: of the HTML.
    """
    filled = _fill(template.subject, values)
    subject = " ".join([tag, *(filled.replace(tag, " ") if tag else filled).split()])
    lines = [_fill(line, values) for line in template.body.split("\n") if not _is_empty(line, values)]
    body = _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()
    text = f"{body}\n\nRef: {ref}\n" if ref else f"{body}\n"
    return MailWords(subject.strip()[:MAX_SUBJECT], text, _as_html(body, ref, language))


def _lines(template: Template) -> list[tuple[int, str]]:
    return [(0, template.subject), *enumerate(template.body.split("\n"), 1)]


def _faults_of_line(number: int, line: str, spec: EventSpec) -> list[TemplateFault]:
    faults = [
        TemplateFault(number, f"there is no “{name}” here. Use {', '.join(spec.places)}.")
        for name in _places_in(line)
        if name not in spec.places
    ]
    rest = _PLACE.sub("", line)
    if "{{" in rest or "}}" in rest:
        faults.append(TemplateFault(number, "a place begins with {{ and ends with }}, like {{ subject }}."))
    return faults


def _places_in(text: str) -> list[str]:
    return [match.group(1) for match in _PLACE.finditer(text)]


def _is_empty(line: str, values: Mapping[str, str]) -> bool:
    places = _places_in(line)
    return bool(places) and not any(values.get(name, "").strip() for name in places)


def _fill(line: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: values.get(match.group(1), "").strip("\n"), line)


def _as_html(body: str, ref: str, language: str) -> str:
    paragraphs = "\n".join(f"<p>{_paragraph(block)}</p>" for block in re.split(r"\n[ \t]*\n", body) if block.strip())
    reference = f"<p><small>Ref: {escape(ref)}</small></p>\n" if ref else ""
    head = (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<body style="font-family: sans-serif; line-height: 1.5">'
    )
    return f"{head}\n{paragraphs}\n{reference}</body>\n</html>\n"


def _paragraph(block: str) -> str:
    """Escaped, with its line breaks and indents kept and its addresses as links."""
    pieces, last = [], 0
    for match in _LINK.finditer(block):
        address = escape(match.group())
        pieces += [escape(block[last : match.start()]), f'<a href="{address}">{address}</a>']
        last = match.end()
    html = "".join([*pieces, escape(block[last:])])
    return _INDENT.sub(lambda match: "&nbsp;" * len(match.group()), html).replace("\n", "<br>\n")
