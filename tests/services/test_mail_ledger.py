import pytest

from portal.core.errors import DomainError
from portal.core.ports import FetchedMail
from portal.models import MailboxRow, MailLedger
from portal.services.mail_fetch import store_mails
from portal.services.mail_intake import take_next
from portal.services.mail_ledger import (
    FILTERS,
    LedgerFilter,
    count_quarantined,
    count_waiting,
    ignore_quarantined,
    load_ledger_page,
    load_ledger_row,
    load_original,
    load_ticket_subject,
)
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.runtime_world import by_alice
from tests.services.ticket_world import counted_statements


@pytest.fixture
def world(tmp_path):
    """Three tickets, one mail in quarantine, one that waits."""
    world = make_mail_world(tmp_path)
    mailbox_id = add_mailbox(world)
    raws = [mail_bytes(str(n), message_id=f"<{n}@c>") for n in range(3)] + [mail_bytes(sender="")]
    mails = [FetchedMail(f"7:{n}", "INBOX", NOW, len(raw), raw) for n, raw in enumerate(raws, 1)]
    with world.database.unit_of_work() as uow:
        store_mails(uow, uow.session.get_one(MailboxRow, mailbox_id), mails, now=NOW)
    while take_next(world):
        continue
    with world.database.unit_of_work() as uow:
        late = FetchedMail("7:9", "INBOX", NOW, 3, b"x: y")
        store_mails(uow, uow.session.get_one(MailboxRow, mailbox_id), [late], now=NOW)
    return world


def ids(world, **wanted):
    with world.database.read_session() as session:
        return [row.id for row, _ in load_ledger_page(session, LedgerFilter(**wanted)).rows]


def test_the_ledger_is_listed_newest_first_by_verdict(world):
    assert ids(world) == [5, 4, 3, 2, 1]
    assert ids(world, verdict="ticket") == [3, 2, 1] and ids(world, verdict="quarantined") == [4]
    assert ids(world, verdict="waiting") == [5] and set(FILTERS) >= {"ticket", "waiting"}


def test_a_page_is_one_statement_wherever_it_lies(world):
    assert ids(world, before=3) == [2, 1] and ids(world, after=3) == [5, 4]
    with world.database.read_session() as session, counted_statements(session) as seen:
        load_ledger_page(session, LedgerFilter("ticket", before=3))
    assert len(seen) == 1


def test_the_ends_of_the_list_are_known(world, monkeypatch):
    monkeypatch.setattr("portal.services.mail_ledger.PAGE_SIZE", 2)
    with world.database.read_session() as session:
        first = load_ledger_page(session, LedgerFilter())
        middle = load_ledger_page(session, LedgerFilter(before=first.older))
        last = load_ledger_page(session, LedgerFilter(before=middle.older))
        back = load_ledger_page(session, LedgerFilter(after=middle.newer))
    assert (first.newer, first.older) == (None, 4) and (middle.newer, middle.older) == (3, 2)
    assert (last.newer, last.older) == (1, None) and [row.id for row, _ in back.rows] == [5, 4] and back.newer is None


def test_what_waits_for_somebody_is_counted(world):
    with world.database.read_session() as session:
        assert (count_quarantined(session), count_waiting(session)) == (1, 1)


def test_one_row_comes_with_its_mailbox_its_original_and_its_ticket(world):
    with world.database.read_session() as session:
        row, mailbox = load_ledger_row(session, 1)
        assert mailbox == "Help" and load_original(session, 1) == mail_bytes("0", message_id="<0@c>")
        assert (
            load_ticket_subject(session, row.ticket_id) == "Printer on fire"
            and load_ticket_subject(session, None) == ""
        )
        assert load_ledger_row(session, 99) is None and load_original(session, 99) is None


def test_setting_aside_keeps_the_reason_and_happens_once(world):
    with world.database.unit_of_work() as uow:
        ignore_quarantined(uow, 4, change=by_alice(world))
        row = uow.session.get_one(MailLedger, 4)
        assert row.verdict == "ignored" and "no sender" in row.reason
    for ledger_id in (4, 99):
        with pytest.raises(DomainError, match="not in quarantine"), world.database.unit_of_work() as uow:
            ignore_quarantined(uow, ledger_id, change=by_alice(world))
