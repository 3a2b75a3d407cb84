"""The kill story: kill -9 of any process at any step between mail and answer. One ticket, one text per person.

Texts are counted at the pretended provider, which knows nothing of our tables.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.runtime.running import eventually
from tests.stories.shop import CHRISTMAS_NIGHT, Shop

ROLES = ("web-1", "worker-urgent", "worker-outside", "supervisor")
# A text that was being handed over when its worker died is looked up only after its lease of 60 s of machine time.
LEASE = 100.0
# A mail that was being sent waits for three minutes: a mail server may be slow, and nobody sleeps beside it.
MAIL_LEASE = 220.0

MOMENTS = {
    "the mail lies in the mailbox": lambda shop: True,
    "the mail is listed": lambda shop: shop.ledger(),
    "the ticket is there": lambda shop: shop.tickets(),
    "the texts are written": lambda shop: shop.notifications(),
    "one text was handed over": lambda shop: shop.phones.list_texts(),
}


def page_texts(shop: Shop, name: str) -> list[str]:
    return [text for text in shop.texts(name) if "server is down" in text.lower() and "reply" in text.lower()]


def play(shop: Shop, dovecot, sink, *, role: str, moment: str) -> None:
    """The night story with one death in it."""
    shop.add_mailbox(dovecot, sink)
    shop.start()
    shop.wait_for_first_read()
    shop.set_clock(CHRISTMAS_NIGHT + timedelta(seconds=10))
    shop.mail(dovecot, "Server is down", "Nobody can work.", at=CHRISTMAS_NIGHT)
    eventually(lambda: MOMENTS[moment](shop), what=moment)
    die(shop, role)
    eventually(lambda: page_texts(shop, "bob") and page_texts(shop, "carol"), seconds=LEASE, what="both phones ring")
    shop.phones.reply("+4915550000101", "a")
    die(shop, role)
    shop.set_clock(shop.context.clock.now() + timedelta(seconds=15))  # while what died is still on somebody's lease
    eventually(lambda: shop.pages()[0].state == "acknowledged", seconds=LEASE, what="the answer is heard")
    told = lambda: [text for text in shop.texts("carol") if "Bob" in text]  # noqa: E731
    eventually(told, seconds=LEASE, what="Carol is told")
    eventually(lambda: sink.mails, seconds=MAIL_LEASE, what="the confirmation")
    assert len(told()) == 1


def die(shop: Shop, role: str) -> None:
    shop.kill(role)
    if role == "supervisor":
        shop.running = None
        shop.start()


def check_nothing_doubled(shop: Shop, sink) -> None:
    shop.wait_until_quiet(seconds=MAIL_LEASE)
    assert len(shop.tickets()) == 1
    assert [row.verdict for row in shop.ledger()] == ["ticket"]
    assert len(page_texts(shop, "bob")) == len(page_texts(shop, "carol")) == 1
    assert len({mail.message["Message-ID"] for mail in sink.mails}) == 1


@pytest.mark.timeout(500)
@pytest.mark.parametrize("role", ["worker-urgent", "supervisor"])
def test_a_death_while_the_texts_are_written_doubles_nothing(open_shop, dovecot, sink, role):
    shop = open_shop(at=CHRISTMAS_NIGHT - timedelta(minutes=5))
    play(shop, dovecot, sink, role=role, moment="the texts are written")
    check_nothing_doubled(shop, sink)


@pytest.mark.more
@pytest.mark.timeout(500)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_death_at_any_step_loses_and_doubles_nothing(open_shop, dovecot, sink, role, moment):
    shop = open_shop(at=CHRISTMAS_NIGHT - timedelta(minutes=5))
    play(shop, dovecot, sink, role=role, moment=moment)
    check_nothing_doubled(shop, sink)
