"""The real O365 and msal packages against our own Microsoft 365, and both against the vendor's own description."""

from datetime import timedelta
from email import message_from_bytes

import pytest

from portal.core.errors import GatewayError
from portal.integrations.graph.cursor import read_cursor
from portal.integrations.graph.mailbox import GraphMailbox
from tests.graph_simulator import ADDRESS
from tests.graph_spec import hold
from tests.integrations.graph.conftest import connect
from tests.mails import mail_bytes

MINUTE = timedelta(minutes=1)


def mail(number: int) -> bytes:
    return mail_bytes(f"Body {number}.", message_id=f"<{number}@customer.example>", subject=f"Mail {number}")


def read_all(mailbox, cursor, folder="INBOX", **limits):
    """Everything up to the end, and the cursor there."""
    limits = {"limit": 50, "byte_limit": 10_000_000, "max_size": 40_000_000} | limits
    mails, has_more = [], True
    while has_more:
        batch = mailbox.fetch(folder, cursor, **limits)
        assert not batch.was_reset
        mails += batch.mails
        cursor, has_more = batch.cursor, batch.has_more
    return mails, cursor


def numbers(mails):
    return [int(one.raw.split(b"Subject: Mail ")[1].split()[0]) for one in mails]


@pytest.fixture
def begun(graph, mailbox):
    """The inbox, connected now: mail that comes from here on is new."""
    _, cursor = read_all(mailbox, mailbox.start("INBOX", None))
    graph.now += MINUTE
    return cursor


def test_a_new_mail_is_read_with_its_original_and_its_conversation(graph, mailbox, begun):
    item = graph.box.deliver(mail(1), at=graph.now, conversation="AAQk=")
    (got,), cursor = read_all(mailbox, begun)
    assert (got.raw, got.size, got.received_at, got.folder) == (mail(1), len(mail(1)), graph.now, "INBOX")
    assert (got.provider_id, got.conversation_id) == (item.id(immutable=True), "AAQk=")
    assert read_all(mailbox, cursor)[0] == []
    assert not item.is_read and all(one.method == "GET" for one in graph.asked("/v1.0/"))


def test_what_lies_there_is_left_alone_unless_asked_for(graph, mailbox):
    for number in range(3):
        graph.box.deliver(mail(number), at=graph.now - timedelta(days=10 - number))
    assert read_all(mailbox, mailbox.start("inbox", None))[0] == []
    since = mailbox.start("inbox", graph.now - timedelta(days=9))
    assert numbers(read_all(mailbox, since, "inbox")[0]) == [1, 2]
    assert mailbox.count("Inbox") == 3 and mailbox.find_sent() == "sentitems"


def test_from_now_on_is_told_by_what_lies_there_and_by_no_clock(graph, mailbox):
    """Transport takes seconds, and clocks differ: a mail may have been received before we came, and lie there after."""
    late = graph.now - timedelta(days=300)
    graph.box.deliver(mail(1), at=late - MINUTE)
    graph.box.deliver(mail(2), at=late)
    _, cursor = read_all(mailbox, mailbox.start("INBOX", None))
    graph.box.deliver(mail(3), at=late)
    graph.box.deliver(mail(4), at=late + MINUTE)
    assert numbers(read_all(mailbox, cursor)[0]) == [3, 4]
    _, empty = read_all(mailbox, mailbox.start("drafts", None), "drafts")
    graph.box.deliver(mail(5), at=late - 9 * MINUTE, folder="drafts")
    assert numbers(read_all(mailbox, empty, "drafts")[0]) == [5]


def test_every_request_asks_for_immutable_ids(graph, mailbox, begun):
    graph.box.deliver(mail(1), at=graph.now)
    read_all(mailbox, begun)
    assert all('IdType="ImmutableId"' in one.headers["Prefer"] for one in graph.asked("/v1.0/"))


@pytest.mark.parametrize("page_size", [1, 3, 50])
def test_pages_are_read_to_the_end(graph, mailbox, begun, page_size):
    graph.page_size = page_size
    for number in range(7):
        graph.box.deliver(mail(number), at=graph.now + number * MINUTE)
    mails, _ = read_all(mailbox, begun)
    assert sorted(numbers(mails)) == list(range(7))


def test_limits_cut_a_page_and_what_is_left_comes_next(graph, mailbox, begun):
    for number in range(7):
        graph.box.deliver(mail(number), at=graph.now + number * MINUTE)
    by_size = [mailbox.fetch("INBOX", begun, limit=50, byte_limit=1, max_size=9**9)]
    while by_size[-1].has_more:
        by_size.append(mailbox.fetch("INBOX", by_size[-1].cursor, limit=50, byte_limit=1, max_size=9**9))
    assert [numbers(batch.mails) for batch in by_size] == [[number] for number in range(7)]


