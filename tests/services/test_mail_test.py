"""A test mail goes to whoever asked, also in watch mode, and the page learns what the server said."""

from __future__ import annotations

import pytest

from portal.core.errors import DomainError, GatewayError
from portal.models import User
from portal.services.audit import Change
from portal.services.checks import check_next
from portal.services.mail_test import TEST_MAIL, ask_test_mail, load_test_mail, try_test_mail
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.runtime_world import read, write
from tests.services.ticket_world import ALICE


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    return world


def run(world):
    assert check_next(world, {TEST_MAIL: try_test_mail})
    return read(world, load_test_mail, world.mailbox_id, ALICE)


def test_the_mail_goes_to_the_one_who_asked(world):
    assert read(world, load_test_mail, world.mailbox_id, ALICE) is None
    write(world, ask_test_mail, world.mailbox_id)
    assert read(world, load_test_mail, world.mailbox_id, ALICE).is_busy
    found = run(world)
    (mail,) = world.mail.sent
    assert mail.to == ("alice@a.example",) and mail.sender == "Help@shop.example" and mail.is_automatic
    assert "Sending from Help@shop.example works." in mail.text
    assert found.is_ok and "alice@a.example" in found.result and not found.is_busy


def test_what_the_server_says_is_shown(world):
    write(world, ask_test_mail, world.mailbox_id)
    world.mail.fail_next_send(GatewayError("The mail server refused the sender: 550 no", permanent=True))
    found = run(world)
    assert not found.is_ok and found.result == "The mail server refused the sender: 550 no"


def test_who_left_or_what_is_gone_gets_none(world):
    write(world, ask_test_mail, world.mailbox_id)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, ALICE).is_active = False
    assert "does not work here" in run(world).result and world.mail.sent == []
    with pytest.raises(DomainError, match="gone"):
        write(world, ask_test_mail, 99)
    with world.database.unit_of_work() as uow, pytest.raises(DomainError, match="Sign in"):
        ask_test_mail(uow, world.mailbox_id, change=Change(None, NOW))
