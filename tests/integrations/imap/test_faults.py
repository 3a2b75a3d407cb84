"""The adapter against a server that breaks off, hangs, trickles and lies."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from portal.core.errors import GatewayError
from portal.integrations.imap.adapter import ImapMailbox, ImapSettings
from tests.integrations.imap.scripted import ScriptedImap, scripted_imap
from tests.mails import mail_bytes

NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[ScriptedImap]:
    with scripted_imap() as server:
        server.mails = {uid: mail_bytes(f"mail {uid}") for uid in range(1, 6)}
        yield server


def settings(server, **changes) -> ImapSettings:
    values = {"host": "127.0.0.1", "port": server.port, "user": "help", "password": "secret", "security": "plain"}
    return ImapSettings(**{**values, "timeout": 5.0, **changes})


@pytest.fixture
def mailbox(server) -> Iterator[ImapMailbox]:
    adapter = ImapMailbox(settings(server))
    yield adapter
    adapter.close()


def fetch(mailbox, cursor="7:0", *, limit=50, max_size=10**6):
    return mailbox.fetch("INBOX", cursor, limit=limit, byte_limit=10**7, max_size=max_size)


def read_all(mailbox, cursor="7:0", *, tries=30):
    """Every mail, as the services read: after an error from the same place again."""
    found = []
    for _ in range(tries):
        try:
            batch = fetch(mailbox, cursor)
        except GatewayError:
            continue
        found += batch.mails
        cursor = batch.cursor
        if not batch.has_more:
            return found
    raise AssertionError(f"only {len(found)} mails after {tries} tries")


def test_a_server_that_hangs_up_after_each_command_is_read_to_the_end(server, mailbox):
    server.hang_up_after = {"SEARCH", "FETCH"}
    assert [mail.raw for mail in read_all(mailbox)] == list(server.mails.values())


def test_a_server_that_hangs_up_before_anything_can_be_asked_is_an_error_and_no_endless_loop(server, mailbox):
    server.hang_up_after = {"LOGIN"}
    with pytest.raises(GatewayError, match="broke off") as caught:
        fetch(mailbox)
    assert not caught.value.permanent and server.connections == 1


def test_what_was_read_before_a_break_is_kept(server, mailbox):
    server.mails = {uid: mail_bytes("x" * 1_500_000) for uid in (1, 2, 3)}
    fetched = []

    def die_at_the_second(command):
        if "BODY" in command:
            fetched.append(command)
            if len(fetched) in (2, 3):
                raise OSError

    server.answer = die_at_the_second
    first = fetch(mailbox, max_size=2 * 10**6)
    assert (len(first.mails), first.cursor, first.has_more) == (1, "7:1", True)
    assert [mail.provider_id for mail in read_all(mailbox, first.cursor)] == ["7:2", "7:3"]


@pytest.mark.parametrize("fault", ["poison", "refused"])
def test_a_mail_that_the_server_cannot_hand_over_comes_as_its_header_and_holds_up_no_other(server, mailbox, fault):
    getattr(server, fault).add(3)
    mails = read_all(mailbox)
    assert [mail.provider_id for mail in mails] == ["7:1", "7:2", "7:3", "7:4", "7:5"]
    assert [mail.raw is None for mail in mails] == [False, False, True, False, False]
    assert mails[2].header.startswith(b"From: Dana") and b"mail 3" not in mails[2].header


@pytest.mark.parametrize("is_dated", [True, False])
def test_a_mail_whose_size_the_server_cannot_say_is_read_and_holds_up_no_other(server, mailbox, is_dated):
    server.mails = {uid: mail_bytes(f"mail {uid}") for uid in range(1, 60)}
    server.sizeless = {7, 33}
    server.dateless = set() if is_dated else {7, 33}
    assert [mail.raw for mail in read_all(mailbox)] == list(server.mails.values())
    assert len(mailbox.list_ids("INBOX", NIGHT)) == 59, "the comparison sees them too"


def test_a_mail_that_cannot_be_had_at_all_is_passed_over_for_those_behind_it(server, mailbox):
    server.headless = {3}
    assert [mail.provider_id for mail in read_all(mailbox)] == ["7:1", "7:2", "7:4", "7:5"]
    with pytest.raises(GatewayError, match="cannot read this message"):
        mailbox.fetch_one("INBOX", "7:3")


def test_the_newest_mail_is_passed_over_only_when_another_one_came(server, mailbox):
    """Else reading would seem to go well, and the comparison would not look at what lies ahead."""
    server.headless = {5}
    for _ in range(20):
        with pytest.raises(GatewayError, match="cannot read this message"):
            fetch(mailbox, "7:4")
    server.mails[6] = mail_bytes("mail 6")
    assert [mail.provider_id for mail in fetch(mailbox, "7:4").mails] == ["7:6"]


def test_a_server_in_trouble_for_a_while_loses_nothing(server, mailbox):
    server.headless = set(server.mails)
    for _ in range(40):
        with pytest.raises(GatewayError):
            fetch(mailbox)
    server.headless = set()
    batch = fetch(mailbox, "7:0")
    missed = [f"7:{uid}" for uid in server.mails if f"7:{uid}" not in {mail.provider_id for mail in batch.mails}]
    assert batch.mails and all(mailbox.fetch_one("INBOX", one).raw for one in missed)


@pytest.mark.parametrize("fault", ["poison", "refused"])
def test_a_mail_asked_for_by_its_number_comes_at_least_by_its_header(server, mailbox, fault):
    getattr(server, fault).add(3)
    found = mailbox.fetch_one("INBOX", "7:3", max_size=10**6)
    assert found.raw is None and found.header.startswith(b"From: Dana")
    assert mailbox.fetch_one("INBOX", "7:2", max_size=10).raw is None
    assert mailbox.fetch_one("INBOX", "7:2", max_size=10**6).raw == server.mails[2]


def test_an_id_may_come_again_only_with_the_same_uidvalidity(mailbox):
    assert mailbox.is_reused("7:6", "7:5") and not mailbox.is_reused("7:5", "7:5")
    assert not mailbox.is_reused("8:6", "7:5") and not mailbox.is_reused("7:6~12", "7:5")


def test_answers_about_other_mails_than_those_asked_for_are_not_believed(server, mailbox):
    date = '"25-Dec-2025 02:10:00 +0000"'

    def lie(command):
        if "RFC822.SIZE" in command:
            lines = [f"* 9 FETCH (UID {uid} RFC822.SIZE 5 INTERNALDATE {date})\r\n" for uid in (1, 77)]
        elif "BODY" in command:
            lines = [f"* 9 FETCH (UID {uid} BODY[] {{5}}\r\nhello)\r\n" for uid in (77, 1)]
        else:
            return None
        return ("".join(lines) + "* 3 FETCH (FLAGS (\\Seen))\r\n* 9 EXPUNGE\r\n$TAG OK done\r\n").encode()

    server.answer = lie
    batch = fetch(mailbox, limit=1)
    assert [(mail.provider_id, mail.raw) for mail in batch.mails] == [("7:1", b"hello")]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"* SEARCH one two (MODSEQ 9)\r\n$TAG OK done\r\n",
        b"* SEARCH\r\n$TAG OK done\r\n",
        b"$TAG OK done\r\n",
    ],
)
def test_numbers_that_are_none_are_passed_over(server, mailbox, nonsense):
    server.answer = lambda command: nonsense if "SEARCH" in command else None
    assert fetch(mailbox).mails == ()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00\xff\xfe garbage\r\n",
        b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n",
        b"* 1 FETCH (UID 1 BODY[] {-5}\r\nhello)\r\n$TAG OK done\r\n",
        b"OTHER OK not your tag\r\n",
        b"$TAG BAD what\r\n",
        b"* BYE too many connections\r\n",
    ],
)
def test_garbage_is_an_error_and_the_next_try_begins_anew(server, mailbox, nonsense):
    server.answer = lambda command: nonsense if "BODY" in command else None
    server.hang_up_after = {"FETCH"} if nonsense.startswith((b"OTHER", b"\x00")) else set()
    with pytest.raises(GatewayError):
        fetch(mailbox, limit=1)
    server.answer, server.hang_up_after = lambda command: None, set()
    assert len(read_all(mailbox)) == 5


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("00-Jan-0000 00:00:00 +0000", 9999),  # to come, so it counts as the moment of listing
        ("nonsense", 9999),
        ("01-Jan-0001 00:00:00 +0000", 1970),
        ("31-Dec-9999 23:59:59 -1200", 9999),
        ("01-Jan-2099 00:00:00 +0000", 2099),
    ],
)
def test_a_date_that_cannot_be_read_or_believed_holds_up_nothing(server, mailbox, date, year):
    listed = f'* 1 FETCH (UID 1 RFC822.SIZE 5 INTERNALDATE "{date}")\r\n$TAG OK done\r\n'.encode()
    server.answer = lambda command: listed if "RFC822.SIZE" in command else None
    (mail,) = fetch(mailbox, limit=1).mails
    assert mail.received_at.year == year


def test_a_body_that_is_none_is_left_for_the_reconcile(server, mailbox):
    server.answer = lambda command: b"* 1 FETCH (UID 1 BODY[] NIL)\r\n$TAG OK done\r\n" if "BODY" in command else None
    batch = fetch(mailbox, limit=1)
    assert batch.mails == () and batch.cursor == "7:1"


def test_a_mail_larger_than_the_server_said_is_cut_to_its_header(server, mailbox):
    server.answer = lambda command: (
        b'* 1 FETCH (UID 1 RFC822.SIZE 9 INTERNALDATE "25-Dec-2025 02:10:00 +0000")\r\n$TAG OK done\r\n'
        if "RFC822.SIZE" in command
        else None
    )
    (mail,) = fetch(mailbox, limit=1, max_size=100).mails
    assert mail.raw is None and mail.size == len(server.mails[1]) and b"mail 1" not in mail.header


def test_a_folder_put_back_from_a_backup_begins_anew_though_its_number_is_the_same(server, mailbox):
    assert fetch(mailbox, "7:9").was_reset
    assert not fetch(mailbox, "7:5").was_reset


def test_a_changed_uidvalidity_in_the_middle_of_a_read_hands_on_nothing(server, mailbox):
    def renumber(command):
        if "SEARCH" in command and server.uidvalidity == 7:
            server.uidvalidity = 8
            raise OSError

    server.answer = renumber
    with pytest.raises(GatewayError, match="broke off"):
        fetch(mailbox)
    assert fetch(mailbox).was_reset


def test_a_silent_server_is_asked_once_and_not_twice(server):
    server.silent = True
    mailbox = ImapMailbox(settings(server, timeout=0.2))
    with pytest.raises(GatewayError, match="timed out"):
        fetch(mailbox)
    assert server.connections == 1


def test_a_server_that_trickles_is_cut_off_at_the_deadline():
    """It is never silent for as long as the time-out, and would hold its lane for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def trickle() -> None:
            client, _ = listener.accept()
            with client:
                try:
                    client.sendall(b"* OK ")
                    while True:
                        client.sendall(b"x")
                        time.sleep(0.02)  # the server's own pace, nothing is waited for
                except OSError:
                    return

        threading.Thread(target=trickle, daemon=True).start()
        port = listener.getsockname()[1]
        values = {"host": "127.0.0.1", "port": port, "user": "u", "security": "plain", "deadline": 0.3}
        began = time.monotonic()
        with pytest.raises(GatewayError, match="broke off"):
            ImapMailbox(ImapSettings(**values)).count("INBOX")
        assert time.monotonic() - began < 5


