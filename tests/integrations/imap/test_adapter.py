"""The adapter against a real Dovecot."""

import itertools
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from portal.core.errors import GatewayError
from portal.integrations.imap.adapter import ImapMailbox, ImapSettings
from tests.dovecot import Dovecot, running_dovecot
from tests.mails import mail_bytes
from tests.proxy import cut_proxy

NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC)
_users = (f"help{n}" for n in itertools.count())


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


class Account:
    """A fresh mailbox on the server."""

    def __init__(self, server: Dovecot) -> None:
        self.server = server
        self.user = next(_users)
        server.create_user(self.user, "secret")

    def settings(self, **changes) -> ImapSettings:
        values = {"host": "127.0.0.1", "port": self.server.port, "security": "plain", "timeout": 5.0}
        return ImapSettings(**{**values, "user": self.user, "password": "secret", **changes})

    def deliver(self, raw: bytes | None = None, *, at: datetime = NIGHT, folder: str = "INBOX") -> None:
        self.server.append(self.user, "secret", raw or mail_bytes(), at=at, folder=folder)

    def client(self):
        return self.server.connect(self.user, "secret")


@pytest.fixture
def account(dovecot: Dovecot) -> Account:
    return Account(dovecot)


@pytest.fixture
def mailbox(account: Account) -> Iterator[ImapMailbox]:
    adapter = ImapMailbox(account.settings())
    yield adapter
    adapter.close()


def fetch(
    mailbox: ImapMailbox,
    cursor: str = "",
    *,
    folder="INBOX",
    limit=50,
    byte_limit=10**7,
    max_size=10**6,
):
    cursor = cursor or mailbox.start(folder, EVER)
    return mailbox.fetch(folder, cursor, limit=limit, byte_limit=byte_limit, max_size=max_size)


def test_a_mail_comes_with_its_bytes_its_id_and_its_internal_date(account, mailbox):
    account.deliver(at=datetime(2025, 12, 25, 3, 10, tzinfo=UTC) - timedelta(hours=1))
    batch = fetch(mailbox)
    (mail,) = batch.mails
    assert mail.raw == mail_bytes() and mail.size == len(mail_bytes()) and mail.received_at == NIGHT
    assert mail.provider_id == batch.cursor and mail.provider_id.endswith(":1") and mail.folder == "INBOX"
    assert not batch.has_more and not batch.was_reset


def test_reading_marks_moves_and_deletes_nothing(account, mailbox):
    account.deliver()
    fetch(mailbox)
    client = account.client()
    client.select("INBOX", readonly=True)
    assert b"\\Seen" not in client.fetch("1", "(FLAGS)")[1][0] and client.search(None, "ALL")[1] == [b"1"]
    client.logout()


def test_reading_goes_on_where_it_stopped(account, mailbox):
    account.deliver()
    first = fetch(mailbox)
    assert fetch(mailbox, first.cursor).mails == ()
    account.deliver(mail_bytes("second"))
    second = fetch(mailbox, first.cursor)
    assert [mail.raw for mail in second.mails] == [mail_bytes("second")] and second.cursor.endswith(":2")


def test_a_batch_ends_at_the_limit_and_at_the_bytes(account, mailbox):
    for number in range(5):
        account.deliver(mail_bytes("x" * 1000 + str(number)))
    by_number = fetch(mailbox, limit=2)
    assert len(by_number.mails) == 2 and by_number.has_more and by_number.cursor.endswith(":2")
    by_bytes = fetch(mailbox, byte_limit=3500)
    assert len(by_bytes.mails) == 2 and by_bytes.has_more
    assert len(fetch(mailbox, byte_limit=1).mails) == 1
    rest = fetch(mailbox, by_number.cursor)
    assert len(rest.mails) == 3 and not rest.has_more


def test_a_mail_over_the_size_comes_as_its_header_only(account, mailbox):
    account.deliver(mail_bytes("x" * 5000))
    account.deliver(mail_bytes("small"))
    large, small = fetch(mailbox, max_size=2000).mails
    assert large.raw is None and large.header.startswith(b"From: Dana") and large.size > 5000
    assert b"xxxx" not in large.header and small.raw == mail_bytes("small")


def test_an_empty_mailbox_and_an_empty_mail_are_fine(account, mailbox):
    assert fetch(mailbox).mails == ()
    account.deliver(b"\r\n")
    assert [mail.raw for mail in fetch(mailbox).mails] in ([b"\r\n"], [b""])


