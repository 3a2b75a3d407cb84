import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.mail_rules import (
    MAX_KEY,
    Action,
    Condition,
    ConditionKind,
    MailRule,
    MonitorWord,
    RuleMail,
    check_mail_rule,
    decide_rule,
    describe_conditions,
    has_phrase,
    is_listed,
    match_template,
    needs_headers,
    parse_mail_rule,
    read_monitor,
    stored_conditions,
    stored_options,
)

DANA = RuleMail("dana@customer.example", "Printer on fire", mailbox_id=1)
K = ConditionKind


def rule(*conditions, name="r", action=Action.IGNORE, **changes):
    return MailRule(name, action, tuple(Condition(*one) for one in conditions), **changes)


def why(*conditions, **mail):
    """Why a rule of these conditions holds for Dana's mail with changes; "" when it does not."""
    found = decide_rule([rule(*conditions)], RuleMail(**{**vars(DANA), **mail}))
    return found.why if found else ""


def test_the_first_rule_that_fits_decides_and_says_why():
    rules = [
        rule((K.SENDER_IS, "@other.example"), name="first"),
        rule((K.SUBJECT_HAS, "printer"), name="second", id=7),
        rule((K.SUBJECT_HAS, "fire"), name="third", action=Action.QUARANTINE),
    ]
    found = decide_rule(rules, DANA)
    assert (found.rule_id, found.action) == (7, Action.IGNORE)
    assert found.reason == "rule “second”, because the subject has “printer”"
    assert decide_rule(rules[:1], DANA) is None


def test_all_conditions_must_hold_and_any_value_of_one():
    assert why((K.SENDER_IS, "x@y.example, @customer.example"), (K.SUBJECT_HAS, "toner\nfire")) == (
        "the sender is dana@customer.example, the subject has “fire”"
    )
    assert why((K.SENDER_IS, "dana@customer.example"), (K.SUBJECT_HAS, "toner")) == ""


def test_a_rule_that_is_off_or_for_another_mailbox_is_passed_over():
    fits = ((K.SUBJECT_HAS, "fire"),)
    assert decide_rule([rule(*fits, is_enabled=False), rule(*fits, mailbox_id=2)], DANA) is None
    assert decide_rule([rule(*fits, mailbox_id=1)], DANA) is not None


def test_a_rule_without_conditions_holds_for_every_mail_there():
    assert why() == "it holds for every mail there"


@pytest.mark.parametrize(
    ("address", "entries", "listed"),
    [
        ("Dana@Customer.example", ["dana@customer.EXAMPLE"], True),
        ("dana@customer.example", ["@customer.example"], True),
        ("dana@customer.example", ["customer.example"], True),
        ("dana@mail.customer.example", ["@customer.example"], True),
        ("dana@notcustomer.example", ["@customer.example"], False),
        ("xdana@customer.example", ["dana@customer.example"], False),
        ("", ["@customer.example"], False),
        ("dana@customer.example", [], False),
    ],
)
def test_addresses_and_domains_are_compared_without_case(address, entries, listed):
    assert is_listed(address, entries) is listed


def test_an_empty_allow_list_lets_everybody_in_and_a_full_one_nobody_else():
    assert why((K.SENDER_NOT, "")) == "" and why((K.SENDER_NOT, " , \n")) == ""
    assert why((K.SENDER_NOT, "@customer.example")) == ""
    assert why((K.SENDER_NOT, "@other.example")) == "the sender dana@customer.example is not on its list"
    assert why((K.SENDER_NOT, "@other.example"), sender="") == "the sender nobody is not on its list"


def test_our_own_people_are_on_every_allow_list():
    assert why((K.SENDER_NOT, "@other.example"), is_staff=True) == ""


def test_a_forged_sender_is_on_no_list_and_lets_nothing_in():
    says = "the sender dana@customer.example failed the check of a mail server"
    assert why((K.SENDER_NOT, "@customer.example"), is_forged=True) == says
    assert why((K.SENDER_NOT, "@customer.example"), is_forged=True, is_staff=True) == says
    assert why((K.SENDER_NOT, ""), is_forged=True) == ""
    assert why((K.SENDER_IS, "@customer.example"), is_forged=True) == "the sender is dana@customer.example"
    forged = RuleMail("nagios@a.example", "RECOVERY: srv1 is UP", is_forged=True)
    assert decide_rule([MONITOR, rule((K.SENDER_IS, "@a.example"), action=Action.TAKE)], forged) is None


