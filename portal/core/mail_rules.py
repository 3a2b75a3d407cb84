"""An administrator's rules for mail as it comes in: who is let in, what is set aside, what a monitoring system means.

The first rule that fits decides, and the ledger names it. A rule is stored as `MailRule` in models/mail_rules.py:

    conditions: {items: [{kind: sender_is, value: "@ads.example, bob@b.example"}, {kind: subject_has, value: "offer"}]}
    options: {opens: ["PROBLEM: {key} is {*}"], closes: ["RECOVERY: {key}"]}        only for the action `monitor`

All conditions must hold; of the values of one, any. Everything is literal: an administrator's pattern could otherwise
keep a worker busy for ever, and "[SPAM]" or "C++" would mean something else than it says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ConditionKind(StrEnum):
    """What a condition looks at."""

    SENDER_IS = "sender_is"
    SENDER_NOT = "sender_not"
    SUBJECT_HAS = "subject_has"
    HEADER_IS = "header_is"
    ONLY_CC = "only_cc"
    LARGER_THAN = "larger_than"
    FROM_MACHINE = "from_machine"
    FROM_PERSON = "from_person"
    STARTS_NEW = "starts_new"


class Action(StrEnum):
    """What a rule does with a mail."""

    TAKE = "take"
    IGNORE = "ignore"
    QUARANTINE = "quarantine"
    AUTOMATIC = "automatic"
    MONITOR = "monitor"


LABELS = {
    ConditionKind.SENDER_IS: "Sender is",
    ConditionKind.SENDER_NOT: "Sender is none of",
    ConditionKind.SUBJECT_HAS: "Subject has",
    ConditionKind.HEADER_IS: "Header is",
    ConditionKind.ONLY_CC: "We are only in Cc",
    ConditionKind.LARGER_THAN: "Larger than (MB)",
    ConditionKind.FROM_MACHINE: "A machine wrote it",
    ConditionKind.FROM_PERSON: "A person wrote it",
    ConditionKind.STARTS_NEW: "It answers no ticket",
}
ACTIONS = {
    Action.IGNORE: "Ignore it",
    Action.QUARANTINE: "Put it into quarantine",
    Action.AUTOMATIC: "Keep it as a note, never answer",
    Action.TAKE: "Let it in",
    Action.MONITOR: "Open and resolve tickets for a monitoring system",
}
WITHOUT_VALUE = frozenset(
    {ConditionKind.ONLY_CC, ConditionKind.FROM_MACHINE, ConditionKind.FROM_PERSON, ConditionKind.STARTS_NEW}
)
SINGLE_VALUE = frozenset({ConditionKind.HEADER_IS, ConditionKind.LARGER_THAN})
KEY, ANY = "{key}", "{*}"
MAX_KEY = 300
_PLACES = re.compile(r"(\{key\}|\{\*\})")
_HEADER_NAME = re.compile(r"[!-9;-~]+")


@dataclass(frozen=True)
class Condition:
    """One condition. The entries of a list stand on lines of their own or between commas."""

    kind: ConditionKind
    value: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The entries, trimmed."""
        if self.kind in SINGLE_VALUE:
            return (self.value.strip(),) if self.value.strip() else ()
        return tuple(part for one in re.split(r"[,;\n]", self.value) if (part := " ".join(one.split())))


@dataclass(frozen=True)
class MailRule:
    """A rule. `id` is 0 for one that is not stored yet; without `mailbox_id` it holds for every mailbox.

    `opens` and `closes` are subjects of a monitoring system with `{key}` for what is ill and `{*}` for anything.
    """

    name: str
    action: Action
    conditions: tuple[Condition, ...] = ()
    mailbox_id: int | None = None
    opens: tuple[str, ...] = ()
    closes: tuple[str, ...] = ()
    is_enabled: bool = True
    id: int = 0


