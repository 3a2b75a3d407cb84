"""An administrator's routing rules: if these conditions hold, do that; in order, after the lexicon has spoken.

A rule is stored as two plain mappings (`RuleRow.conditions` and `.actions`), also in the YAML file:

    conditions: {match: all, items: [{kind: subject_has, value: "backup, veeam"}, {kind: after_hours, value: ""}]}
    actions: {priority: 2, queue: Infrastructure, page: true, stop: true}

Categories, queues and mailboxes are named, people given by their mail address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from portal.core.tickets import SOURCES
from portal.core.triage import fold_words, has_words


class ConditionKind(StrEnum):
    """What a condition looks at. Values of the first five are lists, separated by commas: any of them will do."""

    SUBJECT_HAS = "subject_has"
    BODY_HAS = "body_has"
    TEXT_HAS = "text_has"
    SENDER_IS = "sender_is"
    SENDER_DOMAIN = "sender_domain"
    SOURCE_IS = "source_is"
    MAILBOX_IS = "mailbox_is"
    CATEGORY_IS = "category_is"
    PRIORITY_IS = "priority_is"
    AFTER_HOURS = "after_hours"
    IN_HOURS = "in_hours"
    EMERGENCY = "emergency"


WITHOUT_VALUE = frozenset({ConditionKind.AFTER_HOURS, ConditionKind.IN_HOURS, ConditionKind.EMERGENCY})
WORD_PLACES = {
    ConditionKind.SUBJECT_HAS: ("subject",),
    ConditionKind.BODY_HAS: ("body",),
    ConditionKind.TEXT_HAS: ("subject", "body"),
}
SINGLE_VALUE = frozenset(
    {ConditionKind.SOURCE_IS, ConditionKind.MAILBOX_IS, ConditionKind.CATEGORY_IS, ConditionKind.PRIORITY_IS}
)
LABELS = {
    ConditionKind.SUBJECT_HAS: "Subject contains",
    ConditionKind.BODY_HAS: "Text contains",
    ConditionKind.TEXT_HAS: "Subject or text contains",
    ConditionKind.SENDER_IS: "Sender is",
    ConditionKind.SENDER_DOMAIN: "Sender’s domain is",
    ConditionKind.SOURCE_IS: "Came by",
    ConditionKind.MAILBOX_IS: "Came to mailbox",
    ConditionKind.CATEGORY_IS: "Category is",
    ConditionKind.PRIORITY_IS: "Priority is",
    ConditionKind.AFTER_HOURS: "Outside business hours",
    ConditionKind.IN_HOURS: "During business hours",
    ConditionKind.EMERGENCY: "Declared an emergency",
}
MATCHES = ("all", "any")


@dataclass(frozen=True)
class Condition:
    """One condition."""

    kind: ConditionKind
    value: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The entries of a list value, trimmed."""
        return tuple(part.strip() for part in self.value.split(",") if part.strip())


@dataclass(frozen=True)
class RuleActions:
    """What a rule does; None or "" leaves a thing as it is. `stop`: no later rule is looked at."""

    category: str = ""
    priority: int | None = None
    queue: str = ""
    assignee: str = ""
    page: bool | None = None
    stop: bool = False


@dataclass(frozen=True)
class Rule:
    """A rule. `match` is "all" or "any" of the conditions; a rule without one never applies."""

    name: str
    conditions: tuple[Condition, ...]
    actions: RuleActions
    match: str = "all"
    is_enabled: bool = True


@dataclass(frozen=True)
class RuleFacts:
    """The ticket as rules see it. `sender` is the requester's mail address; "" where there is none."""

    subject: str
    body: str
    sender: str = ""
    source: str = "mail"
    mailbox: str = ""
    is_after_hours: bool = False
    is_emergency: bool = False


@dataclass(frozen=True)
class Routing:
    """Where a ticket goes so far, and at the end. `page_rule` names the rule behind `page`."""

    category: str = ""
    priority: int = 3
    queue: str = ""
    assignee: str = ""
    page: bool | None = None
    page_rule: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleChoices:
    """What exists, for checking names."""

    categories: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    people: frozenset[str] = field(default=frozenset(), repr=False)


