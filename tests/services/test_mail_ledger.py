from datetime import timedelta

import pytest
from sqlalchemy import insert

from portal.models import MailboxRow, MailLedger
from portal.services import mail_ledger
from portal.services.mail_ledger import (
    FILTERS,
    LedgerCounts,
    LedgerFilter,
    LedgerPlace,
    count_days,
    count_ledger,
    list_ledger,
    list_ledger_mailboxes,
    list_twins,
    load_ledger_row,
    load_original,
    load_ticket_subject,
)
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.rules_world import add_rule, post
from tests.services.runtime_world import read
from tests.services.ticket_world import counted_statements


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    add_mailbox(world)
    return world


def fill(world, *rows):
    """Rows as given, each a minute younger than the one before; the last is the newest."""
    with world.database.unit_of_work() as uow:
        first = NOW - timedelta(minutes=len(rows))
        values = [
            {
                "mailbox_id": 1, "folder": "INBOX", "provider_id": f"9:{n}", "sender": "dana@c.example",
                "subject": "Printer", "size": 1, "received_at": first + timedelta(minutes=n), "listed_at": NOW,
                "state": "done", "verdict": "ticket", "reason": "", "kind": "person", "is_found_late": False,
                "rule_id": None, "verdict_at": NOW, "message_id": "", **row,
            }
            for n, row in enumerate(rows)
        ]  # fmt: skip
        uow.session.execute(insert(MailLedger), values)


def page(world, place=LedgerPlace(), **wanted):  # noqa: B008
    return read(world, lambda s: list_ledger(s, LedgerFilter(**wanted), place, now=world.clock.now()))


def ids(world, **wanted):
    return [line.id for line in page(world, **wanted).lines]


def test_the_ledger_is_listed_newest_first(world):
    fill(world, {}, {}, {})
    assert ids(world) == [3, 2, 1]


def test_each_filter_shows_what_it_says(world):
    second = add_mailbox(world, name="Office", address="office@shop.example")
    rule_id = add_rule(world, ("subject_has", "x"))
    fill(
        world,
        {"verdict": "bounce", "kind": "bounce"},
        {"verdict": "", "state": "stored"},
        {"mailbox_id": second, "subject": "Toner low"},
        {"rule_id": rule_id, "verdict": "ignored"},
        {"is_found_late": True},
        {"sender": "Erin@C.example", "subject": "100% full_disk"},
        {"received_at": NOW - timedelta(days=3), "message_id": "<a@x>"},
    )
    assert ids(world, words="<a@x>") == [7] and ids(world, words="<a@x") == []
    assert ids(world, verdict="bounce") == [1] and ids(world, kind="bounce") == [1]
    assert ids(world, verdict="waiting") == [2] and ids(world, mailbox_id=second) == [3]
    assert ids(world, rule_id=rule_id) == [4] and ids(world, is_late=True) == [5]
    assert ids(world, sender="erin@c.example") == [6]
    assert ids(world, words="TONER") == [3] and ids(world, words="erin") == [6]
    assert ids(world, words="100% full_") == [6] and ids(world, words="%") == [6]
    day = NOW - timedelta(days=3, hours=1)
    assert ids(world, since=day, until=day + timedelta(days=1)) == [7]
    assert ids(world, verdict="ticket", mailbox_id=1, is_late=True) == [5]
    third = NOW - timedelta(days=3)
    assert ids(world, since=third, until=third + timedelta(seconds=1)) == [7]
    assert ids(world, since=third - timedelta(days=1), until=third) == []
    assert set(FILTERS) >= {"ticket", "waiting", "unexplained"}


def test_unexplained_is_what_has_waited_for_ten_minutes(world):
    old, fresh = NOW - timedelta(minutes=11), NOW - timedelta(minutes=9)
    fill(world, *({"verdict": "", "state": "stored", "listed_at": at} for at in (old, fresh)), {"listed_at": old})
    assert ids(world, verdict="unexplained") == [1]
    assert read(world, lambda s: count_ledger(s, now=NOW)) == LedgerCounts(1, 2, 0)


def test_what_waits_for_somebody_is_counted_in_one_statement(world, monkeypatch):
    fill(world, *({"verdict": "quarantined"} for _ in range(4)), {"verdict": ""})
    with world.database.read_session() as session, counted_statements(session) as seen:
        assert count_ledger(session, now=NOW) == LedgerCounts(0, 1, 4)
    assert len(seen) == 1
    monkeypatch.setattr(mail_ledger, "MOST_COUNTED", 3)
    assert read(world, lambda s: count_ledger(s, now=NOW)).quarantined == 3