@dataclass(frozen=True)
class RuleMail:
    """A mail as rules see it. `sender` is its address, "" for none; `headers` have lower-case names, each with all its
    values. `is_machine`: it is not from a person (core/mail_kinds.py). `is_staff`: the sender works here. `is_forged`:
    a mail server on the way found that it is not from its sender (core/mail_trust.py)."""

    sender: str
    subject: str
    mailbox_id: int = 0
    headers: Mapping[str, Sequence[str]] | None = None
    size: int = 0
    is_only_cc: bool = False
    is_machine: bool = False
    is_reply: bool = False
    is_staff: bool = False
    is_forged: bool = False


@dataclass(frozen=True)
class MonitorWord:
    """What a monitoring system says: `key` is ill, or (`is_clear`) well again. Keys are compared without case."""

    key: str
    is_clear: bool = False


@dataclass(frozen=True)
class RuleOutcome:
    """The rule that decided, and why it fitted. `monitor` is set for the action `monitor` only."""

    rule_id: int
    name: str
    action: Action
    why: str
    monitor: MonitorWord | None = None

    @property
    def reason(self) -> str:
        """As the ledger shows it."""
        return f"rule “{self.name}”, because {self.why}"


def decide_rule(rules: Iterable[MailRule], mail: RuleMail) -> RuleOutcome | None:
    """The first rule that fits, None when none does. A monitor rule fits only a subject that one of its templates
    reads: an all-clear before a problem. A forged sender is kept out by rules, and let in or believed by none."""
    for rule in rules:
        if not rule.is_enabled or rule.mailbox_id not in (None, mail.mailbox_id):
            continue
        if mail.is_forged and rule.action in (Action.TAKE, Action.MONITOR):
            continue
        held = [_holds(condition, mail) for condition in rule.conditions]
        if not all(held):
            continue
        word = read_monitor(rule, mail.subject)
        if rule.action is Action.MONITOR:
            if word is None:
                continue
            held.append(f"{word.key} is {'well again' if word.is_clear else 'ill'}")
        why = ", ".join(held) or "it holds for every mail there"
        return RuleOutcome(rule.id, rule.name, rule.action, why, word)
    return None


def read_monitor(rule: MailRule, subject: str) -> MonitorWord | None:
    """What the subject says by the rule's templates, None when it is none of them."""
    if rule.action is not Action.MONITOR:
        return None
    for templates, is_clear in ((rule.closes, True), (rule.opens, False)):
        for template in templates:
            key = match_template(template, subject)
            if key:
                return MonitorWord(key[:MAX_KEY], is_clear)
    return None


def match_template(template: str, subject: str) -> str | None:
    """What stands for `{key}` when the whole subject is like the template; None when it is not.

    Case and the number of blanks do not count. Each place takes as little as it can, the last one the rest. One pass
    without going back, so that no subject can make it slow.
    """
    # A blank that the subject ends with is part of what `{*}` stands for.
    text = " ".join(subject.split()) + (" " if template.rstrip().endswith(ANY) else "")
    folded = _same_length_lower(text)
    first, *rest = _PLACES.split(_same_length_lower(" ".join(template.split())))
    if not folded.startswith(first):
        return None
    at, key = len(first), ""
    places = list(zip(rest[::2], rest[1::2], strict=True))
    for number, (place, literal) in enumerate(places, 1):
        least = at + (place == KEY)
        if number == len(places):
            start = len(folded) - len(literal) if folded.endswith(literal) else -1
        else:
            start = folded.find(literal, least)
        if start < least:
            return None
        if place == KEY:
            key = text[at:start].strip()
        at = start + len(literal)
    return key or None


def has_phrase(text: str, phrase: str) -> bool:
    """Whether the phrase stands in the text as it is typed, without case, and not in the middle of a word: "port" is
    not in "report", "[spam]" is in "[SPAM] offer"."""
    hay, needle = _fold(text), _fold(phrase)
    start = hay.find(needle) if needle else -1
    while start >= 0:
        end = start + len(needle)
        if not _inside_word(hay, start) and not _inside_word(hay, end):
            return True
        start = hay.find(needle, start + 1)
    return False


