"""The ticket list: filters, sorts and pages."""

from datetime import timedelta

import pytest

from portal.models import Page, TicketCount
from portal.services import ticket_list
from portal.services.ticket_list import (
    Place,
    TicketFilter,
    count_tickets,
    filter_conditions,
    key_of,
    list_tickets,
    load_lines,
)
from tests.services.ticket_world import BOB, NOW, add_tickets, counted_statements, make_database, ticket_values


@pytest.fixture
def database(tmp_path):
    database = make_database(tmp_path)
    yield database
    database.dispose()


def ids(page):
    return [line.id for line in page.lines]


def walk(session, wanted, way="older"):
    """Every id, page by page."""
    page = list_tickets(session, wanted, Place("last") if way == "newer" else Place())
    pages = [ids(page)]
    while key := getattr(page, way):
        page = list_tickets(session, wanted, Place(way, key))
        pages.append(ids(page))
    return pages


def test_the_newest_ticket_comes_first_with_its_requester(database):
    add_tickets(database, ticket_values(1), ticket_values(2))
    with database.read_session() as session:
        page = list_tickets(session, TicketFilter())
    assert ids(page) == [2, 1]
    assert page.lines[0].requester == "Dana Diaz"
    assert page.newer is page.older is None


@pytest.mark.parametrize("sort", ["newest", "changed"])
def test_pages_forwards_show_every_ticket_once_and_back_again(database, sort):
    rows = [ticket_values(i, changed_at=NOW + timedelta(minutes=i * 7 % 120)) for i in range(1, 121)]
    add_tickets(database, *rows)
    with database.read_session() as session:
        forwards = walk(session, TicketFilter(sort=sort))
        back = walk(session, TicketFilter(sort=sort), "newer")
    flat = [id for page in forwards for id in page]
    expected = sorted(rows, key=lambda r: (r["changed_at"], r["id"]) if sort == "changed" else r["id"], reverse=True)
    assert flat == [row["id"] for row in expected]
    assert [len(page) for page in forwards] == [50, 50, 20]
    assert back[0] == flat[-50:]
    assert back[-1] == flat[:50], "the way back ends at a full first page"


def test_a_page_in_the_middle_knows_both_neighbours(database):
    add_tickets(database, *(ticket_values(i) for i in range(1, 121)))
    with database.read_session() as session:
        page = list_tickets(session, TicketFilter(), Place("older", (71,)))
        before = list_tickets(session, TicketFilter(), Place("newer", (21,)))
    assert (ids(page)[0], page.newer, page.older) == (70, (70,), (21,))
    assert (ids(before)[0], ids(before)[-1], before.newer, before.older) == (71, 22, (71,), (22,))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TicketFilter(), [5, 3, 2, 1]),
        (TicketFilter(status=""), [5, 4, 3, 2, 1]),
        (TicketFilter(status="closed"), [4]),
        (TicketFilter(status="new", priority=1), [2]),
        (TicketFilter(queue_id=2), [2]),
        (TicketFilter(queue_id=0), [3]),
        (TicketFilter(assignee_id=BOB), [5]),
        (TicketFilter(assignee_id=0), [3, 2, 1]),
        (TicketFilter(category_id=1, sort="changed"), [1]),
        (TicketFilter(source="form", status=""), [4]),
        (TicketFilter(requester_id=1, status="", sort="changed"), [5, 4, 3, 2, 1]),
        (TicketFilter(priority=4), []),
    ],
)
def test_filters_can_be_combined(database, wanted, found):
    add_tickets(
        database,
        ticket_values(1, category_id=1),
        ticket_values(2, priority=1, queue_id=2),
        ticket_values(3, queue_id=None),
        ticket_values(4, status="closed", source="form"),
        ticket_values(5, assignee_id=BOB),
    )
    with database.read_session() as session:
        assert ids(list_tickets(session, wanted)) == found


def test_a_scan_that_finds_little_stops_and_offers_to_go_on(database, monkeypatch):
    monkeypatch.setattr(ticket_list, "SCAN_LIMIT", 10)
    add_tickets(database, ticket_values(1, source="form"), *(ticket_values(i) for i in range(2, 31)))
    with database.read_session() as session:
        first = list_tickets(session, TicketFilter(source="form"))
        assert (ids(first), first.older, first.newer, first.is_cut) == ([], (21,), None, True)
        second = list_tickets(session, TicketFilter(source="form"), Place("older", first.older))
        third = list_tickets(session, TicketFilter(source="form"), Place("older", second.older))
        assert ids(third) == [1]
        last = list_tickets(session, TicketFilter(source="form"), Place("last"))
        assert (ids(last), last.newer) == ([1], (10,))


