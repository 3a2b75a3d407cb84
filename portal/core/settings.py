"""Every setting of the site, once: key, type, default, help. Pages, the settings file and the docs come from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from portal.core.errors import DomainError
from portal.core.mail_templates import LANGUAGES
from portal.core.paging import WakeFor

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")


def _text(default: str, label: str, help_text: str = "", *, most: int = 200, long: bool = False) -> Any:
    return field(
        default=default, metadata={"kind": "long" if long else "text", "label": label, "help": help_text, "most": most}
    )


def _secret(label: str, help_text: str = "") -> Any:
    return field(default="", repr=False, metadata={"kind": "secret", "label": label, "help": help_text, "most": 500})


def _flag(default: bool, label: str, help_text: str = "") -> Any:
    return field(default=default, metadata={"kind": "flag", "label": label, "help": help_text})


def _number(default: int, label: str, low: int, high: int, help_text: str = "") -> Any:
    return field(
        default=default, metadata={"kind": "number", "label": label, "help": help_text, "low": low, "high": high}
    )


def _choice(default: str, label: str, choices: Mapping[str, str], help_text: str = "") -> Any:
    return field(
        default=default, metadata={"kind": "choice", "label": label, "help": help_text, "choices": dict(choices)}
    )


def _person(label: str, help_text: str = "") -> Any:
    return field(default=0, metadata={"kind": "person", "label": label, "help": help_text})


WAKE_FOR = {
    str(WakeFor.EVERYTHING): "Everything that arrives after hours",
    str(WakeFor.URGENT): "P1, P2 and emergencies",
    str(WakeFor.EMERGENCIES): "Confirmed emergencies only",
}
MAIL_TEAM = {
    "": "To nobody",
    "assignee": "To whom the ticket is assigned",
    "everyone": "To whom it is assigned, else to all technicians",
}
_WORKING_TIME = "Of working time. 0: no deadline."
PROVIDERS = {"": "None yet", "sandbox": "Sandbox phones on a page", "twilio": "Twilio"}


@dataclass(frozen=True)
class SiteSettings:
    """The settings in force. A field `group_name` is the key `group.name`; a `person` is a user id, 0 for nobody."""

    site_name: str = _text("Nightdesk", "Name of the help desk", "Requesters see it in mails and pages.", most=80)
    site_zone: str = field(
        default="UTC",
        metadata={
            "kind": "zone",
            "label": "Time zone",
            "help": "Hours, holidays and shifts are on this wall clock. Another one moves them, past ones too.",
        },
    )
    site_language: str = _choice("en", "Language of mails", LANGUAGES, "Where the requester’s is not known.")
    site_live: bool = _flag(
        False, "Live", "Off is watch mode: nothing is sent to requesters or to phones but the admins' own."
    )
    site_prefix: str = _text("#", "Before a ticket number", most=8)
    form_intro: str = _text("Tell us what is wrong. We answer by mail.", "Words above the form", most=500, long=True)
    form_after_hours: str = _text("We are closed right now.", "Words after hours", most=500, long=True)
    form_emergency: bool = _flag(True, "Ask after hours whether it is an emergency")
    form_price: str = _text(
        "", "Price of an emergency", 'Shown beside the question, for example "120 per started hour".'
    )
    form_departments: str = _text("", "Departments", "One a line. Empty: people type their own.", most=2000, long=True)
    mail_confirm: bool = _flag(True, "Confirm each new ticket by mail")
    mail_after_hours: bool = _flag(
        True,
        "Ask by mail whether it can wait",
        "Instead of the confirmation, while you are closed and a reply with the word URGENT would wake somebody.",
    )
    mail_match_language: bool = _flag(
        True, "Write in the requester’s language", "Where their request shows it and we have words in it."
    )
    mail_copies: bool = _flag(
        True, "Copy answers to whom the requester copied", "At most ten people, never lists or our own mailboxes."
    )
    mail_team: str = _choice(
        "",
        "Mail to the team about new tickets and replies",
        MAIL_TEAM,
        "Whoever answers such a mail answers the requester.",
    )
    mail_reopen_days: int = _number(
        14, "Days in which a reply reopens a closed ticket", 0, 365, "Later replies open a linked ticket."
    )
    mail_unread_minutes: int = _number(
        15, "Minutes without a good read until an alarm", 5, 1440, "For each mailbox. Also mailed to administrators."
    )
    mail_text_minutes: int = _number(
        30, "Minutes until an unseen mail alarm is texted", 0, 1440, "To administrators. 0 never texts."
    )
    tickets_close_days: int = _number(7, "Days until a resolved ticket is closed", 0, 365, "0 leaves it resolved.")
    paging_wake_for: str = _choice(str(WakeFor.EVERYTHING), "Wake for what?", WAKE_FOR)
    paging_late_minutes: int = _number(
        60,
        "Minutes after which a request counts as late",
        5,
        1440,
        "Late ones are told in one text; P1 and emergencies always ring.",
    )
    paging_fallback: int = _person("Fallback person", "Is paged when nobody is on call.")
    sla_answer_p1: int = _number(60, "P1: minutes until the first answer", 0, 100_000, _WORKING_TIME)
    sla_answer_p2: int = _number(240, "P2: minutes until the first answer", 0, 100_000, _WORKING_TIME)
    sla_answer_p3: int = _number(480, "P3: minutes until the first answer", 0, 100_000, _WORKING_TIME)
    sla_answer_p4: int = _number(1440, "P4: minutes until the first answer", 0, 100_000, _WORKING_TIME)
    oncall_hand_off_mail: bool = _flag(
        True, "Mail a card to whoever comes on duty", "Open pages, P1 and P2 tickets, what happened, who is next."
    )
    oncall_hand_off_text: bool = _flag(
        True,
        "Text it too",
        "In one or two segments, between 07:00 and 22:00, to whoever takes over from somebody else.",
    )
    oncall_long_days: int = _number(
        14, "Days on call without a day off that are too long", 2, 366, "The roster check then says so."
    )
    oncall_long_hours: int = _number(
        192, "Hours on call without a hand-off that are too long", 12, 9000, "The roster check then says so."
    )
    oncall_night_starts: int = _number(22, "Hour at which the night begins", 0, 23, "For fairness and pay.")
    oncall_night_ends: int = _number(6, "Hour at which the night ends", 0, 23, "For fairness and pay.")
    sms_provider: str = _choice("", "SMS provider", PROVIDERS)
    sms_twilio_sid: str = _text("", "Twilio account SID", "Begins with AC.", most=40)
    sms_twilio_token: str = _secret("Twilio auth token")
    sms_twilio_from: str = _text(
        "", "Sender number or messaging service", "A number like +15551234567, or an SID that begins with MG.", most=40
    )
    sms_twilio_url: str = _text("", "Twilio address", "Only for tests and proxies. Empty: the public service.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site_zone)

    # The words the templates and texts use.
    @property
    def name(self) -> str:
        return self.site_name

    @property
    def is_live(self) -> bool:
        return self.site_live


@dataclass(frozen=True)
class Spec:
    """One setting as a page or a file sees it. `kind`: text, long, secret, flag, number, choice, person, zone."""

    attribute: str
    key: str
    kind: str
    label: str
    help: str
    default: Any
    choices: Mapping[str, str] = field(default_factory=dict)
    low: int = 0
    high: int = 0
    most: int = 0


def _specs() -> tuple[Spec, ...]:
    made = []
    for f in fields(SiteSettings):
        made.append(Spec(f.name, f.name.replace("_", ".", 1), default=f.default, **f.metadata))
    return tuple(made)


SPECS = _specs()
BY_KEY = {spec.key: spec for spec in SPECS}
GROUPS = {
    "site": "Site",
    "form": "Request form",
    "mail": "Mail",
    "tickets": "Tickets",
    "sla": "Deadlines",
    "paging": "Paging",
    "oncall": "On call",
    "sms": "SMS",
}


def parse_value(key: str, value: Any) -> Any:
    """The value of a setting from what a form or a file holds.

    Raises DomainError with a sentence that names the setting. A person is given by id; the settings file turns mail
    addresses into ids first.
    """
    spec = BY_KEY.get(key)
    if spec is None:
        raise DomainError(f"{key} is not a setting of Nightdesk.")
    return _PARSERS[spec.kind](spec, value)


def _parse_text(spec: Spec, value: Any) -> str:
    text = str(value if value is not None else "").replace("\r\n", "\n").strip()
    if len(text) > spec.most:
        raise DomainError(f"{spec.label}: at most {spec.most} characters.")
    if spec.kind == "text" and "\n" in text:
        raise DomainError(f"{spec.label}: one line only.")
    if spec.key == "site.name" and not text:
        raise DomainError(f"{spec.label}: please give one.")
    if spec.key == "sms.twilio_url" and text and not text.startswith(("http://", "https://")):
        raise DomainError(f"{spec.label}: must begin with https://.")
    return text


def _parse_flag(spec: Spec, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE + _FALSE:
        raise DomainError(f"{spec.label}: yes or no, please.")
    return text in _TRUE


def _parse_number(spec: Spec, value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or not spec.low <= int(text) <= spec.high:
        raise DomainError(f"{spec.label}: a whole number from {spec.low} to {spec.high}.")
    return int(text)


def _parse_choice(spec: Spec, value: Any) -> str:
    text = str(value if value is not None else "").strip()
    if text not in spec.choices:
        raise DomainError(f"{spec.label}: one of {', '.join(name or 'nothing' for name in spec.choices)}.")
    return text


def _parse_person(spec: Spec, value: Any) -> int:
    text = str(value or 0).strip()
    if not text.isascii() or not text.isdigit():
        raise DomainError(f"{spec.label}: choose a person.")
    return int(text)


def _parse_zone(spec: Spec, value: Any) -> str:
    text = str(value).strip()
    if text not in available_timezones():
        raise DomainError(f"{spec.label}: {text or 'nothing'} is not a zone, use a name like Europe/Berlin.")
    return text


_PARSERS = {
    "text": _parse_text, "long": _parse_text, "secret": _parse_text, "flag": _parse_flag, "number": _parse_number,
    "choice": _parse_choice, "person": _parse_person, "zone": _parse_zone,
}  # fmt: skip


def build_settings(values: Mapping[str, Any]) -> SiteSettings:
    """The settings in force from parsed values by key; what is missing has its default."""
    known = {BY_KEY[key].attribute: value for key, value in values.items() if key in BY_KEY}
    return replace(SiteSettings(), **known)
