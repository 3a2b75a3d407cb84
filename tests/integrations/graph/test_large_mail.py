"""A mail that no request can hold goes as a draft, its files one by one after it: whole, once, or not at all."""

from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from portal.core.errors import GatewayError
from portal.core.ports import OutgoingAttachment
from portal.integrations.graph.connection import GraphSettings
from portal.integrations.graph.large_mail import MAX_FILES, PIECE, SECONDS, SESSION_FROM, is_microsofts, send_large
from portal.integrations.graph.sender import MAX_BYTES, GraphSender
from portal.services.mail_outbox import ACCOUNT_CODES, LEASE
from tests.integrations.graph.conftest import connect
from tests.integrations.graph.test_sender import MESSAGE, refused

BYTES = bytes(range(251)) * 48_000  # 12 MB in which a shifted piece shows
SMALL_PIECE = 320 * 1024
PHOTO = OutgoingAttachment("Büro brennt.jpg", "image/jpeg", BYTES[: 2 * SMALL_PIECE + 7])
PLAN = OutgoingAttachment("plan.pdf", "application/pdf", BYTES[9:200_009])
LARGE = replace(MESSAGE, attachments=(PLAN, PHOTO, *MESSAGE.attachments))
FULL = replace(LARGE, attachments=(replace(PLAN, data=BYTES[:2_000_000]), replace(PHOTO, data=BYTES[: 2 * PIECE + 7])))
DRAFT, FILE, SESSION = "POST /v1.0/users/help@shop.example/messages", "attachments", "createUploadSession"
PUT, SEND = "PUT /upload", "/send"
PARTS = [DRAFT, FILE, SESSION, PUT]


@pytest.fixture
def small(monkeypatch):
    """Every limit a tenth or so: the same way with fewer bytes."""
    monkeypatch.setattr("portal.integrations.graph.sender.MAX_BYTES", 500_000)
    monkeypatch.setattr("portal.integrations.graph.large_mail.SESSION_FROM", 400_000)
    monkeypatch.setattr("portal.integrations.graph.large_mail.PIECE", SMALL_PIECE)
    monkeypatch.setattr("tests.graph_drafts.MIN_SESSION", 400_000)


def drafts(graph):
    return [item for item in graph.box.items.values() if item.is_draft]


def files_of(raw):
    mail = message_from_bytes(raw, policy=policy.default)
    return [(part.get_filename(), part.get_content_type(), part.get_content()) for part in mail.iter_attachments()]


def assert_is_out(graph, sender, message=LARGE):
    """Once and whole, and nothing is left behind."""
    (raw,) = graph.outside
    assert files_of(raw) == [(one.filename, one.content_type, one.data) for one in message.attachments]
    assert drafts(graph) == [] and sender.was_sent(message.message_id) is True


def test_a_large_mail_is_whole_and_keeps_its_id_and_its_headers(graph, sender):
    sender.send(FULL)
    assert_is_out(graph, sender, FULL)
    mail = message_from_bytes(graph.outside[0], policy=policy.default)
    assert mail["Message-ID"] == LARGE.message_id and mail["Subject"] == LARGE.subject
    assert (mail["In-Reply-To"], mail["References"]) == (LARGE.in_reply_to, " ".join(LARGE.references))
    assert mail["Auto-Submitted"] == "auto-replied" and mail["To"] == "dana@customer.example"
    assert mail.get_body(("plain",)).get_content().strip() == LARGE.text.strip()
    assert graph.asked("sendMail") == [] and len(graph.asked(PUT)) == 3
    assert all("Authorization" not in one.headers for one in graph.asked(PUT))


@pytest.mark.parametrize("size", [MAX_BYTES - 200, SESSION_FROM - 1, SESSION_FROM, 2 * PIECE, 2 * PIECE + 1])
def test_a_file_of_any_size_finds_its_way(graph, sender, size):
    message = replace(MESSAGE, attachments=(replace(PHOTO, data=BYTES[:size]),))
    sender.send(message)
    assert_is_out(graph, sender, message)


