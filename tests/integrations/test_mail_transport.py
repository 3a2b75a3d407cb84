from dataclasses import replace

import pytest

from portal.core.errors import GatewayError
from portal.core.ports import MailAccount
from portal.integrations.mail_transport import ImapSmtpTransport

IMAP = {"host": "127.0.0.1", "port": 1, "security": "plain", "user": "help", "password": "secret"}
ACCOUNT = MailAccount("1", IMAP, {})


def test_a_mailbox_is_kept_until_its_account_changes():
    transport = ImapSmtpTransport()
    kept = transport.mailbox(ACCOUNT)
    assert transport.mailbox(replace(ACCOUNT)) is kept
    changed = transport.mailbox(replace(ACCOUNT, imap={**IMAP, "password": "other"}))
    assert changed is not kept and transport.mailbox(replace(ACCOUNT, key="2")) is not changed
    transport.close()


def test_a_mailbox_without_a_server_for_sending_says_so():
    with pytest.raises(GatewayError, match="no server for outgoing mail") as caught:
        ImapSmtpTransport().sender(ACCOUNT)
    assert caught.value.permanent
    assert ImapSmtpTransport().sender(replace(ACCOUNT, smtp={**IMAP}))
