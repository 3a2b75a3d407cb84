"""The words of the mails we send, from the templates of each event."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from portal.config import PROJECT_ROOT

CONFIRMATION, ANSWER, RESOLVED = "confirmation", "answer", "resolved"
EVENTS = (CONFIRMATION, ANSWER, RESOLVED)
_MANY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class MailValues:
    """What the templates may use.

    Attributes:
        tag: the number as it threads by subject, `[#1234]`; `number` is the number people read.
        subject: the ticket's.
        name: the receiver's name, may be empty.
        body: the technician's words or the resolution note, plain text.
        author: who wrote them.
        promise: when somebody will look, one sentence; empty where we cannot say.
        link: the private status page; empty where it cannot be reached from outside.
        ref: our signed token.
    """

    tag: str
    number: str
    subject: str
    site_name: str
    ref: str
    name: str = ""
    body: str = ""
    author: str = ""
    promise: str = ""
    link: str = ""


@dataclass(frozen=True)
class MailWords:
    """A mail's subject on one line, its text and its HTML."""

    subject: str
    text: str
    html: str


def render_mail(event: str, *, values: MailValues) -> MailWords:
    """The words of one mail. Raises jinja2.TemplateNotFound for an unknown event."""
    environment = _environment()
    known = vars(values)
    subject, text, html = (
        environment.get_template(f"{event}/{part}").render(known) for part in ("subject.txt", "body.txt", "body.html")
    )
    return MailWords(" ".join(subject.split())[:400], _MANY_LINES.sub("\n\n", text).strip() + "\n", html)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PROJECT_ROOT / "templates" / "messages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["paragraphs"] = _paragraphs
    return environment


def _paragraphs(text: str) -> list[Markup]:
    """Plain text as escaped paragraphs with their line breaks."""
    blocks = re.split(r"\n[ \t]*\n", text.strip())
    return [Markup("<br>").join(escape(line) for line in block.split("\n")) for block in blocks]