def test_closing_ends_a_call_that_hangs_in_another_thread(server):
    server.silent = True
    mailbox = ImapMailbox(settings(server, timeout=30.0))
    failed = threading.Event()

    def hang() -> None:
        try:
            mailbox.count("INBOX")
        except GatewayError:
            failed.set()

    thread = threading.Thread(target=hang, daemon=True)
    thread.start()
    give_up = time.monotonic() + 5
    while not failed.wait(0.01) and time.monotonic() < give_up:
        mailbox.close()
    assert failed.is_set()
    thread.join(5)


def test_signing_in_by_token_asks_for_it_at_each_connection(server):
    server.token, asked = "fresh", []
    mailbox = ImapMailbox(settings(server, access_token=lambda: asked.append(1) or "fresh", password=""))
    assert mailbox.count("INBOX") == 5 and mailbox.count("INBOX") == 5 and len(asked) == 1
    server.hang_up_after = {"EXAMINE"}
    mailbox.count("INBOX")
    mailbox.count("INBOX")
    assert len(asked) == 2
    mailbox.close()


def test_a_refused_token_is_permanent_and_never_in_the_message(server):
    server.token = "other"
    mailbox = ImapMailbox(settings(server, access_token=lambda: "hunter2"))
    with pytest.raises(GatewayError, match="refused the login") as caught:
        mailbox.count("INBOX")
    assert caught.value.permanent and caught.value.code == "login" and "hunter2" not in str(caught.value)


