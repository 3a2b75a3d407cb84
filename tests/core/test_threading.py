import hashlib
import hmac

import pytest

from portal.core.mail import parse_mail
from portal.core.threading import (
    MailToken,
    ThreadEvidence,
    decide_thread,
    make_message_id,
    make_token,
    parent_ids,
    read_tokens,
    subject_numbers,
)
from tests.mails import mail_bytes


def mac(message: bytes) -> bytes:
    return hmac.new(b"key", message, hashlib.sha256).digest()


TOKEN = make_token(7, row_id=12, random=b"\x01\x02\x03\x04\x05", mac=mac)


def decide(raw: bytes, **evidence):
    return decide_thread(parse_mail(raw), evidence=ThreadEvidence(**evidence), mac=mac)


def test_the_token_is_the_message_id():
    assert TOKEN.startswith("nd.7.12.aebagbaf.") and len(TOKEN.rpartition(".")[2]) == 16
    assert make_message_id(TOKEN, domain="shop.example") == f"<{TOKEN}@shop.example>"


@pytest.mark.parametrize(
    "text", [f"<{TOKEN}@shop.example>", f"Ref: {TOKEN}", f"> Ref: {TOKEN.upper()}.", f"({TOKEN})", f"x\n{TOKEN}"]
)
def test_a_token_is_found_wherever_it_stands(text):
    assert read_tokens(text, mac=mac) == (MailToken(7, 12),)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN.replace("nd.7", "nd.8"),
        TOKEN.replace(".12.", ".13."),
        TOKEN[:-1],
        TOKEN + "a",
        TOKEN[:-1] + "!",
        "x" + TOKEN,
        "",
    ],
)
def test_a_forged_or_damaged_token_is_passed_over(text):
    assert read_tokens(text, mac=mac) == ()


def test_the_nearest_parent_decides():
    raw = mail_bytes(extra={"In-Reply-To": "<c@x>", "References": "<a@x> <b@x> <c@x>"})
    assert parent_ids(parse_mail(raw)) == ("<c@x>", "<b@x>", "<a@x>")
    assert decide(raw, known_ids={"<a@x>": 1, "<b@x>": 2}).ticket_id == 2


def test_a_known_parent_beats_a_token_and_a_subject():
    raw = mail_bytes(f"Ref: {TOKEN}", subject="Re: [#9] x", extra={"In-Reply-To": "<a@x>"})
    decision = decide(raw, known_ids={"<a@x>": 1}, participants={9: {"dana@customer.example"}})
    assert (decision.ticket_id, decision.reason) == (1, "answers <a@x>")


@pytest.mark.parametrize(
    ("text", "extra", "reason"),
    [
        (f"> Ref: {TOKEN}", {}, "carries our signed reference in its text"),
        ("hi", {"References": f"<{TOKEN}@other.example>"}, "carries our signed reference in its headers"),
    ],
)
def test_our_token_joins_also_when_the_id_is_unknown(text, extra, reason):
    decision = decide(mail_bytes(text, extra=extra))
    assert (decision.ticket_id, decision.reason) == (7, reason)


def test_a_number_in_the_subject_joins_only_from_somebody_in_the_ticket():
    raw = mail_bytes(subject="Re: [#1] and [#9] printer")
    assert subject_numbers("Re: [#1] and [#9] [#1] #3 [#0] [#x]") == (1, 9)
    known = decide(raw, participants={9: {"dana@customer.example"}})
    assert known.ticket_id == 9
    mallory = decide(
        mail_bytes(sender="mallory@evil.example", subject="[#9] printer"), participants={9: {"dana@customer.example"}}
    )
    assert (mallory.ticket_id, mallory.maybe) == (None, 9) and "takes no part" in mallory.reason
    nobody = decide(mail_bytes(sender="", subject="[#9]"), participants={9: {"dana@customer.example"}})
    assert nobody.ticket_id is None and nobody.maybe == 9


def test_a_subject_alone_never_joins():
    decision = decide(mail_bytes(subject="Re: Printer on fire"))
    assert decision.ticket_id is None and decision.maybe is None
    assert decide(mail_bytes(subject="[#77] gone")).maybe is None