def test_a_mail_that_is_a_file_stays_a_file(graph, sender):
    eml = OutgoingAttachment("was.eml", "message/rfc822", b"Subject: x\r\n\r\n" + BYTES[:3_500_000])
    sender.send(replace(MESSAGE, attachments=(eml,)))
    assert files_of(graph.outside[0]) == [("was.eml", "application/octet-stream", eml.data)]


def test_files_beyond_what_exchange_takes_are_not_even_tried(graph, sender):
    half = replace(PHOTO, data=b"x" * (MAX_FILES // 2 + 1))
    error = refused(sender, replace(MESSAGE, attachments=(half, half)))
    assert (error.permanent, error.code) == (True, "size") and "up to 25 MB of files" in error.message
    assert graph.exchanges == []


def test_a_text_that_no_request_holds_is_refused(graph, sender):
    error = refused(sender, replace(MESSAGE, text="x" * 70 + "\n" + "y" * MAX_BYTES))
    assert (error.permanent, error.code) == (True, "size") and graph.exchanges == []


def test_without_the_right_to_write_the_mail_fails_and_says_which_right(graph, sender, small):
    graph.may_write = False
    error = refused(sender, LARGE)
    assert error.permanent and error.code not in ACCOUNT_CODES  # this mail alone fails: the others still go
    assert "Mail.ReadWrite" in error.message and "smaller" in error.message
    assert graph.outside == [] and sender.was_sent(LARGE.message_id) is False
    sender.send(MESSAGE)
    assert len(graph.outside) == 1


@pytest.mark.parametrize("on", [DRAFT, FILE, SESSION, SEND])
def test_a_token_taken_back_on_the_way_is_renewed_once(graph, sender, on, small):
    graph.fail(401, on=on)
    sender.send(LARGE)
    assert_is_out(graph, sender)
    assert graph.faults == [] and graph.login.asked == ["client_credentials"] * 2


@pytest.mark.parametrize("on", PARTS)
@pytest.mark.parametrize(
    "kind", [429, "reset", "cut", 302, *(pytest.param(one, marks=pytest.mark.more) for one in (503, 500, "garbage"))]
)
def test_what_fails_before_the_end_is_not_sent_and_goes_whole_the_next_time(graph, sender, kind, on, small):
    graph.fail(kind, on=on, retry_after="9")
    error = refused(sender, LARGE)
    assert graph.faults == []
    assert (error.maybe_done, error.permanent) == (False, False)
    assert error.retry_after == (9 if kind in (429, 503, 500) else None)
    assert graph.outside == [] and sender.was_sent(LARGE.message_id) is False
    assert len(drafts(graph)) == (on == DRAFT and kind in ("cut", "garbage"))  # its id never reached us
    graph.box.items.clear()
    sender.send(LARGE)
    assert_is_out(graph, sender)
    if kind == 302:
        graph.exchanges.clear()  # no answer of Microsoft's


def test_a_waiting_time_in_the_middle_of_the_pieces_is_handed_on(graph, sender, small):
    graph.fail("none", on=PUT)
    graph.fail(429, on=PUT, retry_after="120")
    error = refused(sender, LARGE)
    assert (error.retry_after, error.maybe_done, error.code) == (120, False, "busy")
    assert len(graph.asked(PUT)) == 2 and drafts(graph) == [] and graph.outside == []
    sender.send(LARGE)
    assert_is_out(graph, sender)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 416])
def test_a_session_that_is_over_is_no_trouble_of_the_mail(graph, sender, status, small):
    graph.fail(status, on=PUT)
    error = refused(sender, LARGE)
    assert (error.permanent, error.code) == (False, "upload") and drafts(graph) == []


def test_a_server_that_loses_a_piece_gets_no_further_one(graph, sender, monkeypatch, small):
    monkeypatch.setattr("tests.graph_drafts.take_piece", lambda *a: {"nextExpectedRanges": ["0-"]})
    assert refused(sender, LARGE).code == "garbage" and len(graph.asked(PUT)) == 1 and drafts(graph) == []