def test_a_mail_over_the_limit_comes_with_its_header_only(graph, mailbox, begun):
    big = mail(1) + b"x" * 300_000
    graph.box.deliver(big, at=graph.now)
    graph.box.deliver(mail(2), at=graph.now + MINUTE)
    (large, small), _ = read_all(mailbox, begun, max_size=100_000)
    assert large.raw is None and large.size == len(big)
    assert large.header.startswith(b"From: ") or b"Subject: Mail 1" in large.header
    assert b"Body 1" not in large.header and small.raw == mail(2)


def test_a_mail_that_was_only_touched_is_the_same_mail(graph, mailbox, begun):
    item = graph.box.deliver(mail(1), at=graph.now)
    (first,), cursor = read_all(mailbox, begun)
    graph.box.touch(item)
    (again,), _ = read_all(mailbox, cursor)
    assert again == first


def test_an_old_mail_that_somebody_reads_now_stays_left_alone(graph, mailbox):
    """Graph tells of it although the filter does not fit."""
    old = graph.box.deliver(mail(1), at=graph.now - timedelta(days=400))
    _, cursor = read_all(mailbox, mailbox.start("INBOX", None))
    graph.box.touch(old)
    assert read_all(mailbox, cursor)[0] == []
    graph.box.delete(graph.box.deliver(mail(2), at=graph.now - timedelta(days=400)))
    graph.box.touch(old)
    graph.fail(404, on="messages/AAkALgAAAA")  # moved away just now
    assert read_all(mailbox, cursor)[0] == []


def test_a_folder_with_more_than_graph_filters_is_listed_whole(graph, mailbox, monkeypatch):
    monkeypatch.setattr("portal.integrations.graph.mailbox._MOST_FILTERED", 3)
    for number in range(6):
        graph.box.deliver(mail(number), at=graph.now + number * MINUTE)
    begin = mailbox.start("INBOX", graph.now + 2 * MINUTE)
    assert "filter" not in begin
    assert sorted(numbers(read_all(mailbox, begin)[0])) == [2, 3, 4, 5]


def test_a_mail_moved_away_and_back_keeps_its_id(graph, mailbox, begun):
    item = graph.box.deliver(mail(1), at=graph.now)
    (first,), cursor = read_all(mailbox, begun)
    graph.box.move(item, "junkemail")
    nothing, cursor = read_all(mailbox, cursor)
    graph.box.move(item, "inbox")
    (back,), _ = read_all(mailbox, cursor)
    assert nothing == [] and back == first


def test_a_mail_that_goes_between_listing_and_reading_is_passed_over(graph, mailbox, begun):
    going = graph.box.deliver(mail(1), at=graph.now)
    graph.box.deliver(mail(2), at=graph.now)
    listed = graph.box.find

    def find(item_id, *, immutable):
        graph.box.items.pop(going.number, None)
        return listed(item_id, immutable=immutable)

    graph.box.find = find
    assert numbers(read_all(mailbox, begun)[0]) == [2]


def test_drafts_are_no_mail(graph, mailbox, begun):
    graph.box.deliver(mail(1), at=graph.now).is_draft = True
    assert read_all(mailbox, begun)[0] == []
    assert mailbox.list_ids("INBOX", graph.now) == []


def test_a_page_that_comes_twice_changes_nothing(graph, mailbox, begun):
    graph.page_size = 2
    for number in range(4):
        graph.box.deliver(mail(number), at=graph.now)
    graph.fail("twice", on="messages/delta")
    mails, cursor = read_all(mailbox, begun)
    assert sorted({one.provider_id for one in mails}) == sorted(
        item.id(immutable=True) for item in graph.box.items.values()
    )
    assert read_all(mailbox, cursor)[0] == []


@pytest.mark.parametrize("code", ["SyncStateNotFound", "resyncRequired", "somethingNew"])
def test_a_forgotten_place_is_said_and_read_anew_with_the_same_ids(graph, mailbox, begun, code):
    graph.box.deliver(mail(1), at=graph.now)
    (first,), cursor = read_all(mailbox, begun)
    graph.fail(410, on="messages/delta", code=code)
    batch = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
    assert batch.was_reset and batch.mails == () and batch.cursor == ""
    again, _ = read_all(mailbox, mailbox.start("INBOX", graph.now - MINUTE))
    assert again == [first]


def test_a_cursor_of_another_kind_of_server_begins_anew(mailbox):
    assert mailbox.fetch("INBOX", "7:12", limit=1, byte_limit=1, max_size=1).was_reset
    assert read_cursor('{"link": 1}') is None and not mailbox.is_ahead("x", "7:12")


def test_the_original_that_cannot_be_given_comes_as_its_header(graph, mailbox, begun):
    graph.box.deliver(mail(1), at=graph.now)
    graph.fail(500, on="$value", code="ErrorMimeContentConversionFailed")
    ((got,), _) = read_all(mailbox, begun)
    assert got.raw is None and b"Subject: Mail 1\r\n" in got.header and got.header.endswith(b"\r\n\r\n")
    assert graph.asked("internetMessageHeaders")


