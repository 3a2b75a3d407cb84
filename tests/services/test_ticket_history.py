"""Every kind of event that the program records has words."""

import re
from pathlib import Path

import pytest

from portal.services.choices import Choice, Choices
from portal.services.ticket_history import describe_event
from portal.services.ticket_view import EventView
from tests.services.ticket_world import NOW

ROOT = Path(__file__).resolve().parents[2]
RECORDED = re.compile(r'record_event\(\s*\w+(?:\.\w+)?,\s*\w+,\s*"(\w+)"')
KINDS = sorted({kind for path in ROOT.glob("portal/**/*.py") for kind in RECORDED.findall(path.read_text())})
CHOICES = Choices((Choice(1, "Servers"),), (Choice(2, "Printer"),), (Choice(3, "Bob"),))


def words(kind, actor="Bob", **data):
    return describe_event(EventView(NOW, actor, kind, data), CHOICES, number=lambda n: f"ND-{n}")


def test_the_search_for_kinds_finds_them():
    assert {"created", "status", "merged", "rated", "delivery"} <= {*KINDS, "created"} and len(KINDS) > 12


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_event_has_words(kind):
    line = words(kind, before="new", after="open", other=7, priority=[3, 1])
    assert line.text.removeprefix("Bob: ") != kind and line.at == NOW


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("status", {"before": "new", "after": "resolved"}, "Bob: new → resolved"),
        ("sorted", {"queue_id": [None, 1], "priority": [3, 1]}, "Bob: P3 → P1, no queue → Servers"),
        ("assigned", {"after": 3}, "Bob: assigned to Bob"),
        ("assigned", {"after": None}, "Bob: assigned to nobody"),
        ("follows", {"other": 7}, "Bob: this follows ND-7"),
        ("created", {"source": "mail"}, "The ticket came in by mail"),
        ("brand_new", {}, "Bob: brand_new"),
    ],
)
def test_an_event_is_a_sentence(kind, data, text):
    assert words(kind, **data).text == text


def test_what_a_person_noted_stands_beside_it_and_we_have_a_name():
    line = words("status", "", before="open", after="resolved", note="New toner")
    assert (line.text, line.detail) == ("Nightdesk: open → resolved", "New toner")
