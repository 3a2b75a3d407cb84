"""The search of the ticket list."""

import pytest

from portal.services import ticket_search
from portal.services.ticket_list import Place, TicketFilter
from portal.services.ticket_search import count_found, search_tickets
from tests.services.ticket_world import add_message, add_tickets, counted_statements, make_database, ticket_values


@pytest.fixture
def database(tmp_path):
    database = make_database(tmp_path)
    add_tickets(database, *(ticket_values(i) for i in range(1, 121)))
    yield database
    database.dispose()


def ids(page):
    return [line.id for line in page.lines]


def search(database, words, **changes):
    with database.read_session() as session:
        return search_tickets(session, TicketFilter(status=changes.pop("status", ""), words=words, **changes))


def test_every_word_must_occur_in_one_message(database):
    add_message(database, 1, "The printer is out of toner")
    add_message(database, 2, "The printer is on fire")
    add_message(database, 3, "Toner")
    add_message(database, 3, "Printer")
    assert ids(search(database, "PRINTER toner")) == [1]


def test_a_ticket_stands_once_at_its_newest_matching_message(database):
    add_message(database, 1, "vpn")
    add_message(database, 2, "vpn")
    add_message(database, 1, "vpn again")
    assert ids(search(database, "vpn")) == [1, 2]


@pytest.mark.parametrize("words", ['"', "NOT", "vpn AND", "a*", "(", "^", "tokens:vpn", "-", "' OR 1=1 --"])
def test_what_is_typed_is_never_query_syntax(database, words):
    add_message(database, 1, "vpn")
    assert ids(search(database, words)) == []


def test_a_name_is_found_split_and_unsplit(database):
    add_message(database, 1, "restart srv-prn-01 please")
    assert (
        ids(search(database, "srvprn01")) == ids(search(database, "prn")) == ids(search(database, "SRV-PRN-01")) == [1]
    )


def test_other_filters_hold_too(database):
    add_tickets(database, ticket_values(200, status="closed"))
    add_message(database, 200, "vpn")
    add_message(database, 1, "vpn")
    assert ids(search(database, "vpn", status="active")) == [1]
    assert ids(search(database, "vpn", status="closed")) == [200]


def test_pages_show_every_ticket_once_even_when_it_matches_again_further_down(database):
    for id in (*range(1, 121), *range(1, 121, 2)):
        add_message(database, id, "vpn")
    wanted, place, pages = TicketFilter(status="", words="vpn"), Place(), []
    with database.read_session() as session:
        while True:
            page = search_tickets(session, wanted, place)
            pages.append(ids(page))
            if not page.older:
                break
            place = Place("older", page.older)
    assert [len(page) for page in pages] == [50, 50, 20]
    assert sorted(id for page in pages for id in page) == list(range(1, 121))
    assert pages[0][:2] == [119, 117]


def test_a_scan_that_finds_little_stops_and_offers_to_go_on(database, monkeypatch):
    monkeypatch.setattr(ticket_search, "SCAN_LIMIT", 5)
    add_tickets(database, ticket_values(200, status="closed"))
    add_message(database, 200, "vpn", id=1)
    for id in range(1, 11):
        add_message(database, id, "vpn", id=id + 1)
    page = search(database, "vpn", status="closed")
    assert (ids(page), page.older, page.is_cut) == ([], (7,), True)


def test_many_hits_of_one_ticket_do_not_hide_the_rest(database, monkeypatch):
    monkeypatch.setattr(ticket_search, "HITS", 3)
    add_message(database, 2, "vpn")
    for _ in range(3):
        add_message(database, 1, "vpn")
    wanted = TicketFilter(status="", words="vpn")
    with database.read_session() as session:
        first = search_tickets(session, wanted)
        second = search_tickets(session, wanted, Place("older", first.older))
    assert (ids(first), ids(second)) == ([1], [2])


def test_a_page_costs_at_most_four_statements(database):
    for id in range(1, 121):
        add_message(database, id, "vpn")
    wanted = TicketFilter(words="vpn")
    with database.read_session() as session:
        page = search_tickets(session, wanted)
        with counted_statements(session) as seen:
            search_tickets(session, wanted, Place("older", page.older))
    assert len(seen) <= 4


def test_the_count_says_when_there_is_more(database, monkeypatch):
    monkeypatch.setattr(ticket_search, "MOST_COUNTED", 3)
    for id in (1, 1, 2):
        add_message(database, id, "vpn")
    with database.read_session() as session:
        assert count_found(session, TicketFilter(words="vpn")) == (2, False)
        assert count_found(session, TicketFilter(words="...")) == (0, False)
    add_message(database, 3, "vpn")
    with database.read_session() as session:
        assert count_found(session, TicketFilter(words="vpn")) == (3, True)
