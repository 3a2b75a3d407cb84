from datetime import timedelta

import pytest

from portal.core.errors import GatewayError
from portal.services.mail_claims import claim_mailbox
from portal.services.mailbox_checks import MailboxFindings, check_account, save_findings
from portal.services.mailboxes import Server
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, load, make_mail_world


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    yield world
    world.database.dispose()


def check(world, **changes):
    world.mailbox_id = add_mailbox(world, waits=True, **changes)
    server = world.mail.add("imap.shop.example")
    server.sent_folder = "Sent"
    for days in (0, 2, 40):
        server.deliver(mail_bytes(str(days)), at=NOW - timedelta(days=days))
    return check_account(world, claim_mailbox(world), server)


def test_messages_are_counted_by_age_before_anything_is_taken(world):
    found = check(world)
    assert found.counts == {"1": 1, "7": 2, "30": 2, "all": 3} and found.sent == "Sent"
    assert found.words.startswith("Reading works: 3 messages in INBOX. Sending works")


def test_a_mailbox_that_sends_nothing_says_so(world):
    assert "sends nothing" in check(world, smtp=Server("", 0, "tls")).words


def test_the_folder_of_sent_mail_is_named_but_not_counted_as_requests(world):
    found = check(world, sent_folder="Sent")
    assert "3 messages in Sent." in found.words and found.counts["all"] == 3


def test_the_first_thing_that_does_not_work_is_the_answer(world):
    add_mailbox(world, waits=True)
    server = world.mail.add("imap.shop.example")
    server.fail_next(GatewayError("The login was refused."))
    with pytest.raises(GatewayError, match="refused"):
        check_account(world, claim_mailbox(world), server)


def test_findings_are_kept_where_the_page_looks(world):
    check(world)
    row = load(world, world.mailbox_id)
    save_findings(row, MailboxFindings("All well.", {"all": 3}, "Sent"))
    assert row.check_ok and row.check_asked_at is None and row.check_result == "All well."
    assert row.options["found"] == {"counts": {"all": 3}, "sent": "Sent"} and row.options["imap"]
