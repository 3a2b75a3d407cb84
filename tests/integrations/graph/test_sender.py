"""Mail goes out through Graph as MIME: our Message-ID, our headers, and a copy in Sent Items to ask for."""

from email import message_from_bytes, policy

import pytest

from portal.core.errors import GatewayError
from portal.core.ports import OutgoingAttachment, OutgoingMessage
from portal.integrations.graph.sender import GraphSender
from tests.graph_simulator import ADDRESS
from tests.integrations.graph.conftest import connect

MESSAGE = OutgoingMessage(
    message_id="<nd.7.8.ab.cd@shop.example>",
    sender=ADDRESS,
    sender_name="Shop Help Desk",
    to=("dana@customer.example",),
    cc=("carol@customer.example",),
    subject="[#7] Büro brennt",
    text="Wir sehen nach.\n",
    html="<p>Wir sehen nach.</p>",
    in_reply_to="<one@customer.example>",
    references=("<zero@customer.example>", "<one@customer.example>"),
    attachments=(OutgoingAttachment("plan.pdf", "application/pdf", b"%PDF-1.4"),),
)


def refused(sender, message=MESSAGE):
    with pytest.raises(GatewayError) as caught:
        sender.send(message)
    return caught.value


def test_a_mail_keeps_its_id_and_its_headers(graph, sender):
    sender.send(MESSAGE)
    (raw,) = graph.outside
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Message-ID"] == MESSAGE.message_id
    assert (mail["In-Reply-To"], mail["References"]) == (MESSAGE.in_reply_to, " ".join(MESSAGE.references))
    assert mail["Auto-Submitted"] == "auto-replied" and mail["Precedence"] == "bulk"
    assert mail["Subject"] == MESSAGE.subject and mail["To"] == "dana@customer.example"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["plan.pdf"]
    assert sender.was_sent(MESSAGE.message_id) is True
    assert sender.was_sent("<other@shop.example>") is False


def test_no_mail_goes_over_a_connection_that_was_kept(graph, sender):
    sender.send(MESSAGE)
    assert sender._connection._account is None
    graph.fail(500, on="sendMail")
    refused(sender)
    assert sender._connection._account is None and sender.was_sent(MESSAGE.message_id)


def test_a_shared_mailbox_sends_as_itself_and_keeps_the_copy(graph):
    shared = graph.add_box("night@shop.example")
    sender = GraphSender(connect(graph, address="night@shop.example"))
    sender.send(OutgoingMessage(**{**vars(MESSAGE), "sender": "night@shop.example"}))
    assert sender.was_sent(MESSAGE.message_id) and not GraphSender(connect(graph)).was_sent(MESSAGE.message_id)
    assert [item.folder for item in shared.items.values()] == [shared.folder("sentitems")]


def test_the_account_can_be_tried_out(graph, sender):
    assert sender.check() == f"Signed in at Microsoft 365 as {ADDRESS}."
    graph.denied.add(ADDRESS)
    with pytest.raises(GatewayError) as caught:
        sender.check()
    assert caught.value.code == "login"


def test_a_lost_answer_may_hide_a_mail_that_went_out(graph):
    graph.fail("hang", on="sendMail")
    sender = GraphSender(connect(graph, timeout=0.3))
    error = refused(sender)
    assert (error.maybe_done, error.permanent) == (True, False)
    assert len(graph.outside) == 1 and sender.was_sent(MESSAGE.message_id) is True


@pytest.mark.parametrize(
    ("kind", "maybe_done"), [("reset", True), (500, True), (504, True), (429, False), (503, False)]
)
def test_a_fault_says_whether_the_mail_may_be_out_and_is_tried_once(graph, sender, kind, maybe_done):
    graph.fail(kind, on="sendMail", retry_after="9")
    error = refused(sender)
    assert (error.maybe_done, error.permanent) == (maybe_done, False)
    assert graph.outside == [] and sender.was_sent(MESSAGE.message_id) is False


@pytest.mark.parametrize(
    ("code", "status", "seen_as"), [("ErrorSendAsDenied", 403, "login"), ("ErrorInvalidRecipients", 400, None)]
)
def test_whose_trouble_a_refusal_is_can_be_told(graph, sender, code, status, seen_as):
    graph.fail(status, on="sendMail", code=code)
    error = refused(sender)
    assert (error.permanent, error.code) == (True, seen_as or code)


def test_an_address_that_is_none_is_no_ones_fault(sender):
    assert refused(sender, OutgoingMessage(**{**vars(MESSAGE), "to": ("no address",)})).code == "address"


def test_a_mail_is_only_out_when_graph_says_202(graph, sender):
    """To MIME over its limit it has been seen to answer 200 and to send nothing."""
    graph.fail("idle", on="sendMail")
    error = refused(sender)
    assert (error.permanent, error.maybe_done) == (False, True) and graph.outside == []


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_mail_follows_no_redirect(graph, sender, status):
    graph.fail(status, on="sendMail", location=f"{graph.base}/v1.0/users/{ADDRESS}/sendMail")
    assert not refused(sender).permanent
    assert graph.outside == [] and len(graph.asked("sendMail")) == 1
    graph.exchanges.clear()  # no answer of Microsoft's
