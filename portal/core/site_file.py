"""The settings file: one YAML document for everything the pages can set. Its schema here checks it, and documents it.

`read_site_file` turns text into plain values with the line each came from; `write_site_file` is the way back. Secrets
are never in the file: `{env: NAME}` says which variable of the environment holds one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from portal.core.errors import DomainError
from portal.core.mail_rules import Action, ConditionKind
from portal.core.mail_templates import EVENTS, LANGUAGES
from portal.core.settings import SPECS
from portal.core.site_file_calendars import CALENDAR_KEYS, HOURS_KEYS, SPECIAL_KEYS
from portal.core.site_file_nodes import EnvRef, Fault, Key, Kind, Shape, read_node
from portal.core.site_file_schedules import SCHEDULE_KEYS, SHIFT_KEYS

__all__ = [
    "SECTIONS",
    "EnvRef",
    "Fault",
    "Key",
    "Kind",
    "Section",
    "SiteFile",
    "SiteFileError",
    "read_site_file",
    "write_site_file",
]

MAX_CHARACTERS = 5_000_000


class SiteFileError(DomainError):
    """All that is wrong with a file, one sentence a line, each with its line number."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True)
class Section:
    """A top-level key. `is_whole`: the file's list is the whole truth, and what it does not name is removed."""

    name: str
    help: str
    shape: Shape
    is_whole: bool = False


@dataclass(frozen=True)
class SiteFile:
    """What was read. `sections` holds only those in the file; `lines` finds the line of an item, by section and place:
    the key of a mapping, the number of an entry of a list, and deeper down several of these, from the outside in."""

    sections: Mapping[str, Any]
    lines: Mapping[tuple[str, Any], int] = field(default_factory=dict)

    def line(self, section: str, place: Any = None) -> int:
        """The line of an item, or of its section."""
        return self.lines.get((section, place)) or self.lines.get((section, None), 1)


_BY_REFERENCE = (
    "A reference like `{env: NAME}`: the variable of the environment that holds it when the file is imported."
)
_SETTING_KINDS = {"flag": Kind.FLAG, "number": Kind.NUMBER, "secret": Kind.REFERENCE, "person": Kind.TEXT}


def _setting(spec: Any) -> Key:
    kinds = {"person": "mail address", "zone": "zone", "choice": "choice", "long": "text, several lines"}
    words = f"{spec.label}{'' if spec.label.endswith('?') else '.'} {spec.help}".strip()
    if spec.choices:
        words += " One of: " + ", ".join(f"`{name}`" if name else '`""`' for name in spec.choices) + "."
    if spec.kind == "number":
        words += f" From {spec.low} to {spec.high}."
    kind = _SETTING_KINDS.get(spec.kind, Kind.TEXT)
    default = "" if spec.kind in ("person", "secret") else spec.default
    return Key(spec.key, kind, words, default=default, noun=kinds.get(spec.kind, ""))