def test_a_sealed_mail_that_has_no_original_is_built_anew_from_its_parts(graph, mailbox, begun):
    """https://github.com/LogicLabs-OU/OpenArchiver/issues/487: application access, opaque S/MIME."""
    sealed = (
        b"From: dana@customer.example\r\nMessage-ID: <7@customer.example>\r\nSubject: Mail 7\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CA\r\n"
    )
    graph.withheld[graph.box.deliver(sealed, at=graph.now).number] = (500, "ErrorMimeContentConversionFailed")
    (got,), _ = read_all(mailbox, begun)
    built, original = message_from_bytes(got.raw), message_from_bytes(sealed)
    assert dict(built) == dict(original) and built.get_payload(decode=True) == original.get_payload(decode=True)
    assert got.size == len(got.raw)
    (small,), _ = read_all(mailbox, begun, max_size=9)
    assert small.raw is None and b"Subject: Mail 7" in small.header


def test_the_reconcile_sees_ids_and_times_to_the_last_page(graph, mailbox):
    graph.page_size = 2
    for number in range(5):
        graph.box.deliver(mail(number), at=graph.now + number * MINUTE)
    listed = mailbox.list_ids("INBOX", graph.now + MINUTE)
    assert [at for _, at in listed] == [graph.now + number * MINUTE for number in range(1, 5)]
    one = mailbox.fetch_one("INBOX", listed[0][0])
    assert one is not None and one.provider_id == listed[0][0] and one.raw == mail(1)
    assert mailbox.fetch_one("sentitems", listed[0][0]) is None


def test_a_thousand_mails_are_listed_and_read_to_the_last(graph, mailbox, begun):
    for number in range(1010):
        graph.box.deliver(b"Subject: Mail %d\r\n\r\n" % number, at=graph.now + number * timedelta(seconds=1))
    listed = mailbox.list_ids("INBOX", graph.now)
    assert len(listed) == 1010 and len(graph.asked("orderby=receivedDateTime&")) < 10
    ids, cursor, has_more = set(), begun, True
    mailbox._read = lambda folder, entry, max_size: ids.add(entry["id"])  # their originals are another matter
    while has_more:
        batch = mailbox.fetch("INBOX", cursor, limit=50, byte_limit=9**9, max_size=9**9)
        cursor, has_more = batch.cursor, batch.has_more
        assert len(cursor) < 3000
    assert ids == {one for one, _ in listed}
    del graph.exchanges[20:]  # one page is like the other


def test_what_just_came_lies_ahead_and_what_was_passed_does_not(graph, mailbox):
    begin = mailbox.start("INBOX", None)
    assert mailbox.is_ahead("anything", begin)
    _, cursor = read_all(mailbox, begin)
    old = graph.box.deliver(mail(1), at=graph.now - timedelta(hours=1)).id(immutable=True)
    new = graph.box.deliver(mail(2), at=graph.now + MINUTE).id(immutable=True)
    assert not mailbox.is_ahead(new, cursor)  # nothing is known of its time yet
    mailbox.list_ids("INBOX", graph.now - timedelta(days=1))
    assert mailbox.is_ahead(new, cursor) and not mailbox.is_ahead(old, cursor)


def test_folders_are_found_by_the_names_people_see(graph, mailbox):
    support = graph.box.add_folder("Support", parent=graph.box.folder("inbox"))
    graph.box.add_folder("O'Brien & Söhne")
    graph.box.deliver(mail(1), at=graph.now, folder=support)
    assert mailbox.count("Inbox/Support") == 1 and mailbox.count("Sent Items") == 0
    assert mailbox.count("o'brien & söhne") == 0
    with pytest.raises(GatewayError, match="The folder Away does not exist") as caught:
        mailbox.start("Away", None)
    assert caught.value.permanent and caught.value.code == "folder"


def test_a_folder_that_disappears_is_named(graph, mailbox):
    place = graph.box.add_folder("Requests")
    cursor = mailbox.start("Requests", None)
    graph.box.remove_folder(place)
    for ask in (
        lambda: mailbox.fetch("Requests", cursor, limit=1, byte_limit=1, max_size=1),
        lambda: mailbox.count("Requests"),
        lambda: mailbox.fetch_one("Requests", "x"),
    ):
        with pytest.raises(GatewayError) as caught:
            ask()
        assert (caught.value.code, caught.value.permanent) == ("folder", True)


def test_a_shared_mailbox_is_read_by_its_address(graph):
    shared = graph.add_box("team+night@shop.example")
    shared.deliver(mail(1), at=graph.now)
    mailbox = GraphMailbox(connect(graph, address="Team+Night@shop.example"))
    assert numbers(read_all(mailbox, mailbox.start("INBOX", graph.now))[0]) == [1]
    assert ADDRESS not in "".join(one.path for one in graph.asked("/v1.0/"))


def test_every_exchange_is_held_against_the_vendors_document(graph, mailbox, begun):
    graph.box.deliver(mail(1), at=graph.now)
    read_all(mailbox, begun)
    assert hold(graph.exchanges) == len(graph.asked("/v1.0/")) > 3