def test_a_server_that_calls_a_file_whole_too_early_is_not_believed(graph, sender, monkeypatch, small):
    monkeypatch.setattr("tests.graph_drafts.take_piece", lambda *a: None)
    assert refused(sender, LARGE).code == "garbage" and graph.outside == []


@pytest.mark.parametrize(("kind", "retry_after"), [(429, 9), (503, 9)])
def test_a_waiting_time_at_the_end_is_handed_on_and_the_mail_goes_once(graph, sender, kind, retry_after, small):
    graph.fail(kind, on=SEND, retry_after="9")
    error = refused(sender, LARGE)
    assert (error.retry_after, error.maybe_done) == (retry_after, False)
    assert len(drafts(graph)) == 1  # had it gone after all, this id would be that of the copy in Sent Items
    assert graph.outside == [] and sender.was_sent(LARGE.message_id) is False
    sender.send(LARGE)
    assert len(graph.outside) == 1 and sender.was_sent(LARGE.message_id) is True


def test_a_lost_answer_at_the_end_may_hide_a_mail_that_went_out(graph, small):
    graph.fail("hang", on=SEND)
    sender = GraphSender(connect(graph, timeout=0.5))
    error = refused(sender, LARGE)
    assert (error.maybe_done, error.permanent) == (True, False)
    assert_is_out(graph, sender)
    assert graph.asked("DELETE") == []


@pytest.mark.parametrize("kind", ["reset", 500, "idle"])
def test_a_mail_that_may_be_out_keeps_its_draft(graph, sender, kind, small):
    graph.fail(kind, on=SEND)
    error = refused(sender, LARGE)
    assert (error.maybe_done, error.permanent) == (True, False) and graph.asked("DELETE") == []
    assert sender.was_sent(LARGE.message_id) is False  # a draft is no mail that went out


def test_a_refusal_at_the_end_is_the_accounts_or_the_mails(graph, sender, small):
    graph.fail(403, on=SEND, code="ErrorSendAsDenied")
    assert (refused(sender, LARGE).code, drafts(graph)) == ("login", [])
    graph.fail(413, on=SEND, code="ErrorMessageSizeExceeded")
    error = refused(sender, LARGE)
    assert (error.permanent, error.code, drafts(graph)) == (True, "ErrorMessageSizeExceeded", [])


@pytest.mark.parametrize("on", [FILE, SESSION, SEND])
@pytest.mark.parametrize("status", [404, 409, 412])
def test_a_draft_that_somebody_touches_is_begun_anew(graph, sender, on, status, small):
    graph.fail(status, on=on)
    error = refused(sender, LARGE)
    assert (error.permanent, error.maybe_done, error.code) == (False, False, "draft" if status == 404 else "busy")
    sender.send(LARGE)
    assert len(graph.outside) == 1 and sender.was_sent(LARGE.message_id) is True


def test_out_of_order_is_never_called_a_draft_that_is_gone(graph, sender, small):
    graph.fail(500, on=SEND, code="ErrorItemNotFound")
    assert refused(sender, LARGE).maybe_done


@pytest.mark.parametrize(("code", "seen_as"), [("ErrorQuotaExceeded", "login"), ("Other", "right")])
def test_only_a_missing_right_is_called_one(graph, sender, code, seen_as, small):
    graph.fail(403, on=DRAFT, code=code)
    assert refused(sender, LARGE).code == seen_as


def test_a_draft_that_cannot_be_deleted_stays_and_counts_for_nothing(graph, sender, small):
    graph.fail(503, on=SESSION)
    graph.fail(500, on="DELETE")
    assert refused(sender, LARGE).code == "busy"
    assert len(drafts(graph)) == 1 and sender.was_sent(LARGE.message_id) is False
    sender.send(LARGE)
    assert len(graph.outside) == 1