def is_listed(address: str, entries: Iterable[str]) -> bool:
    """Whether an address is in a list of addresses and domains ("@a.example" also means what is below it)."""
    address = address.strip().lower()
    domain = address.rpartition("@")[2]
    for entry in entries:
        wanted = entry.strip().lower()
        if "@" in wanted.lstrip("@"):
            if address == wanted.lstrip("@"):
                return True
        elif domain and (domain == wanted.lstrip("@.") or domain.endswith("." + wanted.lstrip("@."))):
            return True
    return False


def needs_headers(rules: Iterable[MailRule]) -> bool:
    """Whether any rule asks for a header: only then must the original be looked at again."""
    return any(
        condition.kind is ConditionKind.HEADER_IS for rule in rules if rule.is_enabled for condition in rule.conditions
    )


def _holds(condition: Condition, mail: RuleMail) -> str:
    """Why the condition holds, as a phrase; "" when it does not."""
    values = condition.values
    match condition.kind:
        case ConditionKind.SENDER_IS:
            return f"the sender is {mail.sender}" if is_listed(mail.sender, values) else ""
        case ConditionKind.SENDER_NOT:
            # An empty list lets everybody in, and our own people are always on it.
            if not values or (not mail.is_forged and (mail.is_staff or is_listed(mail.sender, values))):
                return ""
            why = "failed the check of a mail server" if mail.is_forged else "is not on its list"
            return f"the sender {mail.sender or 'nobody'} {why}"
        case ConditionKind.SUBJECT_HAS:
            found = next((one for one in values if has_phrase(mail.subject, one)), "")
            return f"the subject has “{found}”" if found else ""
        case ConditionKind.HEADER_IS:
            return _header_phrase(condition.value, mail.headers or {})
        case ConditionKind.LARGER_THAN:
            return f"it is {mail.size / 1_000_000:.1f} MB" if mail.size > _megabytes(condition.value) * 1e6 else ""
        case _:
            held, phrase = {
                ConditionKind.ONLY_CC: (mail.is_only_cc, "our address stands only in Cc"),
                ConditionKind.FROM_MACHINE: (mail.is_machine, "a machine wrote it"),
                ConditionKind.FROM_PERSON: (not mail.is_machine, "a person wrote it"),
                ConditionKind.STARTS_NEW: (not mail.is_reply, "it answers no ticket"),
            }[condition.kind]
            return phrase if held else ""


def _header_phrase(wanted: str, headers: Mapping[str, Sequence[str]]) -> str:
    name, colon, value = wanted.partition(":")
    name, value = name.strip(), " ".join(value.split())
    present = headers.get(name.lower())
    if present is None:
        return ""
    if not colon or not value:
        return f"it has the header {name}"
    is_equal = any(" ".join(one.split()).casefold() == value.casefold() for one in present)
    return f"its header {name} is {value}" if is_equal else ""


