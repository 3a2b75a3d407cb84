import pytest

from portal.core.mail_rule_presets import PRESETS, find_preset, rule_from_mail
from portal.core.mail_rules import Condition, ConditionKind, MonitorWord, check_mail_rule, read_monitor

# Subjects as the programs send them by default: problem, all-clear, what both are about.
SUBJECTS = [
    (
        "nagios",
        "** PROBLEM Service Alert: srv1/disk C is CRITICAL **",
        "** RECOVERY Service Alert: srv1/disk C is OK **",
        "srv1/disk C",
    ),
    ("nagios", "** PROBLEM Host Alert: srv1 is DOWN **", "** RECOVERY Host Alert: srv1 is UP **", "srv1"),
    ("icinga", "[PROBLEM] disk on srv1 is CRITICAL!", "[RECOVERY] disk on srv1 is OK!", "disk on srv1"),
    ("icinga", "[PROBLEM] Host srv1 is DOWN!", "[RECOVERY] Host srv1 is UP!", "srv1"),
    ("zabbix", "Problem: srv1 CPU is high", "Resolved in 5m 3s: srv1 CPU is high", "srv1 CPU is high"),
    ("prtg", "[PRTG] srv1 Ping Down (timed out)", "[PRTG] srv1 Ping Up (OK)", "srv1 Ping"),
    (
        "prtg",
        "[PRTG Network Monitor] srv1 Ping Down ESCALATION (timed out)",
        "[PRTG] srv1 Ping Down ended (now: Up)",
        "srv1 Ping",
    ),
    ("kuma", "[shop web] [🔴 Down] connect ECONNREFUSED", "[shop web] [✅ Up] 200 - OK", "shop web"),
    ("veeam", "[Failed] Nightly (3 objects) 1 failed", "[Success] Nightly (3 objects)", "Nightly"),
    ("veeam", "[Warning] Nightly", "[Success] Nightly", "Nightly"),
]


@pytest.mark.parametrize(("slug", "problem", "clear", "key"), SUBJECTS)
def test_a_monitor_proposal_reads_what_the_program_sends(slug, problem, clear, key):
    rule = find_preset(slug).rule
    assert read_monitor(rule, problem) == MonitorWord(key)
    assert read_monitor(rule, clear) == MonitorWord(key, is_clear=True)


def test_a_nas_has_one_ticket_for_all_its_troubles():
    rule = find_preset("nas").rule
    assert read_monitor(rule, "[Warning][nas-1] Volume is 90 % full") == MonitorWord("nas-1")
    assert read_monitor(rule, "[Error][NAS-1] Disk 2 failed").key == "NAS-1"
    assert read_monitor(rule, "[Information][nas-1] Backup done") is None


def test_every_proposal_has_its_own_name_and_lacks_at_most_what_only_the_shop_knows():
    assert len({one.slug for one in PRESETS}) == len(PRESETS)
    for one in PRESETS:
        assert [problem for problem in check_mail_rule(one.rule) if "looks for" not in problem] == []


def test_an_unknown_proposal_is_none():
    assert find_preset("x") is None


def test_a_rule_from_a_mail_is_about_its_list_or_its_sender():
    by_list = rule_from_mail("dana@c.example", {"list-id": ("News <news.c.example>",)})
    assert by_list.conditions == (Condition(ConditionKind.HEADER_IS, "List-Id: News <news.c.example>"),)
    by_sender = rule_from_mail("dana@c.example", {})
    assert by_sender.conditions == (Condition(ConditionKind.SENDER_IS, "dana@c.example"),)
    assert check_mail_rule(by_list) == () == check_mail_rule(by_sender)
