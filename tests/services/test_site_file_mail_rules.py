"""Mail rules in the settings file."""

import pytest
import yaml

from portal.core.mail_rules import Action, Condition, ConditionKind
from portal.core.site_file import SiteFileError, read_site_file
from portal.services.audit import Change
from portal.services.mail_rules import list_mail_rules
from portal.services.site_file_import import Run
from portal.services.site_file_mail_rules import apply_mail_rules, collect_mail_rules
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.runtime_world import read

FILE = """
mail_rules:
  - name: Blocked
    conditions:
      - {kind: sender_is, value: "@ads.example, bob@b.example"}
      - {kind: starts_new}
    action: ignore
  - name: Nagios
    enabled: false
    mailbox: Help
    action: monitor
    opens: ["PROBLEM: {key} is {*}"]
    closes: ["RECOVERY: {key}"]
"""


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    return world


def take(world, text):
    file = read_site_file(text)
    with world.database.unit_of_work() as uow:
        run = Run(uow, file, Change(None, NOW), context=world, environ={})
        apply_mail_rules(run, file.sections["mail_rules"])
        if run.faults:
            raise SiteFileError(run.faults)
        return run.changes


def test_the_file_makes_the_rules_and_the_same_file_changes_nothing(world):
    assert take(world, FILE) == ["mail_rules: Blocked added", "mail_rules: Nagios added"]
    blocked, nagios = read(world, list_mail_rules)
    assert blocked.conditions == (
        Condition(ConditionKind.SENDER_IS, "@ads.example, bob@b.example"),
        Condition(ConditionKind.STARTS_NEW),
    )
    assert (nagios.action, nagios.mailbox_id, nagios.is_enabled) == (Action.MONITOR, 1, False)
    assert take(world, FILE) == []


def test_what_is_exported_is_imported_without_a_change(world):
    take(world, FILE)
    sections = {"mail_rules": read(world, collect_mail_rules, NOW)}
    assert sections == yaml.safe_load(FILE)
    assert take(world, yaml.dump(sections)) == []


def test_the_order_and_the_absence_of_rules_are_those_of_the_file(world):
    take(world, FILE)
    first, second = yaml.safe_load(FILE)["mail_rules"]
    assert take(world, yaml.dump({"mail_rules": [second, first]})) == ["mail_rules: another order"]
    assert take(world, yaml.dump({"mail_rules": [first]})) == ["mail_rules: Nagios removed"]
    assert take(world, "mail_rules: []") == ["mail_rules: Blocked removed"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"action": "explode"}, "There is no action “explode”"),
        ({"mailbox": "Moon"}, "There is no mailbox “Moon”"),
        ({"conditions": [{"kind": "moon"}]}, "There is no condition “moon”"),
        ({"conditions": []}, "at least one condition"),
        ({"name": "Nagios"}, "stands here twice"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(world, change, fault):
    rules = yaml.safe_load(FILE)["mail_rules"]
    rules[0] |= change
    with pytest.raises(SiteFileError, match=fault) as refused:
        take(world, yaml.dump({"mail_rules": rules}, sort_keys=False))
    assert "Line " in str(refused.value) and read(world, list_mail_rules) == []