def _megabytes(value: str) -> float:
    """Infinity for what is no number, so that a damaged rule fits nothing."""
    try:
        return float(value.replace(",", ".").strip())
    except ValueError:
        return float("inf")


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _same_length_lower(text: str) -> str:
    """Lower case where that keeps the length, so that places in it are places in the text."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def _inside_word(text: str, place: int) -> bool:
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()


def describe_conditions(rule: MailRule) -> list[str]:
    """Each condition as a phrase for lists: "Sender is @ads.example"."""
    return [" ".join(filter(None, (LABELS[one.kind], ", ".join(one.values)))) for one in rule.conditions]


def check_mail_rule(rule: MailRule) -> tuple[str, ...]:
    """What is wrong with a rule, each a sentence for its form; empty when it can be saved."""
    problems = [] if rule.name.strip() else ["Give the rule a name."]
    problems += [problem for condition in rule.conditions if (problem := _check_condition(condition))]
    if not rule.conditions and rule.action not in (Action.TAKE, Action.MONITOR):
        problems.append("Add at least one condition; without one the rule would hold for every mail.")
    return (*problems, *_check_monitor(rule))


def _check_condition(condition: Condition) -> str:
    label = LABELS[condition.kind]
    if condition.kind in WITHOUT_VALUE or (condition.kind is ConditionKind.SENDER_NOT and not condition.values):
        return ""
    if not condition.values:
        return f"Say what the condition “{label}” looks for."
    if condition.kind in (ConditionKind.SENDER_IS, ConditionKind.SENDER_NOT):
        wrong = next((one for one in condition.values if not _is_address_or_domain(one)), "")
        return f"“{wrong}” is neither a mail address nor a domain like @example.com." if wrong else ""
    if condition.kind is ConditionKind.HEADER_IS and not _HEADER_NAME.fullmatch(condition.value.split(":")[0].strip()):
        return "Write a header as “X-Spam-Flag” or “X-Spam-Flag: YES”."
    if condition.kind is ConditionKind.LARGER_THAN and not 0 < _megabytes(condition.value) < 1000:
        return "Give the size as a number of megabytes, such as 10."
    return ""


def _is_address_or_domain(entry: str) -> bool:
    domain = entry.rpartition("@")[2]
    return " " not in entry and entry.count("@") <= 1 and any(letter.isalnum() for letter in domain)


def _check_monitor(rule: MailRule) -> list[str]:
    if rule.action is not Action.MONITOR:
        return ["Only a rule for a monitoring system has subjects."] if rule.opens or rule.closes else []
    problems = [problem for one in (*rule.opens, *rule.closes) if (problem := _check_template(one))]
    if not rule.opens:
        problems.append("Give at least one subject that opens a ticket, such as “PROBLEM: {key} is {*}”.")
    return problems


def _check_template(template: str) -> str:
    literals = _PLACES.split(template)[::2]
    if template.lower().count(KEY) != 1 or KEY not in template:
        return f"“{template}” needs {KEY} exactly once, for what is ill."
    if not any(letter.isalnum() for literal in literals for letter in literal):
        return f"“{template}” would fit every subject. Add the words that are always there."
    if not all(literals[1:-1]):
        return f"“{template}” has two places side by side. Put something between them."
    return ""


def parse_mail_rule(
    name: str,
    action: str,
    conditions: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    mailbox_id: int | None = None,
) -> MailRule:
    """A rule from its stored mappings. Raises ValueError with a sentence when they are not of the right form."""
    if action not in tuple(Action):
        raise ValueError(f"There is no action “{action}”. Use {', '.join(Action)}.")
    items = conditions.get("items", [])
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ValueError("“items” is a list of conditions, each with a kind and a value.")
    return MailRule(
        name=name,
        action=Action(action),
        conditions=tuple(Condition(_kind(item.get("kind")), str(item.get("value", ""))) for item in items),
        mailbox_id=mailbox_id,
        opens=_texts(options.get("opens", [])),
        closes=_texts(options.get("closes", [])),
    )


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list | tuple):
        raise ValueError("“opens” and “closes” are lists of subjects.")
    return tuple(text for one in values if (text := " ".join(str(one).split())))


def _kind(value: object) -> ConditionKind:
    try:
        return ConditionKind(str(value))
    except ValueError:
        raise ValueError(f"There is no condition “{value}”. Use {', '.join(ConditionKind)}.") from None


def stored_conditions(rule: MailRule) -> dict[str, Any]:
    """The stored form of the conditions: what `parse_mail_rule` reads."""
    return {"items": [{"kind": str(condition.kind), "value": condition.value} for condition in rule.conditions]}


def stored_options(rule: MailRule) -> dict[str, Any]:
    """The stored form of the subjects; empty for every action but `monitor`."""
    return {name: list(value) for name in ("opens", "closes") if (value := getattr(rule, name))}