def test_the_mail_leaves_over_a_connection_of_its_own(graph, sender, small):
    closed = []
    connection = sender._connection
    close, connection.close = connection.close, lambda: (closed.append(len(graph.exchanges)), close())
    sender.send(LARGE)
    (end,) = [number for number, one in enumerate(graph.exchanges) if one.path.endswith("/send")]
    assert closed == [end, end + 1]


def test_another_message_id_is_not_sent(graph, sender, monkeypatch, small):
    """Nobody could tell then whether the mail went, and answers to it would begin a new ticket."""
    shown = lambda *a, **k: {"id": "AAkALgAAAA-000001_BAAA=", "internetMessageId": "<other@exchange>"}  # noqa: E731
    monkeypatch.setattr("tests.graph_simulator.shown", shown)
    error = refused(sender, LARGE)
    assert (error.permanent, error.code) == (True, "id") and graph.outside == [] and drafts(graph) == []


def test_a_line_too_slow_is_given_up_before_the_outbox_tries_again(graph, small):
    """Otherwise two processes would send the same mail."""
    clock = iter([0.0, 1.0, 2.0, 3.0, SECONDS + 1])
    connection, mime = connect(graph), f"From: help@shop.example\r\nMessage-ID: {LARGE.message_id}\r\n\r\nx".encode()
    with pytest.raises(GatewayError, match="within 90 seconds") as caught:
        send_large(connection, LARGE, mime, now=lambda: next(clock))
    assert not caught.value.permanent and len(graph.asked(PUT)) == 1 and drafts(graph) == []
    assert LEASE.total_seconds() >= SECONDS + 3 * GraphSettings("x").timeout


def test_a_password_of_this_computer_goes_nowhere(graph, sender, tmp_path, monkeypatch, small):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    sender.send(LARGE)
    assert all("Authorization" not in one.headers for one in graph.asked(PUT))


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_file_follows_no_redirect(graph, sender, status, small):
    graph.fail(status, on=PUT, location=f"{graph.base}/upload/0?authtoken=x")
    assert not refused(sender, LARGE).permanent and len(graph.asked(PUT)) == 1


def test_a_file_goes_to_no_stranger(graph, sender, small):
    graph.upload_place = graph.base.replace("127.0.0.1", "localhost")
    assert refused(sender, LARGE).code == "garbage"
    assert graph.asked("PUT") == [] and graph.outside == [] and drafts(graph) == []


OUTLOOK = "https://outlook.office.com/api/v2.0/x?authtoken=y"


@pytest.mark.parametrize(
    ("url", "cloud"),
    [
        (OUTLOOK, "global"),
        ("https://outlook.office365.com:443/x", "global"),
        ("https://graph.microsoft.com/x", "global"),
        ("https://outlook.office365.us/x", "us"),
        ("https://outlook-dod.office365.us/x", "us_dod"),
        ("https://partner.outlook.cn/x", "china"),
        ("https://microsoftgraph.chinacloudapi.cn/x", "china"),
    ],
)
def test_files_go_to_the_mail_servers_of_the_cloud(url, cloud):
    assert is_microsofts(url, GraphSettings("a@b.example", cloud))


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "http://outlook.office.com/x", "https://outlook.office.com:8443/x", "https://office.com.evil.example/x",
        "https://evil-office.com/x", "https://outlook.office.com@evil.example/x", "https://me@outlook.office.com/x",
        "https://evil.example\\.office.com/x", "https://evil.example#.office.com", "ftp://outlook.office.com/x",
        "https://[::1/x", "//outlook.office.com/x", "https://outlook.office365.us/x", "http://127.0.0.1/x",
    ],
)  # fmt: skip
def test_files_go_nowhere_else(url):
    assert not is_microsofts(url, GraphSettings("a@b.example"))


def test_in_another_cloud_the_global_servers_are_strangers():
    assert not is_microsofts(OUTLOOK, GraphSettings("a@b.example", "china"))
    assert is_microsofts(OUTLOOK, GraphSettings("a@b.example", url="https://proxy.shop.example"))