def test_what_keeps_a_token_from_being_had_is_said_without_asking_the_server(server):
    def revoked() -> str:
        raise GatewayError("Please sign in again.", permanent=True, code="login")

    with pytest.raises(GatewayError, match="sign in again"):
        ImapMailbox(settings(server, access_token=revoked)).count("INBOX")
    assert server.connections == 0


def test_a_password_with_other_letters_goes_as_utf_8(server):
    server.answer = lambda command: b"$TAG OK done\r\n" if command.startswith("AUTHENTICATE PLAIN") else None
    mailbox = ImapMailbox(settings(server, password="geheimnis-ü"))
    assert mailbox.count("INBOX") == 5 and "AUTHENTICATE PLAIN" in server.commands
    mailbox.close()


@pytest.mark.parametrize(
    ("answer", "is_permanent"),
    [
        (b"$TAG NO [AUTHENTICATIONFAILED] no\r\n", True),
        (b"$TAG NO [UNAVAILABLE] later\r\n", False),
        (b"$TAG NO Too many login attempts, try again later\r\n", False),
    ],
)
def test_a_login_that_fails_for_now_is_tried_again_soon(server, mailbox, answer, is_permanent):
    server.answer = lambda command: answer if command.startswith("LOGIN") else None
    with pytest.raises(GatewayError) as caught:
        fetch(mailbox)
    assert caught.value.permanent is is_permanent


def test_without_starttls_nothing_is_said(server):
    mailbox = ImapMailbox(settings(server, security="starttls"))
    with pytest.raises(GatewayError, match="offers no STARTTLS") as caught:
        fetch(mailbox)
    assert caught.value.permanent and not any("LOGIN" in command for command in server.commands)


def test_a_search_that_is_refused_is_an_error(server, mailbox):
    server.answer = lambda command: b"$TAG NO not today\r\n" if "SEARCH" in command else None
    with pytest.raises(GatewayError, match="refused: not today"):
        mailbox.list_ids("INBOX", NIGHT)


def test_no_folder_of_sent_mail_is_no_error(server, mailbox):
    assert mailbox.find_sent() == ""