_SERVER = (
    Key("host", Kind.TEXT, "Name of the server.", is_required=True),
    Key("port", Kind.NUMBER, "993 or 143 for IMAP, 465 or 587 for SMTP.", is_required=True),
    Key("security", Kind.TEXT, "One of: `tls`, `starttls`, `plain`.", default="tls"),
    Key("user", Kind.TEXT, "Name to sign in with.", default=""),
    Key("password", Kind.REFERENCE, _BY_REFERENCE),
)
_APPLICATION = (
    Key("client_id", Kind.TEXT, "ID of the registered application.", is_required=True),
    Key("client_secret", Kind.REFERENCE, _BY_REFERENCE),
    Key("login_url", Kind.TEXT, "Another place to sign in; for a proxy or a test.", default=""),
)
_OAUTH = (
    Key("provider", Kind.TEXT, "One of: `microsoft`, `google`.", is_required=True),
    Key("tenant", Kind.TEXT, "Microsoft only: ID of the directory, or its domain.", default=""),
    *_APPLICATION,
    Key("sign_in", Kind.TEXT, "One of: `app` (Microsoft only), `code` (a link), `device` (a code).", default="code"),
)
_GRAPH = (
    Key("tenant", Kind.TEXT, "ID of the directory, or its domain.", is_required=True),
    *_APPLICATION,
    Key("sign_in", Kind.TEXT, "One of: `app` (by its own right), `code` (a link), `device` (a code).", default="app"),
    Key("cloud", Kind.TEXT, "One of: `global`, `us`, `us_dod`, `china`.", default="global"),
    Key("url", Kind.TEXT, "Another place of Graph; for a proxy or a test.", default=""),
)
_PERSON = (
    Key("mail", Kind.TEXT, "Mail address; finds the person again.", is_required=True),
    Key("name", Kind.TEXT, "How colleagues call them.", is_required=True),
    Key("role", Kind.TEXT, "One of: `admin`, `manager`, `technician`, `viewer`.", default="technician"),
    Key("phones", Kind.TEXTS, "Numbers with country code, the first is tried first.", default=()),
    Key("active", Kind.FLAG, "`false` disables the account.", default=True),
    Key(
        "password",
        Kind.REFERENCE,
        f"{_BY_REFERENCE} Only for an account that has none; without it an invitation is printed.",
    ),
)
_MAILBOX = (
    Key("name", Kind.TEXT, "Finds the mailbox again.", is_required=True),
    Key("address", Kind.TEXT, "Its mail address.", is_required=True),
    Key("sender_name", Kind.TEXT, "Name beside the address in what we send.", default=""),
    Key("signature", Kind.TEXT, "Stands below what we send from it.", default="", noun="text, several lines"),
    Key("queue", Kind.TEXT, "Queue of its tickets.", default=""),
    Key("folder", Kind.TEXTS, "Folder to read, or several.", default=("INBOX",)),
    Key("sent_folder", Kind.TEXT, "Folder of mail sent by hand; empty: not read.", default=""),
    Key("interval_s", Kind.NUMBER, "Seconds between two looks.", default=20),
    Key("enabled", Kind.FLAG, "Whether it is read.", default=True),
    Key("secret_expires_on", Kind.DATE, "When its password or client secret ends; warned of beforehand."),
    Key("takes_duplicates", Kind.FLAG, "`true`: mail that another mailbox had too makes a ticket here.", default=False),
    Key("imap", Kind.MAP, "Server to read from; or else `graph`.", keys=_SERVER),
    Key("smtp", Kind.MAP, "Server to send through; without one nothing is sent.", keys=_SERVER),
    Key("oauth", Kind.MAP, "How to sign in there by OAuth instead of a password.", keys=_OAUTH),
    Key("graph", Kind.MAP, "A mailbox at Microsoft 365, which reads and sends.", keys=_GRAPH),
)
_CONDITION = (
    Key("kind", Kind.TEXT, "What it looks at, such as `subject_has` or `after_hours`.", is_required=True),
    Key("value", Kind.TEXT, "What it looks for.", default=""),
)
_ACTIONS = (
    Key("category", Kind.TEXT, "Set this category."),
    Key("priority", Kind.NUMBER, "1 to 4."),
    Key("queue", Kind.TEXT, "Send it to this queue."),
    Key("assignee", Kind.TEXT, "Assign it to the person with this mail address."),
    Key("page", Kind.FLAG, "`true` pages at any hour, `false` never."),
    Key("stop", Kind.FLAG, "Look at no further rule."),
)
_RULE = (
    Key("name", Kind.TEXT, "Finds the rule again.", is_required=True),
    Key("enabled", Kind.FLAG, "Whether it is applied.", default=True),
    Key("match", Kind.TEXT, "`all` or `any` of the conditions.", default="all"),
    Key("conditions", Kind.MAPS, "When it applies.", is_required=True, keys=_CONDITION),
    Key("actions", Kind.MAP, "What it does.", is_required=True, keys=_ACTIONS),
)
_MAIL_CONDITION = (
    Key("kind", Kind.TEXT, f"One of: {', '.join(f'`{one}`' for one in ConditionKind)}.", is_required=True),
    Key("value", Kind.TEXT, "What it looks for; several stand between commas or on lines of their own.", default=""),
)
_MAIL_RULE = (
    Key("name", Kind.TEXT, "Finds the rule again.", is_required=True),
    Key("enabled", Kind.FLAG, "Whether it is asked.", default=True),
    Key("mailbox", Kind.TEXT, "Only for mail to this mailbox; left out, for every one.", default=""),
    Key("conditions", Kind.MAPS, "All of them must hold.", default=(), keys=_MAIL_CONDITION),
    Key("action", Kind.TEXT, f"One of: {', '.join(f'`{one}`' for one in Action)}.", is_required=True),
    Key("opens", Kind.TEXTS, "For `monitor`: subjects that open, like `PROBLEM: {key} is {*}`.", default=()),
    Key("closes", Kind.TEXTS, "For `monitor`: subjects that resolve, like `RECOVERY: {key}`.", default=()),
)
_MAIL_WORDS = (
    Key("mail", Kind.TEXT, "One of: " + ", ".join(f"`{name}`" for name in EVENTS) + ".", is_required=True),
    Key("language", Kind.TEXT, "One of: " + ", ".join(f"`{code}`" for code in LANGUAGES) + ".", is_required=True),
    Key("subject", Kind.TEXT, "Stands behind the ticket’s number.", is_required=True),
    Key("text", Kind.TEXT, "With places like `{{ name }}`; the page of the mail lists them.", is_required=True),
)
_WORDS = tuple(
    Key(aspect, Kind.WORDS, words)
    for aspect, words in (
        ("category", "By category: word or phrase and weight, from -10 to 10."),
        ("scope", "How many are hit: `everyone`, `group`."),
        ("urgency", "How badly: `blocked`, `deadline`, `calm`."),
        ("priority", "Straight to `P1`, `P2`, `P3` or `P4`."),
    )
)