def test_a_running_page_is_marked_once(database):
    add_tickets(database, ticket_values(1))
    with database.unit_of_work() as uow:
        for state in ("expired", "open"):
            uow.session.add(Page(kind="ticket", ticket_id=1, state=state, opened_at=NOW))
    with database.read_session() as session:
        assert [line.page_state for line in list_tickets(session, TicketFilter()).lines] == ["open"]


@pytest.mark.parametrize("wanted", [TicketFilter(), TicketFilter(queue_id=1, priority=3, sort="changed")])
def test_a_page_costs_one_statement_however_many_rows_it_shows(database, wanted):
    add_tickets(database, *(ticket_values(i) for i in range(1, 61)))
    with database.read_session() as session, counted_statements(session) as seen:
        assert len(list_tickets(session, wanted).lines) == 50
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (TicketFilter(), "ix_ticket_is_open_newest"),
        (TicketFilter(sort="changed"), "ix_ticket_is_open_changed"),
        (TicketFilter(status="closed"), "ix_ticket_status_newest"),
        (TicketFilter(status="", assignee_id=BOB, sort="changed"), "ix_ticket_assignee_id_changed"),
        (TicketFilter(status="", customer_id=5), "ix_ticket_customer_id_newest"),
        (TicketFilter(status="", customer_id=0, sort="changed"), "ix_ticket_customer_id_changed"),
        (TicketFilter(status="", queue_id=0), "ix_ticket_queue_id_newest"),
        (TicketFilter(status="", sort="changed"), "ix_ticket_changed"),
    ],
)
@pytest.mark.parametrize("way", ["first", "older", "newer", "last"])
def test_every_single_filter_walks_its_index_without_sorting_the_table(database, wanted, index, way):
    if not database.is_sqlite:
        pytest.skip("reads the plan as SQLite words it")
    key = () if way in ("first", "last") else (NOW, 9) if wanted.sort == "changed" else (9,)
    with database.read_session() as session:
        with counted_statements(session) as seen:
            list_tickets(session, wanted, Place(way, key))
        binds = seen[0].count("?")
        plan = session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + seen[0], (1,) * binds).all()
    inner = plan[1].detail
    assert index in inner, plan


def test_the_counters_tell_how_many_where_they_can(database):
    with database.unit_of_work() as uow:
        uow.session.add_all(
            [
                TicketCount(queue_id=1, status="new", priority=1, n=2),
                TicketCount(queue_id=1, status="closed", priority=3, n=5),
                TicketCount(queue_id=0, status="on hold", priority=3, n=1),
            ]
        )
    with database.read_session() as session:
        assert count_tickets(session, TicketFilter()) == 3
        assert count_tickets(session, TicketFilter(status="")) == 8
        assert count_tickets(session, TicketFilter(status="closed", queue_id=1)) == 5
        assert count_tickets(session, TicketFilter(queue_id=0, priority=3)) == 1
        assert count_tickets(session, TicketFilter(assignee_id=BOB)) is None
        assert count_tickets(session, TicketFilter(source="mail")) is None
        assert count_tickets(session, TicketFilter(customer_id=1)) is None


def test_lines_of_given_tickets_are_loaded_by_id(database):
    add_tickets(database, ticket_values(1), ticket_values(2))
    with database.read_session() as session:
        assert {id: line.subject for id, line in load_lines(session, [2]).items()} == {2: "Ticket 2"}


def test_the_key_of_a_line_is_what_its_sort_orders_by(database):
    add_tickets(database, ticket_values(1))
    with database.read_session() as session:
        (line,) = list_tickets(session, TicketFilter()).lines
    assert key_of(line, "newest") == (1,)
    assert key_of(line, "changed") == (line.changed_at, 1)


def test_only_what_is_asked_for_becomes_a_condition():
    assert set(filter_conditions(TicketFilter(status="", queue_id=0, priority=2))) == {"queue_id", "priority"}
