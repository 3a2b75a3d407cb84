"""A shift change on a running site: whoever comes is told once, by mail and by text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.core.shifts import Shift
from portal.services.audit import Change
from portal.services.shifts import add_shift
from tests.runtime.running import eventually
from tests.stories.shop import OFFICE_MORNING

pytestmark = pytest.mark.more


def test_who_comes_on_duty_gets_one_card_also_after_a_restart(open_shop, dovecot, sink):
    shop = open_shop(at=OFFICE_MORNING)
    shop.add_mailbox(dovecot, sink)
    starts = OFFICE_MORNING.replace(tzinfo=None) + timedelta(minutes=30)
    with shop.context.database.unit_of_work() as uow:
        shift = Shift(0, shop.ids["alice"], starts, starts + timedelta(hours=8), "The keys are in the drawer.")
        add_shift(uow, shift, change=Change(None, OFFICE_MORNING))
    shop.start()
    shop.wait_until_quiet()
    assert shop.phones.list_texts() == []
    shop.move(minutes=30.5)
    (text,) = shop.wait_for_texts("alice", 1)
    assert text.startswith("You are on call until Tue 16 Dec 18:30. Before you: ")
    eventually(lambda: sink.mails, what="the card by mail")
    shop.stop()
    shop.start()
    shop.move(minutes=2)
    shop.wait_until_quiet()
    (mail,) = sink.mails
    assert mail.recipients == ["alice@acme.example"]
    assert "The keys are in the drawer." in mail.message.get_content()
    assert shop.texts("alice") == [text]
    assert shop.texts("bob") == shop.texts("carol") == []
