"""The words of triage are seeded once, edited with checks, and loaded as the classifier."""

import math
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from portal.core.errors import DomainError
from portal.core.triage import Aspect, LexiconEntry, TicketText
from portal.core.triage_defaults import load_triage_defaults
from portal.models import AuditEvent, Category, LexiconTerm, Queue
from portal.services.audit import Change
from portal.services.categories import add_category, add_queue, list_categories
from portal.services.lexicon import (
    count_terms,
    find_term,
    list_terms,
    load_classifier,
    remove_term,
    save_term,
    seed_triage,
)
from tests.services.triage_world import bare_database

CHANGE = Change(None, datetime(2026, 11, 20, 12, tzinfo=UTC))


@pytest.fixture
def database(tmp_path):
    with bare_database(tmp_path) as made:
        yield made


def write(database, act, *arguments, **keywords):
    with database.unit_of_work() as uow:
        return act(uow, *arguments, **keywords, change=CHANGE)


def read(database, load, *arguments, **keywords):
    with database.read_session() as session:
        return load(session, *arguments, **keywords)


@pytest.fixture
def network(database) -> int:
    return write(database, add_category, "Network", queue_id=None)


def test_a_new_site_gets_the_shipped_words_once(database) -> None:
    assert write(database, seed_triage)
    assert not write(database, seed_triage)
    defaults = load_triage_defaults()
    assert [category.queue for category in read(database, list_categories)][:2] == ["Service desk", "Service desk"]
    assert read(database, lambda s: s.scalar(select(func.count()).select_from(Category))) == len(defaults.categories)
    assert read(database, lambda s: s.scalar(select(func.count()).select_from(LexiconTerm))) == len(defaults.entries)
    result = read(database, load_classifier).classify(TicketText("Printer", "The toner is empty"))
    assert result.category == "Printing and scanning"


def test_a_site_with_queues_of_its_own_is_not_seeded(database) -> None:
    write(database, add_queue, "Ours")
    assert not write(database, seed_triage)
    assert read(database, lambda s: s.scalars(select(Queue.name)).all()) == ["Ours"]


def test_a_saved_word_decides_the_next_ticket(database, network: int) -> None:
    write(database, save_term, LexiconEntry(" Wi-Fi ", Aspect.CATEGORY, "Network", 3))
    assert read(database, load_classifier).classify(TicketText("no wi-fi", "")).category == "Network"
    assert [entry.term for entry in read(database, list_terms, aspect=Aspect.CATEGORY, target="Network")] == ["wi fi"]


def test_saving_a_word_again_changes_its_weight_only(database, network: int) -> None:
    first = write(database, save_term, LexiconEntry("vpn", Aspect.CATEGORY, "Network", 3))
    assert write(database, save_term, LexiconEntry("VPN", Aspect.CATEGORY, "Network", 3)) == first
    assert write(database, save_term, LexiconEntry("VPN", Aspect.CATEGORY, "Network", -2)) == first
    assert [entry.weight for entry in read(database, list_terms, aspect=Aspect.CATEGORY, target="Network")] == [-2]
    audited = read(database, lambda s: s.scalars(select(AuditEvent).where(AuditEvent.action == "term.save")).all())
    assert [event.data["weight"] for event in audited] == [3, -2]


def test_words_are_listed_strongest_first_and_counted(database, network: int) -> None:
    for term, weight in (("lan", 1), ("vpn", 3), ("dns", 3)):
        write(database, save_term, LexiconEntry(term, Aspect.CATEGORY, "Network", weight))
    write(database, save_term, LexiconEntry("down", Aspect.URGENCY, "blocked", 1))
    listed = read(database, list_terms, aspect=Aspect.CATEGORY, target="Network")
    assert [entry.term for entry in listed] == ["dns", "vpn", "lan"]
    assert read(database, count_terms) == {(Aspect.CATEGORY, "Network"): 3, (Aspect.URGENCY, "blocked"): 1}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (LexiconEntry(" -- ", Aspect.CATEGORY, "Network", 3), "Type a word"),
        (LexiconEntry("x" * 101, Aspect.CATEGORY, "Network", 3), "at most 100"),
        (LexiconEntry("x", Aspect.CATEGORY, "Network", 0), "between -10 and 10"),
        (LexiconEntry("x", Aspect.CATEGORY, "Network", 11), "between -10 and 10"),
        (LexiconEntry("x", Aspect.CATEGORY, "Network", math.nan), "between -10 and 10"),
        (LexiconEntry("x", Aspect.CATEGORY, "Gone", 3), "There is no category Gone"),
        (LexiconEntry("x", Aspect.URGENCY, "everyone", 1), "There is no sign called everyone"),
    ],
)
def test_a_wrong_word_is_told_in_a_sentence(database, network: int, entry: LexiconEntry, sentence: str) -> None:
    with pytest.raises(DomainError, match=sentence):
        write(database, save_term, entry)


def test_a_word_is_removed_once_and_twice_is_no_error(database, network: int) -> None:
    term_id = write(database, save_term, LexiconEntry("vpn", Aspect.CATEGORY, "Network", 3))
    entry = read(database, find_term, term_id)
    assert entry is not None and (entry.term, entry.weight) == ("vpn", 3)
    write(database, remove_term, term_id)
    write(database, remove_term, term_id)
    assert read(database, find_term, term_id) is None
    assert read(database, list_terms, aspect=Aspect.CATEGORY, target="Network") == []
