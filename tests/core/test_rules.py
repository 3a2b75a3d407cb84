"""Rules route tickets in order, say why, and are checked with sentences before they are saved."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.rules import (
    LABELS,
    Condition,
    ConditionKind,
    Routing,
    Rule,
    RuleActions,
    RuleChoices,
    RuleFacts,
    apply_rules,
    check_rule,
    describe_actions,
    parse_rule,
    rule_actions,
    rule_conditions,
)

FACTS = RuleFacts(
    subject="Backup failed on srv-01",
    body="The Veeam job did not finish. Please report.",
    sender="dana@mail.example.org",
    source="mail",
    mailbox="Support",
    is_after_hours=True,
    is_emergency=True,
)
CHOICES = RuleChoices(
    categories=frozenset({"Backup"}),
    queues=frozenset({"Infrastructure"}),
    mailboxes=frozenset({"Support"}),
    people=frozenset({"bob@example.org"}),
)


def rule(*conditions: tuple[str, str], match: str = "all", name: str = "R", **actions: object) -> Rule:
    found = tuple(Condition(ConditionKind(kind), value) for kind, value in conditions)
    return Rule(name, found, RuleActions(**(actions or {"priority": 1})), match)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "applies"),
    [
        ("subject_has", "backup failed", True),
        ("subject_has", "nothing, BACKUP", True),
        ("subject_has", "veeam", False),
        ("body_has", "veeam", True),
        ("body_has", "port", False),
        ("text_has", "veeam", True),
        ("text_has", "backup", True),
        ("text_has", "back", False),
        ("sender_is", "Dana@Mail.example.org", True),
        ("sender_is", "dana@example.org", False),
        ("sender_domain", "example.org", True),
        ("sender_domain", "@mail.example.org", True),
        ("sender_domain", "ample.org", False),
        ("source_is", "mail", True),
        ("source_is", "form", False),
        ("mailbox_is", "support", True),
        ("category_is", "Backup", True),
        ("category_is", "Other", False),
        ("priority_is", "P3", True),
        ("priority_is", "P1", False),
        ("after_hours", "", True),
        ("in_hours", "", False),
        ("emergency", "", True),
    ],
)
def test_each_condition_looks_at_its_own_fact(kind: str, value: str, applies: bool) -> None:
    result = apply_rules([rule((kind, value))], FACTS, Routing(category="Backup"))
    assert (result.priority == 1) is applies
    assert bool(result.reasons) is applies


@pytest.mark.parametrize("kind", ["sender_is", "sender_domain", "source_is", "mailbox_is", "category_is", "emergency"])
def test_missing_facts_hold_nothing(kind: str) -> None:
    nothing = RuleFacts("", "", source="")
    assert apply_rules([rule((kind, "x"))], nothing, Routing()) == Routing()


def test_all_and_any_differ() -> None:
    conditions = (("subject_has", "backup"), ("source_is", "form"))
    assert apply_rules([rule(*conditions)], FACTS, Routing()).priority == 3
    assert apply_rules([rule(*conditions, match="any")], FACTS, Routing()).priority == 1


def test_a_rule_without_conditions_and_a_disabled_one_never_apply() -> None:
    disabled = replace(rule(("emergency", "")), is_enabled=False)
    assert apply_rules([rule(), rule(match="any"), disabled], FACTS, Routing()) == Routing()


def test_actions_set_only_what_they_name() -> None:
    start = Routing("Backup", 3, "Service desk", "", None, "", ("found by words",))
    acting = rule(("emergency", ""), queue="Infrastructure", assignee="bob@example.org", page=False)
    assert apply_rules([acting], FACTS, start) == Routing(
        category="Backup",
        priority=3,
        queue="Infrastructure",
        assignee="bob@example.org",
        page=False,
        page_rule="R",
        reasons=(
            "found by words",
            "Rule “R”, because an emergency was declared: queue Infrastructure, assign to bob@example.org, do not page",
        ),
    )


def test_a_later_rule_overwrites_and_sees_what_an_earlier_one_set() -> None:
    rules = [
        rule(("emergency", ""), name="first", category="Backup", priority=2, page=True),
        rule(("category_is", "Backup"), ("priority_is", "P2"), name="second", priority=1),
    ]
    result = apply_rules(rules, FACTS, Routing())
    assert (result.category, result.priority, result.page, result.page_rule) == ("Backup", 1, True, "first")
    assert result.reasons[1] == "Rule “second”, because the category is Backup, it is P2: priority P1"


def test_stop_ends_the_list() -> None:
    rules = [rule(("emergency", ""), priority=2, stop=True), rule(("emergency", ""), priority=1)]
    assert apply_rules(rules, FACTS, Routing()).priority == 2


def test_actions_read_as_a_phrase() -> None:
    everything = RuleActions("Backup", 2, "Infrastructure", "bob@example.org", True, True)
    assert describe_actions(everything) == (
        "category Backup, priority P2, queue Infrastructure, assign to bob@example.org, page, stop"
    )
    assert describe_actions(RuleActions()) == ""


def test_a_good_rule_has_no_problem() -> None:
    good = rule(
        ("mailbox_is", "Support"),
        ("source_is", "form"),
        ("category_is", "Backup"),
        ("priority_is", "P1"),
        ("text_has", "a, b"),
        ("after_hours", ""),
        category="Backup",
        queue="Infrastructure",
        assignee="Bob@example.org",
        priority=4,
    )
    assert check_rule(good, CHOICES) == ()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (replace(rule(("emergency", "")), name=" "), "Give the rule a name."),
        (rule(("emergency", ""), match="none"), "Choose whether all or any"),
        (rule(), "Add at least one condition"),
        (rule(("subject_has", " , ")), "Say what the condition “Subject contains” looks for."),
        (rule(("text_has", "ok, --")), "Say what the condition “Subject or text contains” looks for."),
        (rule(("sender_is", "")), "Say what the condition “Sender is” looks for."),
        (rule(("source_is", "pigeon")), "names “pigeon”, which does not exist"),
        (rule(("category_is", "X")), "names “X”, which does not exist"),
        (rule(("mailbox_is", "X")), "names “X”, which does not exist"),
        (rule(("priority_is", "P9")), "names “P9”, which does not exist"),
        (rule(("emergency", ""), page=None), "Choose at least one thing the rule does."),
        (rule(("emergency", ""), category="X"), "There is no category “X”."),
        (rule(("emergency", ""), queue="X"), "There is no queue “X”."),
        (rule(("emergency", ""), assignee="mallory@example.org"), "Nobody with the address mallory@example.org"),
        (rule(("emergency", ""), priority=5), "A priority is P1, P2, P3 or P4."),
    ],
)
def test_a_wrong_rule_is_told_in_a_sentence(wrong: Rule, sentence: str) -> None:
    problems = check_rule(wrong, CHOICES)
    assert len(problems) == 1 and sentence in problems[0]


def test_stored_rules_come_back_as_they_were() -> None:
    saved = rule(("text_has", "a, b"), ("after_hours", ""), match="any", priority=2, page=False, stop=True)
    assert rule_conditions(saved) == {
        "match": "any",
        "items": [{"kind": "text_has", "value": "a, b"}, {"kind": "after_hours", "value": ""}],
    }
    assert rule_actions(saved) == {"priority": 2, "page": False, "stop": True}
    assert parse_rule("R", rule_conditions(saved), rule_actions(saved)) == saved


@pytest.mark.parametrize(
    ("conditions", "actions", "sentence"),
    [
        ({"items": "x"}, {}, "“items” is a list"),
        ({"items": ["x"]}, {}, "“items” is a list"),
        ({"items": [{"kind": "weather"}]}, {}, "There is no condition “weather”."),
        ({}, {"explode": True}, "A rule has no action “explode”."),
        ({}, {"priority": "high"}, "The action “priority” has a value of the wrong kind: 'high'."),
        ({}, {"priority": True}, "The action “priority” has a value of the wrong kind: True."),
    ],
)
def test_a_stored_rule_of_the_wrong_form_is_told(conditions: dict, actions: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_rule("R", conditions, actions)


def test_every_kind_of_condition_has_a_label() -> None:
    assert set(LABELS) == set(ConditionKind)


@given(
    kind=st.sampled_from(list(ConditionKind)),
    value=st.text(max_size=20),
    page=st.none() | st.booleans(),
    priority=st.none() | st.integers(1, 4),
)
def test_storing_loses_nothing(kind: ConditionKind, value: str, page: bool | None, priority: int | None) -> None:
    saved = Rule("R", (Condition(kind, value),), RuleActions(priority=priority, page=page))
    assert parse_rule("R", rule_conditions(saved), rule_actions(saved)) == saved