def test_messages_deleted_in_between_are_passed_over(account, mailbox):
    for number in range(4):
        account.deliver(mail_bytes(str(number)))
    client = account.client()
    client.select("INBOX")
    client.store("2:3", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
    assert [mail.raw for mail in fetch(mailbox).mails] == [mail_bytes("0"), mail_bytes("3")]


def test_a_changed_uidvalidity_starts_again(account, mailbox):
    client = account.client()
    client.create("Desk")
    account.deliver(folder="Desk")
    first = fetch(mailbox, folder="Desk")
    mailbox.close()
    client.delete("Desk")
    client.create("Desk")
    client.logout()
    account.deliver(mail_bytes("again"), folder="Desk")
    second = fetch(mailbox, first.cursor, folder="Desk")
    if not second.was_reset:  # both made within one second
        uidvalidity = int(first.cursor.split(":")[0])
        second = fetch(mailbox, f"{uidvalidity - 1}:9", folder="Desk")
    assert second.was_reset and second.mails == ()
    assert [mail.raw for mail in fetch(mailbox, folder="Desk").mails] == [mail_bytes("again")]


def test_what_lies_ahead_is_told_from_what_was_passed(mailbox):
    assert mailbox.is_ahead("7:3", "7:2") and not mailbox.is_ahead("7:2", "7:2")
    assert mailbox.is_ahead("7:1", "8:5"), "after renumbering the old ids say nothing"


def test_reading_can_start_now_or_at_a_time(account, mailbox):
    account.deliver(at=NIGHT - timedelta(days=2))
    account.deliver(at=NIGHT)
    now = mailbox.start("INBOX", None)
    assert fetch(mailbox, now).mails == ()
    since = mailbox.start("INBOX", NIGHT - timedelta(hours=1))
    assert [mail.received_at for mail in fetch(mailbox, since).mails] == [NIGHT]
    assert mailbox.start("INBOX", NIGHT + timedelta(hours=1)) == now
    account.deliver(mail_bytes("later"))
    assert [mail.raw for mail in fetch(mailbox, now).mails] == [mail_bytes("later")]


def test_reading_an_empty_mailbox_from_now_on_misses_nothing(account, mailbox):
    now = mailbox.start("INBOX", None)
    account.deliver()
    assert len(fetch(mailbox, now).mails) == 1


def test_the_reconcile_lists_ids_by_time(account, mailbox):
    account.deliver(at=NIGHT - timedelta(hours=3))
    account.deliver(at=NIGHT)
    ((provider_id, received_at),) = mailbox.list_ids("INBOX", NIGHT - timedelta(hours=1))
    assert received_at == NIGHT and provider_id.endswith(":2")
    found = mailbox.fetch_one("INBOX", provider_id)
    assert found and found.raw == mail_bytes()
    assert mailbox.fetch_one("INBOX", "1:2") is None
    assert mailbox.fetch_one("INBOX", provider_id.replace(":2", ":99")) is None
    assert mailbox.fetch_one("INBOX", "nonsense") is None
    assert mailbox.count("INBOX") == 2


def test_a_folder_name_may_hold_any_letters(account, mailbox):
    client = account.client()
    client.create('"Entw&APw-rfe &- more"')
    account.deliver(folder="Entw&APw-rfe &- more")
    client.logout()
    assert len(fetch(mailbox, folder="Entwürfe & more").mails) == 1


def test_a_missing_folder_is_named(mailbox):
    with pytest.raises(GatewayError, match="folder Nowhere cannot be opened") as caught:
        fetch(mailbox, folder="Nowhere")
    assert caught.value.permanent and caught.value.code == "folder"


def test_a_wrong_password_is_permanent_and_never_in_the_message(account):
    with pytest.raises(GatewayError, match="refused the login") as caught:
        ImapMailbox(account.settings(password="hunter2")).count("INBOX")
    assert caught.value.permanent and caught.value.code == "login" and "hunter2" not in str(caught.value)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_encryption_checks_the_certificate(account, security):
    port = account.server.tls_port if security == "tls" else account.server.port
    trusting = ImapMailbox(account.settings(security=security, port=port, ca_file=account.server.ca_file))
    assert trusting.count("INBOX") == 0
    trusting.close()
    with pytest.raises(GatewayError, match="cannot be trusted") as caught:
        ImapMailbox(account.settings(security=security, port=port)).count("INBOX")
    assert caught.value.permanent and caught.value.code == "certificate"


def test_a_port_without_the_chosen_encryption_is_named_as_such(account):
    with pytest.raises(GatewayError, match="this port does not speak the encryption that was chosen"):
        ImapMailbox(account.settings(security="tls", port=account.server.port)).count("INBOX")


def test_the_connection_is_kept_and_opened_again_when_it_breaks(account):
    with cut_proxy(account.server.port) as proxy:
        mailbox = ImapMailbox(account.settings(port=proxy.port))
        account.deliver()
        first = fetch(mailbox)
        fetch(mailbox, first.cursor)
        assert proxy.connections == 1
        account.server.cut_connections()
        account.deliver(mail_bytes("after"))
        assert [mail.raw for mail in fetch(mailbox, first.cursor).mails] == [mail_bytes("after")]
        assert proxy.connections == 2
        mailbox.close()
        mailbox.close()


def test_a_connection_cut_in_the_middle_of_a_fetch_goes_on_with_the_next(account, mailbox):
    account.deliver(mail_bytes("x" * 20_000))
    cursor = mailbox.start("INBOX", EVER)
    with cut_proxy(account.server.port) as proxy:
        through_proxy = ImapMailbox(account.settings(port=proxy.port))
        proxy.cut_after(8000)
        assert [mail.raw for mail in fetch(through_proxy, cursor).mails] == [mail_bytes("x" * 20_000)]
        assert proxy.connections == 2
        through_proxy.close()


def test_a_line_that_always_breaks_in_the_middle_of_a_fetch_loses_nothing(account, mailbox):
    for number in range(6):
        account.deliver(mail_bytes(str(number) * 20_000))
    cursor, found = mailbox.start("INBOX", EVER), []
    with cut_proxy(account.server.port) as proxy:
        through_proxy = ImapMailbox(account.settings(port=proxy.port))
        proxy.cut_after(30_000, times=1000)
        for _ in range(30):
            try:
                batch = fetch(through_proxy, cursor)
            except GatewayError:
                continue
            found += [mail.raw for mail in batch.mails]
            cursor = batch.cursor
            if not batch.has_more:
                break
        through_proxy.close()
    assert found == [mail_bytes(str(number) * 20_000) for number in range(6)]


def test_a_mail_of_25_mb_comes_whole(account, mailbox):
    large = mail_bytes("x" * 25_000_000)
    account.deliver(large)
    (mail,) = fetch(mailbox, byte_limit=10_000_000, max_size=40_000_000).mails
    assert mail.raw == large


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["Outbox"], "Outbox"),  # flagged by the server, whatever its name
        (["Sent Items", "Drafts"], "Sent Items"),
        (["Archive/Gesendete Objekte"], "Archive/Gesendete Objekte"),
        (["&AMk-l&AOk-ments envoy&AOk-s"], "Éléments envoyés"),
        (["Presents"], ""),
    ],
)
def test_the_folder_of_sent_mail_is_found(account, mailbox, folders, expected):
    client = account.client()
    for folder in folders:
        client.create(f'"{folder}"')
    client.logout()
    assert mailbox.find_sent() == expected