@pytest.mark.parametrize(
    ("subject", "phrase", "found"),
    [
        ("Weekly Report", "report", True),
        ("Weekly Report", "port", False),
        ("[SPAM] offer", "[spam]", True),
        ("***SPAM*** offer", "***spam***", True),
        ("Your C++ build", "c++", True),
        ("A.B failed", "a.b", True),
        ("AXB failed", "a.b", False),
        ("out of   office", "Out of Office", True),
        ("reports and a report", "report", True),
        ("STRASSE gesperrt", "straße", True),
        ("anything", ".*", False),
        ("anything", "", False),
        ("", "x", False),
    ],
)
def test_subject_words_are_literal_and_whole(subject, phrase, found):
    assert has_phrase(subject, phrase) is found


@pytest.mark.parametrize(
    ("value", "phrase"),
    [
        ("X-Spam-Flag", "it has the header X-Spam-Flag"),
        ("x-spam-flag:", "it has the header x-spam-flag"),
        ("X-Spam-Flag: yes", "its header X-Spam-Flag is yes"),
        ("X-Spam-Flag: NO", ""),
        ("X-Spam-Flag: ye", ""),
        ("X-Other", ""),
    ],
)
def test_a_header_is_there_or_equals_what_is_asked(value, phrase):
    assert why((K.HEADER_IS, value), headers={"x-spam-flag": ["perhaps", " YES "]}) == phrase


def test_a_header_value_may_hold_commas():
    assert why((K.HEADER_IS, "X-Tags: a, b"), headers={"x-tags": ["a, b"]}) == "its header X-Tags is a, b"


@pytest.mark.parametrize(
    ("condition", "mail", "phrase"),
    [
        ((K.ONLY_CC,), {"is_only_cc": True}, "our address stands only in Cc"),
        ((K.ONLY_CC,), {}, ""),
        ((K.FROM_MACHINE,), {"is_machine": True}, "a machine wrote it"),
        ((K.FROM_MACHINE,), {}, ""),
        ((K.FROM_PERSON,), {}, "a person wrote it"),
        ((K.FROM_PERSON,), {"is_machine": True}, ""),
        ((K.STARTS_NEW,), {}, "it answers no ticket"),
        ((K.STARTS_NEW,), {"is_reply": True}, ""),
        ((K.LARGER_THAN, "10"), {"size": 12_340_000}, "it is 12.3 MB"),
        ((K.LARGER_THAN, "0,5"), {"size": 500_001}, "it is 0.5 MB"),
        ((K.LARGER_THAN, "10"), {"size": 10_000_000}, ""),
        ((K.LARGER_THAN, "much"), {"size": 10_000_000}, ""),
    ],
)
def test_the_other_conditions(condition, mail, phrase):
    assert why(condition, **mail) == phrase


@pytest.mark.parametrize(
    ("template", "subject", "key"),
    [
        ("PROBLEM: {key} is {*}", "PROBLEM: disk C is CRITICAL", "disk C"),
        ("PROBLEM: {key} is {*}", "problem:  Disk C   is critical", "Disk C"),
        ("RECOVERY: {key}", "RECOVERY: disk C", "disk C"),
        ("RECOVERY: {key}", "RECOVERY: ", None),
        ("RECOVERY: {key}", "Re: RECOVERY: disk C", None),
        ("{*}RECOVERY: {key}", "Fwd: RECOVERY: disk C", "disk C"),
        ("{key} is down", "srv1 is down", "srv1"),
        ("{key} is down", "srv1 is down again", None),
        ("{key} is down", " is down", None),
        ("[{*}] {key} Down", "[site] srv Down Down", "srv Down"),
        ("[{key}] [{*}]", "[a] [b] [c]", "a"),
        ("{key} a {*} a", "x a y", None),
        ("x{key}", "y", None),
        ("İ {key} is {*}", "İ Größe is ß", "Größe"),
    ],
)
def test_a_template_reads_the_key_out_of_a_subject(template, subject, key):
    assert match_template(template, subject) == key


_WORD = st.text("abcXYZ 0123", min_size=1).map(str.strip).filter(bool)


@given(_WORD, _WORD, st.text("abcXYZ 0123", max_size=20))
def test_what_is_put_into_a_template_is_read_out_again(key, before, after):
    key, after = " ".join(key.split()), " ".join(after.split())
    subject = f"<{before}> {key} -> {after}"
    assert match_template(f"<{before}> {{key}} -> {{*}}", subject) == key
    assert match_template(f"<{before}> {{key}} ->", subject) == (None if after else key)


def test_no_subject_makes_a_template_slow():
    template = "a{*}a{*}a{*}a{*}a{*}a{*}a{key}b"
    began = time.perf_counter()
    assert match_template(template, "a" * 100_000) is None
    assert time.perf_counter() - began < 1


MONITOR = rule(
    (K.SENDER_IS, "nagios@a.example"),
    action=Action.MONITOR,
    opens=("PROBLEM: {key} is {*}",),
    closes=("RECOVERY: {key} is {*}",),
)


