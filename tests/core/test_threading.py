import hashlib
import hmac

import pytest

from portal.core.mail import parse_mail
from portal.core.mail_domains import PUBLIC_DOMAINS
from portal.core.threading import (
    Circle,
    KnownId,
    MailToken,
    ThreadDecision,
    ThreadEvidence,
    decide_thread,
    follow_merges,
    is_answer,
    is_forward,
    make_message_id,
    make_token,
    parent_ids,
    read_tokens,
    subject_numbers,
)
from tests.mails import mail_bytes, multipart, part


def mac(message: bytes) -> bytes:
    return hmac.new(b"key", message, hashlib.sha256).digest()


TOKEN = make_token(7, row_id=12, random=b"\x01\x02\x03\x04\x05", mac=mac)
DANA, EVE, MALLORY = "dana@customer.example", "eve@customer.example", "mallory@evil.example"
OF_DANA = Circle(frozenset({DANA}), frozenset({"bob@a.example"}))


def decide(raw: bytes, **evidence) -> ThreadDecision:
    known = {key: one if isinstance(one, KnownId) else KnownId(one) for key, one in evidence.pop("known", {}).items()}
    return decide_thread(parse_mail(raw), evidence=ThreadEvidence(known=known, **evidence), mac=mac)


def test_the_token_is_the_message_id():
    assert TOKEN.startswith("nd.7.12.aebagbaf.") and len(TOKEN.rpartition(".")[2]) == 16
    assert make_message_id(TOKEN, domain="shop.example") == f"<{TOKEN}@shop.example>"


@pytest.mark.parametrize(
    "text",
    [
        f"<{TOKEN}@shop.example>",
        f"Ref: {TOKEN}",
        f"> Ref: {TOKEN.upper()}.",
        f"({TOKEN})",
        f"x\n{TOKEN}",
        f"> > Ref: {TOKEN[:20]}\n> > {TOKEN[20:]}\n> > next line",  # wrapped in a quote
        f"Ref: {TOKEN[:30]}=\r\n{TOKEN[30:]}",  # a soft break that nobody undid
        f"Ref: {TOKEN[:12]}\u200b{TOKEN[12:]}",
        f"| Ref: {TOKEN[:3]}\n|   {TOKEN[3:]}",
    ],
)
def test_a_token_is_found_wherever_it_stands_and_however_it_is_broken(text):
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
        f"{TOKEN[:20]}\n{TOKEN[20:-1]}!",
        "nd. and\nnothing else",
        "",
    ],
)
def test_a_forged_or_damaged_token_is_passed_over(text):
    assert read_tokens(text, mac=mac) == ()


def test_the_nearest_parent_decides_and_the_other_ticket_is_named():
    raw = mail_bytes(extra={"In-Reply-To": "<c@x>", "References": "<a@x> <b@x> <c@x>"})
    assert parent_ids(parse_mail(raw)) == ("<c@x>", "<b@x>", "<a@x>")
    decision = decide(raw, known={"<a@x>": 1, "<b@x>": 2})
    assert (decision.ticket_id, decision.also, decision.is_proof) == (2, (1,), True)


def test_a_known_parent_beats_everything_else():
    raw = mail_bytes(f"Ref: {TOKEN}", subject="Re: [#9] x", extra={"In-Reply-To": "<a@x>"})
    decision = decide(raw, known={"<a@x>": 1}, circles={9: OF_DANA, 5: OF_DANA}, conversation=(5,))
    assert (decision.ticket_id, decision.reason) == (1, "answers <a@x>")


@pytest.mark.parametrize(
    ("text", "extra", "reason"),
    [
        (f"> Ref: {TOKEN}", {}, "carries our signed reference in its text"),
        ("hi", {"References": f"<{TOKEN}@other.example>"}, "carries our signed reference in its headers"),
        ("hi", {"In-Reply-To": f"<{TOKEN.upper()}@SHOP.EXAMPLE>"}, "carries our signed reference in its headers"),
    ],
)
def test_our_token_joins_also_when_the_id_is_unknown(text, extra, reason):
    decision = decide(mail_bytes(text, extra=extra), circles={9: OF_DANA}, conversation=(9,))
    assert (decision.ticket_id, decision.reason, decision.is_proof) == (7, reason, True)