@pytest.mark.parametrize("by_day", [False, True])
def test_pages_meet_without_gap_or_double(world, monkeypatch, by_day):
    monkeypatch.setattr(mail_ledger, "PAGE_SIZE", 2)
    fill(world, *({} for _ in range(5)))
    wanted = {"since": NOW - timedelta(days=1), "until": NOW} if by_day else {}
    first = page(world, **wanted)
    middle = page(world, LedgerPlace("older", first.older), **wanted)
    last = page(world, LedgerPlace("older", middle.older), **wanted)
    assert [[line.id for line in one.lines] for one in (first, middle, last)] == [[5, 4], [3, 2], [1]]
    assert first.newer is None and last.older is None
    assert page(world, LedgerPlace("newer", last.newer), **wanted).lines == middle.lines
    assert page(world, LedgerPlace("newer", middle.newer), **wanted) == first


def test_a_key_of_another_order_begins_at_the_first_page(world):
    fill(world, {}, {})
    assert [line.id for line in page(world, LedgerPlace("older", (NOW, 1))).lines] == [2, 1]


def test_a_rare_combination_is_looked_for_in_stretches(world, monkeypatch):
    monkeypatch.setattr(mail_ledger, "SCAN_LIMIT", 3)
    fill(world, {"kind": "list"}, *({} for _ in range(5)))
    first = page(world, kind="list")
    assert (first.lines, first.is_cut, first.newer) == ((), True, None)
    second = page(world, LedgerPlace("older", first.older), kind="list")
    assert [line.id for line in second.lines] == [1] and second.is_cut
    assert not page(world, LedgerPlace("older", second.older), kind="list").is_cut


def test_a_page_is_at_most_two_statements(world):
    fill(world, *({} for _ in range(3)))
    for wanted in (LedgerFilter(), LedgerFilter("ticket"), LedgerFilter(words="x", mailbox_id=1)):
        with world.database.read_session() as session, counted_statements(session) as seen:
            list_ledger(session, wanted, now=NOW)
        assert len(seen) <= 2


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({}, ""),
        ({"verdict": "ticket"}, "ix_mail_ledger_verdict"),
        ({"mailbox_id": 1}, "ix_mail_ledger_mailbox"),
        ({"is_late": True}, "ix_mail_ledger_late"),
        ({"rule_id": 1}, "ix_mail_ledger_rule"),
        ({"words": "<a@x>"}, "ix_mail_ledger_message_id"),
        ({"since": NOW, "until": NOW}, "ix_mail_ledger_received"),
    ],
)
def test_each_single_filter_walks_an_index_in_the_order_of_the_list(world, wanted, index):
    if world.database.reader.dialect.name != "sqlite":
        pytest.skip("reads the plan of SQLite")
    with world.database.read_session() as session, counted_statements(session) as seen:
        list_ledger(session, LedgerFilter(**wanted), now=NOW)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {seen[0]}", (1,) * seen[0].count("?"))
        steps = " ".join(row[-1] for row in plan)
    assert index in steps and "TEMP B-TREE" not in steps, steps


def test_days_are_counted_by_when_mails_were_received(world):
    days = [NOW - timedelta(days=n) for n in (2, 1, 0)]
    fill(
        world,
        {"received_at": days[0]},
        {"received_at": days[1] - timedelta(seconds=1), "verdict": "bounce"},
        {"received_at": days[1], "verdict": ""},
        {"received_at": days[2]},
    )
    assert read(world, lambda s: count_days(s, days)) == [{"ticket": 1, "bounce": 1}, {"": 1}]
    assert read(world, lambda s: count_days(s, [])) == []


def test_mailboxes_that_were_removed_are_named_too(world):
    second = add_mailbox(world, name="Archive", address="archive@shop.example")
    with world.database.unit_of_work() as uow:
        uow.session.get_one(MailboxRow, second).kind = "removed"
    assert [one.name for one in read(world, list_ledger_mailboxes)] == ["Archive", "Help"]


def test_one_row_comes_with_its_original_its_ticket_and_its_twins(world):
    row = post(world, mail_bytes())
    twin = post(world, mail_bytes())
    with world.database.read_session() as session:
        stored = load_ledger_row(session, row.id)
        assert load_original(session, row.id) == mail_bytes()
        assert load_ticket_subject(session, stored.ticket_id) == "Printer on fire"
        assert [one.id for one in list_twins(session, stored)] == [twin.id]
        assert load_ticket_subject(session, None) == "" and load_ledger_row(session, 99) is None
        assert load_original(session, 99) is None
        assert list_twins(session, MailLedger(id=99, content_hash="", message_id="")) == ()
