"""The shipped words sort everyday tickets of an IT shop well enough for the first day."""

import pytest

from portal.core.triage import TARGETS, Aspect, LexiconClassifier, TicketText
from portal.core.triage_defaults import load_triage_defaults

DEFAULTS = load_triage_defaults()
ENGINE = LexiconClassifier(DEFAULTS.entries)


def test_eleven_classes_and_one_for_the_rest_go_to_known_queues() -> None:
    assert len(DEFAULTS.categories) == 12
    assert DEFAULTS.categories[-1].name == "General"
    assert {category.queue for category in DEFAULTS.categories} == set(DEFAULTS.queues)


def test_every_entry_names_something_that_exists_and_stands_once() -> None:
    names = {category.name for category in DEFAULTS.categories}
    for entry in DEFAULTS.entries:
        assert entry.target in (names if entry.aspect == Aspect.CATEGORY else TARGETS[entry.aspect])
    keys = [(entry.aspect, entry.target, entry.term) for entry in DEFAULTS.entries]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("subject", "body", "category", "priority"),
    [
        ("Password reset", "Please reset my password, I am locked out", "Accounts and access", 3),
        ("New starter Monday", "Anna joins us, please create an account and a laptop", "Starters and leavers", 3),
        ("VPN drops", "My VPN disconnects every ten minutes", "Network and VPN", 3),
        ("Server down", "The main server is down, nobody can work", "Servers and cloud", 1),
        ("Suspicious email", "I clicked the link in a phishing email", "Security", 2),
        ("Outlook calendar", "My calendar does not show", "Email and calendar", 3),
        ("Deleted file", "I accidentally deleted a file, please restore it", "Files, storage and backup", 3),
        ("Laptop won't boot", "It does not turn on since this morning", "Computers and devices", 3),
        ("Phone", "No dial tone on my desk phone", "Phones and mobile", 3),
        ("Adobe licence", "Please install Adobe Acrobat, no rush", "Software and licences", 4),
        ("Internet is down", "It is down in the entire office", "Network and VPN", 1),
        ("Ransomware", "All files are encrypted", "Security", 1),
        ("Toner", "Please order toner for the copier, next week is fine", "Printing and scanning", 4),
        ("Report", "The support report about transport is wrong", "Software and licences", 3),
        ("hello", "please call me back", "", 3),
    ],
)
def test_everyday_tickets(subject: str, body: str, category: str, priority: int) -> None:
    result = ENGINE.classify(TicketText(subject, body))
    assert (result.category, result.priority) == (category, priority)