def test_a_monitor_rule_opens_and_closes_by_key():
    problem = decide_rule([MONITOR], RuleMail("nagios@a.example", "PROBLEM: srv1 is DOWN"))
    clear = decide_rule([MONITOR], RuleMail("nagios@a.example", "RECOVERY: srv1 is UP"))
    assert problem.monitor == MonitorWord("srv1") and "srv1 is ill" in problem.why
    assert clear.monitor == MonitorWord("srv1", is_clear=True) and "srv1 is well again" in clear.why


def test_a_monitor_rule_passes_over_other_subjects_and_other_senders():
    assert decide_rule([MONITOR], RuleMail("nagios@a.example", "Weekly report")) is None
    assert decide_rule([MONITOR], RuleMail("mallory@x.example", "PROBLEM: srv1 is DOWN")) is None


def test_an_all_clear_is_looked_for_first_and_a_key_has_an_end():
    both = rule(action=Action.MONITOR, opens=("srv {*}{key}",), closes=("srv up {key}",))
    assert read_monitor(both, "srv up x") == MonitorWord("x", is_clear=True)
    assert len(read_monitor(MONITOR, f"PROBLEM: {'x' * 900} is DOWN").key) == MAX_KEY
    assert read_monitor(rule(), "PROBLEM: x is y") is None


def test_only_rules_that_ask_for_headers_make_us_look_at_them():
    assert needs_headers([rule((K.HEADER_IS, "X-A"))]) and not needs_headers([rule((K.SUBJECT_HAS, "x"))])
    assert not needs_headers([rule((K.HEADER_IS, "X-A"), is_enabled=False)])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (rule((K.SUBJECT_HAS, "x"), name=" "), "Give the rule a name"),
        (rule(), "at least one condition"),
        (rule((K.SUBJECT_HAS, " ,")), "“Subject has” looks for"),
        (rule((K.SENDER_IS, "a b")), "“a b” is neither"),
        (rule((K.SENDER_NOT, "@")), "“@” is neither"),
        (rule((K.SENDER_IS, "a@b@c")), "neither a mail address"),
        (rule((K.HEADER_IS, "X Spam: YES")), "Write a header as"),
        (rule((K.LARGER_THAN, "much")), "number of megabytes"),
        (rule((K.LARGER_THAN, "-1")), "number of megabytes"),
        (rule((K.SUBJECT_HAS, "x"), opens=("{key} down",)), "Only a rule for a monitoring system"),
        (rule(action=Action.MONITOR), "at least one subject that opens"),
        (rule(action=Action.MONITOR, opens=("PROBLEM",)), "needs {key} exactly once"),
        (rule(action=Action.MONITOR, opens=("{key} is {KEY}",)), "needs {key} exactly once"),
        (rule(action=Action.MONITOR, opens=("{key} - {*}",)), "would fit every subject"),
        (rule(action=Action.MONITOR, opens=("down {key}{*}",)), "two places side by side"),
    ],
)
def test_what_is_wrong_with_a_rule_is_a_sentence(wrong, says):
    assert says in " ".join(check_mail_rule(wrong))


@pytest.mark.parametrize(
    "right",
    [
        rule((K.SENDER_NOT, ""), (K.STARTS_NEW,)),
        rule((K.SENDER_IS, "@ads.example, bob@b.example, c.example")),
        rule((K.LARGER_THAN, "0.5")),
        rule((K.HEADER_IS, "X-Spam-Flag: YES")),
        rule(action=Action.TAKE),
        MONITOR,
        rule(action=Action.MONITOR, mailbox_id=1, opens=("PROBLEM {key}",)),
    ],
)
def test_a_rule_that_is_right_has_no_problem_and_survives_storing(right):
    assert check_mail_rule(right) == ()
    again = parse_mail_rule(
        right.name, right.action, stored_conditions(right), stored_options(right), mailbox_id=right.mailbox_id
    )
    assert again == right


@pytest.mark.parametrize(
    ("action", "conditions", "options", "says"),
    [
        ("explode", {}, {}, "no action “explode”"),
        ("ignore", {"items": "x"}, {}, "list of conditions"),
        ("ignore", {"items": ["x"]}, {}, "list of conditions"),
        ("ignore", {"items": [{"kind": "moon"}]}, {}, "no condition “moon”"),
        ("monitor", {}, {"opens": "x"}, "lists of subjects"),
    ],
)
def test_a_damaged_rule_is_refused_with_a_sentence(action, conditions, options, says):
    with pytest.raises(ValueError, match=says):
        parse_mail_rule("r", action, conditions, options)


def test_conditions_read_as_phrases():
    assert describe_conditions(rule((K.SENDER_IS, "@a.example,b@c.example"), (K.ONLY_CC,))) == [
        "Sender is @a.example, b@c.example",
        "We are only in Cc",
    ]