def test_a_token_in_html_is_found_between_tags():
    html = f"<p>hi</p><blockquote>Ref: {TOKEN[:8]}<wbr>{TOKEN[8:]}</blockquote>".encode()
    raw = multipart([part("text/plain", b"hi"), part("text/html", html)], kind="alternative")
    assert decide(raw).ticket_id == 7


@pytest.mark.parametrize(
    ("sender", "to", "joins"),
    [
        (f"Dana <{DANA}>", "help@shop.example", True),
        (f"Eve <{EVE}>", "help@shop.example", True),  # works where Dana does
        (MALLORY, "help@shop.example", False),
        (MALLORY, f"Dana <{DANA}>", True),  # Dana got it too
    ],
)
def test_an_answer_to_what_nobody_saw_joins_its_sibling_only_among_the_same_customer(sender, to, joins):
    raw = mail_bytes(sender=sender, to=to, extra={"References": "<newsletter@vendor.example>"})
    decision = decide(raw, known={"<newsletter@vendor.example>": KnownId(3, is_seen=False)}, circles={3: OF_DANA})
    assert decision.ticket_id == (3 if joins else None) and decision.maybe == (None if joins else 3)
    assert not decision.is_proof and decision.reason


def test_two_users_of_a_public_provider_are_strangers():
    circle = Circle(frozenset({"dana@gmail.com"}))
    assert "gmail.com" in PUBLIC_DOMAINS
    assert circle.is_near(["dana@gmail.com"]) and not circle.is_near(["mallory@gmail.com"])
    assert OF_DANA.is_near([EVE]) and OF_DANA.holds(["bob@a.example"]) and not OF_DANA.is_near(["x@a.example"])


def test_a_parent_that_comes_after_its_answers_joins_them():
    raw = mail_bytes(message_id="<late@customer.example>")
    evidence = {"<late@customer.example>": KnownId(3, is_seen=False)}
    decision = decide(raw, known=evidence, circles={3: OF_DANA})
    assert (decision.ticket_id, decision.reason) == (3, "a mail that came before it answers it")
    stranger = decide(raw.replace(b"dana@customer.example", b"mallory@evil.example"), known=evidence)
    assert (stranger.ticket_id, stranger.maybe) == (None, 3)


def test_a_late_mail_between_two_tickets_joins_the_one_it_answers_and_names_the_other():
    raw = mail_bytes(message_id="<late@c>", extra={"In-Reply-To": "<first@c>"})
    decision = decide(raw, known={"<first@c>": 1, "<late@c>": KnownId(2, is_seen=False)}, circles={2: OF_DANA})
    assert (decision.ticket_id, decision.also) == (1, (2,))


@pytest.mark.parametrize(
    ("sender", "subject", "distrust", "ticket_id", "maybe"),
    [
        (DANA, "Printer", "", 4, None),
        (EVE, "Re: Printer", "", 4, None),
        (EVE, "Printer", "", None, 4),  # Exchange puts equal subjects together
        (MALLORY, "Re: Printer", "", None, 4),
        (DANA, "Re: Printer", "it may be forged", None, 4),
    ],
)
def test_a_conversation_id_joins_only_the_same_customer(sender, subject, distrust, ticket_id, maybe):
    raw = mail_bytes(sender=sender, subject=subject)
    decision = decide(raw, circles={4: OF_DANA}, conversation=(4,), distrust=distrust)
    assert (decision.ticket_id, decision.maybe) == (ticket_id, maybe)


@pytest.mark.parametrize(
    ("subject", "prefix", "found"),
    [
        ("Re: [#1] and [#9] [#1] [#0] [#x]", "#", {1: True, 9: True}),
        ("[ND-12] printer", "ND-", {12: True}),
        ("AW: nd-12", "ND-", {12: True}),
        ("[#12] by the old prefix", "ND-", {12: True}),
        ("Printer #7 is broken", "#", {7: False}),
        ("Re: #7 Printer", "#", {7: True}),
        ("your ticket #7", "#", {7: True}),
        ("[# 7]", "#", {7: True}),
        ("#7", "", {7: True}),
        ("room 7, version 1.2, C#7, a/#7, #7.1, #7-3, &#39;", "#", {}),
        ("", "#", {}),
    ],
)
def test_numbers_in_a_subject(subject, prefix, found):
    assert subject_numbers(subject, prefix=prefix) == found