SECTIONS = (
    Section(
        "settings",
        "The settings of the settings pages. A key that is left out stays as it is.",
        Shape(Kind.MAP, tuple(map(_setting, SPECS))),
    ),
    Section("people", "Everybody who works here. Who is not named stays as they are.", Shape(Kind.MAPS, _PERSON)),
    Section(
        "queues",
        "The queues, in the order of the menus: names, or mappings where one has its own hours or roster. Others stay.",
        Shape(
            Kind.NAMES,
            (
                Key("name", Kind.TEXT, "Finds the queue again.", is_required=True),
                Key("calendar", Kind.TEXT, 'Its business hours; `""`: the site\'s. Left out, as it is.'),
                Key("schedule", Kind.TEXT, 'Who is on call for it; `""`: the site\'s. Left out, as it is.'),
            ),
        ),
    ),
    Section(
        "categories",
        "What tickets are about, and the queue they go to. Others stay.",
        Shape(
            Kind.MAPS,
            (
                Key("name", Kind.TEXT, "Finds the category again.", is_required=True),
                Key("queue", Kind.TEXT, "Queue of its tickets.", default=""),
            ),
        ),
    ),
    Section(
        "customers",
        "Whom the shop works for. Other customers stay, and so does what an entry leaves out.",
        Shape(
            Kind.MAPS,
            (
                Key("name", Kind.TEXT, "Finds the customer again.", is_required=True),
                Key("addresses", Kind.TEXTS, "Domains and mail addresses of its people. All of them."),
                Key("calendar", Kind.TEXT, 'Hours in which its deadlines count; `""`: those of the queue or the site.'),
            ),
        ),
    ),
    Section("words", "The words triage goes by. All of them: others are removed.", Shape(Kind.MAP, _WORDS), True),
    Section(
        "hours",
        "Business hours on the site's clock, such as `[\"08:00-12:00\", \"13:00-17:00\"]`. A day left out is closed.",
        Shape(Kind.MAP, HOURS_KEYS),
        True,
    ),
    Section(
        "special_hours",
        "Closures and extra openings of the site that are not over. All of them: others are removed, and what has been "
        "stays.",
        Shape(Kind.MAPS, SPECIAL_KEYS),
        True,
    ),
    Section(
        "calendars",
        "Business hours beside the site's own, for queues and schedules that name them. Other calendars stay, and so "
        "does what an entry leaves out; what stands in it is the whole truth. Their days off stand in `holidays` and "
        "`holiday_rules`.",
        Shape(Kind.MAPS, CALENDAR_KEYS),
    ),
    Section(
        "holidays",
        "Days off from today on. All of them: others are removed. Days in the past, and proposals that wait, stay.",
        Shape(
            Kind.MAPS,
            (
                Key("date", Kind.DATE, "Like `2026-12-25`.", is_required=True),
                Key("name", Kind.TEXT, "What the day is called.", is_required=True),
                Key("state", Kind.TEXT, "`accepted`, or `ignored`: a working day here.", default="accepted"),
                Key("closed", Kind.TEXT, "The part that is closed, like `13:00-24:00`. Left out, the whole day."),
                Key("calendar", Kind.TEXT, "The business hours it belongs to. Left out, the site's."),
            ),
        ),
        True,
    ),
    Section(
        "holiday_rules",
        "Days off of every year. All of them: others end, and what has been stays. An ignored holiday of the same name "
        "is the exception of one year.",
        Shape(
            Kind.MAPS,
            (
                Key("name", Kind.TEXT, "What the day is called.", is_required=True),
                Key(
                    "day", Kind.TEXT, "`12-24`, `4th thu nov`, `last mon may`, `easter +1`, `wed before 11-23`.",
                    is_required=True,
                ),
                Key("closed", Kind.TEXT, "The part that is closed, like `13:00-24:00`. Left out, the whole day."),
                Key("first_year", Kind.NUMBER, "From this year on. Left out, as it is."),
                Key("last_year", Kind.NUMBER, "Up to this year."),
                Key("calendar", Kind.TEXT, "The business hours it belongs to. Left out, the site's."),
            ),
        ),
        True,
    ),
    Section(
        "holiday_feeds",
        "Calendars on the web that propose days off. All of them: others are read no more. What was accepted stays.",
        Shape(
            Kind.MAPS,
            (
                Key("name", Kind.TEXT, "What it is called here.", is_required=True),
                Key("url", Kind.TEXT, "Finds it again. Begins with `https://` or `webcal://`.", is_required=True),
                Key("enabled", Kind.FLAG, "Whether it is read.", default=True),
                Key("calendar", Kind.TEXT, "The business hours it belongs to. Left out, the site's."),
            ),
        ),
        True,
    ),
    Section(
        "escalation",
        "Who is asked, in which order, when a page is not answered.",
        Shape(
            Kind.MAPS,
            (
                Key(
                    "ask", Kind.TEXT, "`on_call`, `fallback`, `managers`, or somebody's mail address.", is_required=True
                ),
                Key("wait_minutes", Kind.NUMBER, "Minutes until asking again, or going on.", default=5),
                Key("repeats", Kind.NUMBER, "How often the same people are asked again.", default=1),
            ),
        ),
        True,
    ),
    Section(
        "shifts",
        "On-call shifts of the site's own schedule that are not over, on its clock. All of them: others are removed.",
        Shape(
            Kind.MAPS,
            SHIFT_KEYS,
        ),
        True,
    ),
    Section(
        "schedules",
        "Who is on call: turns, exceptions and holidays of each roster, on its own clock. Other schedules stay, and so "
        "does what an entry leaves out; a list in it is the whole truth. What is missing there ends now: what has been "
        "stays.",
        Shape(Kind.MAPS, SCHEDULE_KEYS),
    ),
    Section("mailboxes", "Mailboxes that are read. Others stay.", Shape(Kind.MAPS, _MAILBOX)),
    Section(
        "rules", "Routing rules, in the order they are applied. All of them: others are removed.",
        Shape(Kind.MAPS, _RULE), True,
    ),
    Section(
        "mail_rules", "Rules for mail as it comes in, in the order they are asked. All of them: others are removed.",
        Shape(Kind.MAPS, _MAIL_RULE), True,
    ),
    Section(
        "mail_words", "Words of mails that are yours. All of them: for others ours are used.",
        Shape(Kind.MAPS, _MAIL_WORDS), True,
    ),
)  # fmt: skip
_BY_NAME = {section.name: section for section in SECTIONS}