def apply_rules(rules: Iterable[Rule], facts: RuleFacts, routing: Routing) -> Routing:
    """The routing after all rules, in order. A later rule overwrites what an earlier one set, and sees what it set.

    `routing` is what the lexicon found. Each rule that applied adds one reason: its name, why, and what it did.
    """
    words = {"subject": fold_words(facts.subject), "body": fold_words(facts.body)}
    for rule in rules:
        if not rule.is_enabled:
            continue
        why = _why_it_applies(rule, facts, words, routing)
        if not why:
            continue
        routing = _act(rule, routing, why)
        if rule.actions.stop:
            break
    return routing


def _why_it_applies(rule: Rule, facts: RuleFacts, words: Mapping[str, list[str]], routing: Routing) -> str:
    """The conditions that held, as a phrase; "" when the rule does not apply."""
    held = [_holds(condition, facts, words, routing) for condition in rule.conditions]
    if not held or not (any(held) if rule.match == "any" else all(held)):
        return ""
    return ", ".join(phrase for phrase in held if phrase)


def _holds(condition: Condition, facts: RuleFacts, words: Mapping[str, list[str]], routing: Routing) -> str:
    if condition.kind in WORD_PLACES:
        return _words_found(condition, {place: words[place] for place in WORD_PLACES[condition.kind]})
    domain = facts.sender.lower().rpartition("@")[2]
    held, phrase = {
        ConditionKind.SENDER_IS: (_is_one_of(facts.sender, condition), f"the sender is {facts.sender}"),
        ConditionKind.SENDER_DOMAIN: (_is_domain(domain, condition), f"the sender is at {domain}"),
        ConditionKind.SOURCE_IS: (_is_one_of(facts.source, condition), f"it came by {facts.source}"),
        ConditionKind.MAILBOX_IS: (_is_one_of(facts.mailbox, condition), f"it came to {facts.mailbox}"),
        ConditionKind.CATEGORY_IS: (_is_one_of(routing.category, condition), f"the category is {routing.category}"),
        ConditionKind.PRIORITY_IS: (_is_one_of(f"P{routing.priority}", condition), f"it is P{routing.priority}"),
        ConditionKind.AFTER_HOURS: (facts.is_after_hours, "it came outside business hours"),
        ConditionKind.IN_HOURS: (not facts.is_after_hours, "it came during business hours"),
        ConditionKind.EMERGENCY: (facts.is_emergency, "an emergency was declared"),
    }[condition.kind]
    return phrase if held else ""


def _words_found(condition: Condition, places: Mapping[str, list[str]]) -> str:
    found = (
        (phrase, place) for place, words in places.items() for phrase in condition.values if has_words(words, phrase)
    )
    return next((f"the {place} has “{phrase}”" for phrase, place in found), "")


def _is_one_of(actual: str, condition: Condition) -> bool:
    wanted = (condition.value.strip(),) if condition.kind in SINGLE_VALUE else condition.values
    return bool(actual) and actual.casefold() in {value.casefold() for value in wanted}


def _is_domain(domain: str, condition: Condition) -> bool:
    wanted = [value.lower().lstrip("@.") for value in condition.values]
    return bool(domain) and any(domain == value or domain.endswith("." + value) for value in wanted)


def _act(rule: Rule, routing: Routing, why: str) -> Routing:
    actions = rule.actions
    page_rule = routing.page_rule if actions.page is None else rule.name
    return Routing(
        category=actions.category or routing.category,
        priority=actions.priority or routing.priority,
        queue=actions.queue or routing.queue,
        assignee=actions.assignee or routing.assignee,
        page=routing.page if actions.page is None else actions.page,
        page_rule=page_rule,
        reasons=(*routing.reasons, f"Rule “{rule.name}”, because {why}: {describe_actions(actions)}"),
    )


def describe_actions(actions: RuleActions) -> str:
    """What a rule does, as a phrase: "priority P2, queue Infrastructure, page, stop"."""
    parts = [
        f"category {actions.category}" if actions.category else "",
        f"priority P{actions.priority}" if actions.priority else "",
        f"queue {actions.queue}" if actions.queue else "",
        f"assign to {actions.assignee}" if actions.assignee else "",
        "" if actions.page is None else "page" if actions.page else "do not page",
        "stop" if actions.stop else "",
    ]
    return ", ".join(part for part in parts if part)