@pytest.mark.parametrize(
    ("sender", "subject", "distrust", "ticket_id", "maybe"),
    [
        (f"DANA <{DANA.upper()}>", "Re: [#9] printer", "", 9, None),
        (DANA, "new: printer #9 burns", "", None, 9),  # perhaps the ninth printer
        (DANA, "Re: printer #9 burns", "", 9, None),
        ("bob@a.example", "[#9]", "", 9, None),
        (MALLORY, "[#9] printer", "", None, 9),
        (MALLORY, "printer #9 burns", "", None, None),
        (DANA, "[#9] printer", "its server may not send", None, 9),
        ("", "[#9]", "", None, 9),
        (DANA, "[#77] gone", "", None, None),
        (DANA, "Re: Printer on fire", "", None, None),
    ],
)
def test_a_number_joins_only_from_somebody_in_the_ticket(sender, subject, distrust, ticket_id, maybe):
    decision = decide(mail_bytes(sender=sender, subject=subject), circles={9: OF_DANA}, distrust=distrust)
    assert (decision.ticket_id, decision.maybe, decision.is_proof) == (ticket_id, maybe, False)
    assert not maybe or f"#{maybe}" in decision.reason


def test_for_mail_sent_by_hand_its_receivers_count():
    raw = mail_bytes(sender="help@shop.example", to=f"Dana <{DANA}>", subject="[#9] try again")
    assert decide(raw, circles={9: OF_DANA}, is_sent=True).ticket_id == 9
    assert decide(raw, circles={9: OF_DANA}).ticket_id is None


@pytest.mark.parametrize(
    ("merged", "start", "end"),
    [
        ({}, 1, 1),
        ({1: None}, 1, 1),
        ({1: 2, 2: 3, 3: None}, 1, 3),
        ({1: 2, 2: 1}, 1, 1),
        ({1: 2, 2: 1}, 2, 1),
        ({5: 2, 2: 3, 3: 2}, 5, 2),
        ({4: 4}, 4, 4),
    ],
)
def test_merges_are_followed_over_chains_and_out_of_rings(merged, start, end):
    assert follow_merges(start, merged=merged) == end


@pytest.mark.parametrize(
    ("subject", "answers", "forwards"),
    [
        ("Re: x", True, False),
        ("AW: x", True, False),
        ("WG: x", False, True),
        ("Fwd: x", False, True),
        ("Rex", False, False),
    ],
)
def test_answers_and_forwards_are_known_by_their_subject(subject, answers, forwards):
    mail = parse_mail(mail_bytes(subject=subject))
    assert (is_answer(mail), is_forward(mail)) == (answers, forwards)
    assert is_answer(parse_mail(mail_bytes(extra={"References": "<a@x>"})))


@pytest.mark.parametrize(
    ("sender", "subject", "distrust", "why"),
    [
        (MALLORY, "[#4] x", "", "names #4 in the subject, but its sender takes no part in that ticket"),
        (DANA, "[#4] x", "it may be forged", "names #4 in the subject, but it may be forged"),
        (DANA, "printer #4 burns", "", "names #4 in the subject, but may mean something else by it"),
    ],
)
def test_weak_evidence_says_what_is_against_it(sender, subject, distrust, why):
    assert why in decide(mail_bytes(sender=sender, subject=subject), circles={4: OF_DANA}, distrust=distrust).reason


@pytest.mark.parametrize(
    ("sender", "distrust", "why"), [(MALLORY, "", "comes from somebody else"), (DANA, "it may be forged", "forged")]
)
def test_a_conversation_that_is_not_followed_says_why(sender, distrust, why):
    raw = mail_bytes(sender=sender, subject="Re: x")
    assert why in decide(raw, circles={4: OF_DANA}, conversation=(4,), distrust=distrust).reason
