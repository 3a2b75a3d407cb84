from dataclasses import replace

import pytest

from portal.core.errors import GatewayError
from portal.core.ports import MailAccount
from portal.integrations.graph.mailbox import GraphMailbox
from portal.integrations.graph.sender import GraphSender
from portal.integrations.imap.adapter import ImapMailbox
from portal.integrations.mail_transport import MailServers
from portal.integrations.smtp.adapter import SmtpSender
from tests.login_simulator import CLIENT_ID, SECRET, TENANT

IMAP = {"host": "127.0.0.1", "port": 1, "security": "plain", "user": "help", "password": "secret"}
ACCOUNT = MailAccount("1", imap=IMAP)
OAUTH = {"client_id": CLIENT_ID, "client_secret": SECRET, "tenant": TENANT, "login_url": "http://127.0.0.1:1"}
AT_GRAPH = MailAccount("2", "graph", graph={"address": "help@shop.example"}, oauth=OAUTH)


@pytest.fixture
def servers():
    servers = MailServers()
    yield servers
    servers.close()


def test_a_mailbox_is_kept_until_its_account_changes(servers):
    kept = servers.mailbox(ACCOUNT)
    assert isinstance(kept, ImapMailbox) and servers.mailbox(replace(ACCOUNT)) is kept
    changed = servers.mailbox(replace(ACCOUNT, imap={**IMAP, "password": "other"}))
    assert changed is not kept and servers.mailbox(replace(ACCOUNT, key="2")) is not changed


def test_a_mailbox_without_a_server_for_sending_says_so(servers):
    with pytest.raises(GatewayError, match="no server for outgoing mail") as caught:
        servers.sender(ACCOUNT)
    assert caught.value.permanent
    assert isinstance(servers.sender(replace(ACCOUNT, smtp={**IMAP})), SmtpSender)


def test_the_kind_of_the_account_decides(servers):
    mailbox = servers.mailbox(AT_GRAPH)
    assert isinstance(mailbox, GraphMailbox) and servers.mailbox(replace(AT_GRAPH)) is mailbox
    assert isinstance(servers.sender(AT_GRAPH), GraphSender)
    other = servers.mailbox(replace(AT_GRAPH, oauth={**OAUTH, "client_secret": "new"}))
    assert other is not mailbox


def test_an_account_without_an_application_cannot_sign_in(servers):
    with pytest.raises(GatewayError, match="does not sign in by OAuth"):
        servers.sign_in(ACCOUNT)
    assert servers.sign_in(AT_GRAPH).begin().url == ""


def test_imap_signs_in_with_a_token_where_there_is_an_application(servers):
    google = replace(ACCOUNT, oauth={"provider": "google", "client_id": "x", "client_secret": "y"}, smtp={**IMAP})
    with pytest.raises(GatewayError, match="Nobody has signed in"):
        servers.mailbox(google).count("INBOX")
    with pytest.raises(GatewayError, match="Nobody has signed in"):
        servers.sender(google).check()