def check_rule(rule: Rule, choices: RuleChoices) -> tuple[str, ...]:
    """What is wrong with a rule, each a sentence for its form; empty when it can be saved."""
    problems = []
    if not rule.name.strip():
        problems.append("Give the rule a name.")
    if rule.match not in MATCHES:
        problems.append("Choose whether all or any of the conditions must hold.")
    if not rule.conditions:
        problems.append("Add at least one condition; a rule without one would never apply.")
    problems += [problem for condition in rule.conditions if (problem := _check_condition(condition, choices))]
    return (*problems, *_check_actions(rule.actions, choices))


def _check_condition(condition: Condition, choices: RuleChoices) -> str:
    if condition.kind in WITHOUT_VALUE:
        return ""
    if not condition.values or (condition.kind in WORD_PLACES and not all(map(fold_words, condition.values))):
        return f"Say what the condition “{LABELS[condition.kind]}” looks for."
    known: dict[ConditionKind, Iterable[str]] = {
        ConditionKind.SOURCE_IS: SOURCES,
        ConditionKind.MAILBOX_IS: choices.mailboxes,
        ConditionKind.CATEGORY_IS: choices.categories,
        ConditionKind.PRIORITY_IS: ("P1", "P2", "P3", "P4"),
    }
    if condition.kind in known and condition.value.strip() not in known[condition.kind]:
        return f"The condition “{LABELS[condition.kind]}” names “{condition.value}”, which does not exist."
    return ""


def _check_actions(actions: RuleActions, choices: RuleChoices) -> tuple[str, ...]:
    problems = []
    if actions == RuleActions():
        problems.append("Choose at least one thing the rule does.")
    if actions.category and actions.category not in choices.categories:
        problems.append(f"There is no category “{actions.category}”.")
    if actions.queue and actions.queue not in choices.queues:
        problems.append(f"There is no queue “{actions.queue}”.")
    if actions.assignee and actions.assignee.lower() not in choices.people:
        problems.append(f"Nobody with the address {actions.assignee} can be assigned.")
    if actions.priority not in (None, 1, 2, 3, 4):
        problems.append("A priority is P1, P2, P3 or P4.")
    return tuple(problems)


def parse_rule(
    name: str, conditions: Mapping[str, Any], actions: Mapping[str, Any], *, is_enabled: bool = True
) -> Rule:
    """A rule from its stored mappings. Raises ValueError with a sentence when they are not of the right form."""
    items = conditions.get("items", [])
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ValueError("“items” is a list of conditions, each with a kind and a value.")
    unknown = sorted(set(actions) - set(RuleActions.__dataclass_fields__))
    if unknown:
        raise ValueError(f"A rule has no action “{unknown[0]}”.")
    return Rule(
        name=name,
        conditions=tuple(Condition(_kind(item.get("kind")), str(item.get("value", ""))) for item in items),
        actions=RuleActions(**{key: _typed(key, value) for key, value in actions.items()}),
        match=str(conditions.get("match", "all")),
        is_enabled=is_enabled,
    )


def _kind(value: object) -> ConditionKind:
    try:
        return ConditionKind(str(value))
    except ValueError:
        raise ValueError(f"There is no condition “{value}”.") from None


def _typed(key: str, value: object) -> Any:
    wanted = {"priority": int, "page": bool, "stop": bool}.get(key, str)
    if value is not None and type(value) is not wanted:
        raise ValueError(f"The action “{key}” has a value of the wrong kind: {value!r}.")
    return value


def rule_conditions(rule: Rule) -> dict[str, Any]:
    """The stored form of the conditions: what `parse_rule` reads."""
    return {
        "match": rule.match,
        "items": [{"kind": str(condition.kind), "value": condition.value} for condition in rule.conditions],
    }


def rule_actions(rule: Rule) -> dict[str, Any]:
    """The stored form of the actions: only what the rule does."""
    return {
        key: value
        for key in RuleActions.__dataclass_fields__
        if (value := getattr(rule.actions, key)) not in (None, "", False) or (key == "page" and value is False)
    }
