"""The stories that Nightdesk exists for, on a running system with a moved clock."""

from __future__ import annotations

from datetime import timedelta

from tests.runtime.running import eventually
from tests.stories.shop import CHRISTMAS_NIGHT, OFFICE_MORNING


def test_at_night_both_phones_ring_one_answers_and_the_other_is_told(open_shop, dovecot, sink):
    """A mail at 02:10 on a holiday; Bob answers "a"; Carol is told; Dana gets one confirmation."""
    shop = open_shop(at=CHRISTMAS_NIGHT - timedelta(minutes=5))
    shop.add_mailbox(dovecot, sink)
    shop.start()
    shop.wait_for_first_read()
    shop.set_clock(CHRISTMAS_NIGHT + timedelta(seconds=10))
    shop.mail(dovecot, "Server is down", "Nobody in the building can work.", at=CHRISTMAS_NIGHT)
    ticket = shop.wait_for_ticket()
    assert ticket.received_at == CHRISTMAS_NIGHT
    for name in ("bob", "carol"):
        (text,) = shop.wait_for_texts(name, 1)
        assert f"#{ticket.id}" in text
        assert "Christmas Day" in text
    shop.answer("bob", "a")
    carol = shop.wait_for_texts("carol", 2)
    assert "Bob" in carol[1]
    (page,) = shop.pages()
    assert (page.state, shop.name_of(page.acknowledged_by)) == ("acknowledged", "Bob")
    eventually(lambda: sink.mails, what="the confirmation")
    shop.wait_until_quiet()
    shop.move(minutes=40)
    shop.wait_until_quiet()
    (mail,) = sink.mails
    assert mail.message["To"] == "dana@customer.example"
    assert f"#{ticket.id}" in mail.message["Subject"]
    assert mail.message["Auto-Submitted"] == "auto-replied"
    assert len(shop.texts("carol")) == 2
    assert shop.texts("alice") == []


def test_when_nobody_answers_it_repeats_escalates_and_raises_the_alarm(open_shop):
    shop = open_shop(at=CHRISTMAS_NIGHT).start()
    shop.post_form(subject="Server is down", body="Nobody can work.", emergency="declared", phone="+49 30 123")
    shop.wait_for_texts("bob", 1)
    shop.move(minutes=5.5)
    shop.wait_for_texts("bob", 2)
    assert shop.texts("alice") == []
    shop.move(minutes=5.5)
    shop.wait_for_texts("alice", 1)
    shop.move(minutes=5.5)
    shop.wait_for_texts("alice", 2)
    shop.move(minutes=5.5)
    eventually(lambda: shop.pages()[0].state == "expired", what="the end of the ladder")
    eventually(shop.open_alarms, what="the red banner")
    assert len(shop.texts("bob")) == len(shop.texts("carol")) == 2


def test_in_office_hours_nobody_is_rung(open_shop, dovecot, sink):
    shop = open_shop(at=OFFICE_MORNING - timedelta(minutes=1))
    shop.add_mailbox(dovecot, sink)
    shop.start()
    shop.wait_for_first_read()
    shop.set_clock(OFFICE_MORNING + timedelta(seconds=10))
    shop.mail(dovecot, "Server is down", "Nobody can work.", at=OFFICE_MORNING)
    ticket = shop.wait_for_ticket()
    shop.wait_until_quiet()
    assert shop.pages() == []
    assert shop.phones.list_texts() == []
    assert "business hours" in shop.portal("explain", str(ticket.id)).lower()


def test_after_two_hours_of_outage_one_digest_and_the_p1_by_itself(open_shop, dovecot, sink):
    start = CHRISTMAS_NIGHT - timedelta(hours=2)
    shop = open_shop(at=start)
    shop.add_mailbox(dovecot, sink)
    shop.start()
    shop.wait_for_first_read()
    shop.stop()
    for minutes, subject, body in (
        (1, "Mouse is slow", "My mouse moves slowly."),
        (2, "Font question", "Which font do we use?"),
        (3, "Whole site is down", "The server is down, nobody in the whole company can work, production stopped."),
    ):
        shop.mail(dovecot, subject, body, at=start + timedelta(minutes=minutes))
    shop.set_clock(CHRISTMAS_NIGHT)
    shop.start()
    shop.wait_for_ticket(3)
    eventually(lambda: len(shop.texts("bob")) >= 1, what="the P1")
    shop.move(seconds=70)
    eventually(lambda: len(shop.pages()) >= 2, what="the digest")
    shop.wait_until_quiet()
    kinds = sorted(page.kind for page in shop.pages())
    assert kinds == ["digest", "ticket"]
    texts = shop.wait_for_texts("bob", 2)
    assert "Whole site is down" in texts[0]
    assert "2" in texts[1]


def test_in_watch_mode_nothing_leaves_the_house(open_shop, dovecot, sink):
    """Twilio is set up, and is never called; what would have happened stands on the ticket."""
    from tests.integrations.twilio.simulator import Simulator

    with Simulator() as (twilio, url):
        shop = open_shop(
            at=CHRISTMAS_NIGHT - timedelta(minutes=5), site__live=False, sms__provider="twilio",
            sms__twilio_sid="AC" + "1" * 32, sms__twilio_token="secret", sms__twilio_from="+15550000000",
            sms__twilio_url=url,
        )  # fmt: skip
        shop.add_mailbox(dovecot, sink)
        shop.start()
        shop.wait_for_first_read()
        shop.set_clock(CHRISTMAS_NIGHT + timedelta(seconds=10))
        shop.mail(dovecot, "Server is down", "Nobody can work.", at=CHRISTMAS_NIGHT)
        ticket = shop.wait_for_ticket()
        shop.wait_until_quiet()
        assert [message for message in twilio.messages if message["direction"] != "inbound"] == []
    assert sink.mails == []
    assert {row.state for row in shop.notifications()} == {"cancelled"}
    assert "watch mode" in shop.portal("explain", str(ticket.id)).lower()