def test_a_folder_that_disappears_comes_back_by_itself(account, mailbox):
    client = account.client()
    client.create("Desk")
    cursor = mailbox.start("Desk", None)
    client.rename("Desk", "Elsewhere")
    with pytest.raises(GatewayError) as caught:
        fetch(mailbox, cursor, folder="Desk")
    assert caught.value.code == "folder" and fetch(mailbox).mails == ()
    client.rename("Elsewhere", "Desk")
    account.deliver(folder="Desk")
    client.logout()
    assert len(fetch(mailbox, cursor, folder="Desk").mails) == 1


def test_a_silent_server_ends_in_a_time_out(account):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailbox = ImapMailbox(account.settings(port=silent.getsockname()[1], timeout=0.2))
        with pytest.raises(GatewayError, match="broke off") as caught:
            mailbox.count("INBOX")
        assert not caught.value.permanent


def test_a_server_that_speaks_nonsense_is_an_error_and_no_crash(account):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                client.recv(100)

        threading.Thread(target=answer, daemon=True).start()
        mailbox = ImapMailbox(account.settings(port=listener.getsockname()[1], timeout=1.0))
        with pytest.raises(GatewayError):
            mailbox.count("INBOX")


def test_nobody_listening_is_a_transient_error(account):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(GatewayError, match="broke off") as caught:
        ImapMailbox(account.settings(port=port)).count("INBOX")
    assert not caught.value.permanent


def test_two_threads_share_a_mailbox_one_call_at_a_time(account, mailbox):
    for number in range(5):
        account.deliver(mail_bytes(str(number)))
    found: list[int] = []

    def read() -> None:
        for _ in range(10):
            found.append(len(fetch(mailbox).mails))
            found.append(len(mailbox.list_ids("INBOX", NIGHT)))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 60
