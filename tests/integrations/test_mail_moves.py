"""A mailbox that does not stay where and what it was: each mail is one row all the same, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from portal.models import MailFolder, MailLedger
from tests.integrations.imap.scripted import ScriptedImap, scripted_imap
from tests.integrations.imap_house import NIGHT, House


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with scripted_imap() as server:
        yield server


@pytest.fixture
def house(tmp_path, server) -> Iterator[House]:
    house = House(tmp_path, server)
    yield house
    house.world.mail.close()
    house.world.database.dispose()


def test_a_mail_that_got_the_number_of_one_lost_with_the_servers_disk_is_taken_in(house, server):
    house.deliver("1", "2", "3")
    house.poll()
    server.mails = {1: server.mails[1]}  # put back as it was before 2 and 3 came
    house.poll()
    house.deliver("4", "5")  # with the numbers of 2 and 3
    house.poll()
    assert house.taken() == ["1", "2", "3", "4", "5"] and house.compare().missing == 0


def test_a_server_put_back_and_grown_on_between_two_looks_loses_nothing(house, server):
    """Its next number is beyond ours, so that reading goes on as if nothing had happened."""
    house.deliver("1", "2", "3")
    house.poll()
    server.mails = {1: server.mails[1]}
    house.deliver("4", "5", "6", at=NIGHT + timedelta(minutes=2))
    house.poll()
    assert house.compare().missing == 2 and house.compare().missing == 0
    assert sorted(house.taken()) == ["1", "2", "3", "4", "5", "6"]


def test_an_account_whose_numbers_are_those_of_the_account_before_loses_nothing(house, server):
    """Some servers give every folder the same UIDVALIDITY."""
    house.deliver("1", "2")
    house.poll()
    with scripted_imap() as other:
        house.save(address="it@shop.example", imap=house.at(other, "it"))
        house.deliver("new 1", "new 2", server=other, at=house.world.clock.now())
        house.poll()
        assert house.taken() == ["1", "2", "new 1", "new 2"] and house.compare().missing == 0


@pytest.mark.parametrize("uidvalidity", [7, 8])
def test_a_mailbox_that_went_to_another_server_with_its_mail_loses_and_doubles_nothing(house, server, uidvalidity):
    house.deliver("1", "2")
    house.poll()
    with scripted_imap() as other:
        other.uidvalidity = uidvalidity
        house.deliver("1", "2", "on the way", server=other)
        house.world.clock.move(6 * 3600)
        house.save(imap=house.at(other, "help@shop.example"))
        assert house.taken() == ["1", "2", "on the way"] and house.compare().missing == 0
        house.deliver("after", server=other)
        house.poll()
        assert house.taken() == ["1", "2", "on the way", "after"]
        with house.world.database.read_session() as session:
            assert not any(session.scalars(select(MailLedger.is_quiet))), "it is late, and not old"


def test_mail_that_came_while_nobody_could_sign_in_comes_in_when_the_user_is_mended(house, server):
    house.deliver("1")
    house.poll()
    server.answer = lambda command: (
        b"$TAG NO [AUTHENTICATIONFAILED] no\r\n" if "LOGIN" in command and "@" not in command else None
    )
    house.world.mail.close()
    house.deliver("at night", at=house.world.clock.now())
    for _ in range(3):
        house.world.clock.move(3600)
        house.poll()
    assert "refused the login" in house.row().last_error
    house.save(imap=house.at(server, "help@shop.example"))
    assert house.taken() == ["1", "at night"] and house.row().last_error == ""


def test_old_mail_among_new_on_a_server_that_keeps_no_order_is_shown_and_no_ticket(house, server):
    house.deliver("1")
    house.poll()
    server.mails.clear()
    server.uidvalidity = 8
    house.deliver("1")
    house.deliver("of last year", at=NIGHT - timedelta(days=400))
    house.deliver("2", at=house.world.clock.now())
    house.poll()
    assert house.taken() == ["1", "2"] and house.taken(verdict="ignored") == ["of last year"]


def test_mail_that_somebody_moves_here_is_taken_in_however_old_it_is(house):
    house.poll()
    house.deliver("moved here", at=NIGHT - timedelta(days=400))
    house.poll()
    assert house.taken() == ["moved here"]


def test_a_folder_with_another_name_goes_on_where_it_was(house, server):
    house.deliver("1")
    house.poll()
    server.folder = "Desk"
    house.deliver("2", at=house.world.clock.now())
    house.world.clock.move(12 * 3600)
    house.poll()
    assert "INBOX cannot be opened" in house.row().last_error
    house.save(folders=("Desk",))
    assert set(house.taken()) == {"1", "2"} and house.row().last_error == ""
    assert len(house.taken()) <= 3, "what lay there within the hour may come again, and is known by its Message-ID"


def test_what_lay_in_a_folder_before_it_joined_is_not_missed(house, server):
    house.poll()
    server.folder = None  # any
    house.deliver("lay there", at=house.world.clock.now())
    with house.world.database.unit_of_work() as uow:
        uow.session.scalars(select(MailFolder)).one().cursor = "7:1"
    house.world.clock.move(60)
    house.save(folders=("INBOX", "Desk"))
    with house.world.database.unit_of_work() as uow:
        uow.session.execute(delete(MailLedger))
    check = house.compare()
    with house.world.database.read_session() as session:
        assert set(session.scalars(select(MailLedger.folder))) == {"INBOX"} and check.missing == 1


def test_one_folder_that_is_gone_keeps_no_other_from_being_compared(house, server):
    house.poll()
    server.folder = None
    house.save(folders=("INBOX", "Desk"))
    house.deliver("1", at=house.world.clock.now())
    house.poll()
    with house.world.database.unit_of_work() as uow:
        uow.session.execute(delete(MailLedger).where(MailLedger.folder == "Desk"))
    server.folder = "Desk"
    check = house.compare()
    assert check.missing == 1 and "INBOX cannot be opened" in check.error


def test_one_mail_that_cannot_be_had_keeps_no_other_from_being_found(house, server):
    names = [str(number) for number in range(6)]
    house.deliver(*names)
    house.poll()
    with house.world.database.unit_of_work() as uow:
        uow.session.execute(delete(MailLedger))
    server.headless = {2}
    check = house.compare()
    assert (check.missing, check.stuck, check.error) == (5, 1, "")
    server.headless = set()
    assert house.compare().missing == 1 and sorted(house.taken()) == names


def test_mail_that_the_server_does_not_find_when_asked_for_what_is_new_is_found_by_the_comparison(house, server):
    house.poll()
    server.answer = lambda command: b"* SEARCH\r\n$TAG OK done\r\n" if "SEARCH UID" in command else None
    house.deliver("1", at=house.world.clock.now())
    house.poll()
    assert house.taken() == [] and house.compare().missing == 0, "it may still be read in its turn"
    house.world.clock.move(1800)
    house.poll()
    assert house.compare().missing == 1 and house.taken() == ["1"]
    server.answer = lambda command: None
    house.poll()
    assert house.taken() == ["1"]