def read_site_file(text: str) -> SiteFile:
    """Check a whole file against the schema. Raises SiteFileError with every fault and its line.

    What needs the database (whether a queue exists) is checked by services/site_file.py.
    """
    if len(text) > MAX_CHARACTERS:
        raise SiteFileError([Fault(1, "The file is larger than any settings can be.")])
    faults: list[Fault] = []
    lines: dict[tuple[str, Any], int] = {}
    sections: dict[str, Any] = {}
    for name, key_node, node in _top(text):
        line = key_node.start_mark.line + 1
        if name not in _BY_NAME:
            faults.append(Fault(line, f"“{name}” is not a section. Use {', '.join(_BY_NAME)}."))
        elif name in sections:
            faults.append(Fault(line, f"“{name}” stands here twice."))
        else:
            lines[name, None] = line
            sections[name] = read_node(node, _BY_NAME[name].shape, faults=faults)
            lines.update({(name, place): at for place, at in _places(node)})
    if faults:
        raise SiteFileError(faults)
    return SiteFile(sections, lines)


def _top(text: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = f"This is not YAML: {error.problem or error.context}."
        raise SiteFileError([Fault(mark.line + 1 if mark else 1, words)]) from None
    except yaml.YAMLError as error:
        raise SiteFileError([Fault(1, f"This is not YAML: {error}.".replace("\n", " "))]) from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise SiteFileError(
            [Fault(node.start_mark.line + 1, "The file must be a mapping of sections, like “people:”.")]
        )
    return [(key.value if isinstance(key.value, str) else "?", key, value) for key, value in node.value]


def _places(node: yaml.Node, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, int]]:
    """Only the schedules have items three levels down; a file that refers to itself has no end."""
    inside: list[tuple[Any, yaml.Node, yaml.Node]] = []
    if isinstance(node, yaml.MappingNode):
        inside = [(key.value, key, value) for key, value in node.value if isinstance(key.value, str)]
    elif isinstance(node, yaml.SequenceNode):
        inside = [(number, item, item) for number, item in enumerate(node.value)]
    for place, mark, value in inside:
        yield ((*above, place) if above else place), mark.start_mark.line + 1
        if len(above) < 2:
            yield from _places(value, (*above, place))


_HEADER = """\
# The settings of this Nightdesk. docs/config.md says what each key means.
# Read it in with: portal config import FILE --dry-run, then without --dry-run.
# Secrets are not in here: {env: NAME} is the variable of the environment that holds one.
"""


class _Dumper(yaml.SafeDumper):
    """Indents lists under their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _reference(dumper: yaml.SafeDumper, ref: EnvRef) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", {"env": ref.name}, flow_style=True)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Several lines as several lines."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(EnvRef, _reference)
_Dumper.add_representer(str, _text)


def write_site_file(sections: Mapping[str, Any]) -> str:
    """The text of a file with these sections, in the order of the schema. `read_site_file` reads it back."""
    parts = [_HEADER]
    for section in SECTIONS:
        if section.name in sections:
            value = {section.name: sections[section.name]}
            parts.append(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))
    return "\n".join(parts)
