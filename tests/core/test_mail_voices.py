import pytest

from portal.core.mail import parse_mail
from portal.core.mail_voices import (
    ANSWER,
    ANSWERED,
    NOTE,
    REQUESTER,
    Writer,
    answer_text,
    begins_with_note,
    decide_voice,
    may_declare,
    returns_ours,
    shown_inline,
)
from portal.core.threading import ID, SUBJECT, TOKEN, UNSEEN, ThreadDecision
from tests.mails import mail_bytes

BOB = Writer(staff_id=2, staff_name="Bob")
JOINS = ThreadDecision(7, "answers <a@x>", strength=ID)
QUOTED = "On Fri, Dana wrote:\n> It burns.\n"


def voice(text="Please restart it.", *, subject="Re: Printer", thread=JOINS, writer=BOB):
    mail = parse_mail(mail_bytes(text, sender="Bob <bob@a.example>", subject=subject))
    return decide_voice(mail, thread=thread, writer=writer)


def test_a_requester_speaks_for_themselves():
    assert voice(writer=Writer(is_requester=True)).kind == REQUESTER


@pytest.mark.parametrize("strength", [ID, TOKEN])
def test_one_of_us_who_answers_a_mail_of_the_ticket_answers_the_requester(strength):
    found = voice(thread=ThreadDecision(7, "x", strength=strength))
    assert (found.kind, found.reason) == (ANSWER, "Bob answered by mail")


@pytest.mark.parametrize(
    ("text", "subject", "strength", "distrust", "why"),
    [
        ("x", "[#7]", SUBJECT, "", "anybody can write an address and a number"),
        ("x", "Re: x", UNSEEN, "", "does not answer a mail of the ticket"),
        ("x", "Re: x", TOKEN, "it fails the sender's own policy (dmarc=fail)", "forged"),
        ("NOTE: call them tomorrow", "Re: x", ID, "", "begins with NOTE"),
        ("see below", "WG: Printer", ID, "", "passes on a mail"),
        ("I am away", "Automatic reply: Printer", ID, "", "automatic answer"),
        (QUOTED, "Re: x", ID, "", "no words but quoted ones"),
    ],
)
def test_what_is_not_surely_an_answer_stays_inside(text, subject, strength, distrust, why):
    thread = ThreadDecision(7, "x", strength=strength)
    found = voice(text, subject=subject, thread=thread, writer=Writer(2, "Bob", distrust=distrust))
    assert found.kind == NOTE and why in found.reason and "Bob" in found.reason


def test_what_the_requester_got_directly_is_not_sent_again():
    assert voice(writer=Writer(2, "Bob", reaches_requester=True)).kind == ANSWERED


@pytest.mark.parametrize(("reaches", "kind"), [(True, ANSWERED), (False, NOTE)])
def test_mail_sent_by_hand_from_the_mailbox_is_our_answer_when_it_reaches_the_requester(reaches, kind):
    found = voice(writer=Writer(is_sent=True, reaches_requester=reaches))
    assert found.kind == kind and found.reason


@pytest.mark.parametrize(
    ("text", "yes"),
    [("NOTE x", True), ("*Note:* x", True), ("note", True), ("Notes are gone", False), ("x\nNOTE", False), ("", False)],
)
def test_a_note_begins_with_the_word(text, yes):
    assert begins_with_note(text) is yes


@pytest.mark.parametrize(
    "tail",
    [
        "\n\n" + QUOTED,
        "\n\n-- \nBob Builder\n+49 30 1234",
        "\n\nKind regards,\nBob Builder\nShop Ltd\n+49 30 1234",
        "\n\nMit freundlichen Grüßen\n\nBob Builder",
        "\n\nViele Grüße aus Berlin\nBob",
        "\n\nCordialement,\nBob",
        "\n\nSaludos,\nBob",
        "\n\nMet vriendelijke groet,\nBob",
        "\n\nCheers\nBob",
        "\n\nSent from my iPhone",
        "\n\nVon meinem iPhone gesendet",
        "\nBob <bob@a.example>, extension 12",
        "\n\nFrom: Dana <dana@customer.example>\nSent: Friday\nTo: Help\nSubject: Printer\n\nIt burns.",
        "\n\nOd: Dana <dana@customer.example>\nWysłano: piątek\nDo: Help\nTemat: Drukarka\n\nPali się.",
        "\n\nRef: nd.7.12.aebagbaf.abcdefghabcdefgh\n[#7] Printer\nhttps://inside.a.example/tickets/7",
    ],
)
def test_only_the_writers_own_words_leave_the_house(tail):
    said = "Please restart it.\n\nThen print a page."
    assert answer_text(said + tail, addresses=["bob@a.example"]) == said


def test_words_that_look_like_an_end_are_kept_at_the_beginning_and_before_long_text():
    assert answer_text("Cheers\nthat worked") == "Cheers\nthat worked"
    long = "Look at this:\nRegards\n" + "\n".join(f"line {n}" for n in range(20))
    assert answer_text(long) == long
    assert answer_text("Set\nHost: mail\nPort: 25\nUser: dana") == "Set\nHost: mail\nPort: 25\nUser: dana"
    assert answer_text("") == answer_text(QUOTED) == ""


def test_pictures_of_quotes_and_signatures_stay_inside():
    html = '<p><img src="cid:shot@x"></p><div class="gmail_quote"><img src="cid:logo@y"></div>'
    assert shown_inline(html) == {"shot@x"} and shown_inline("") == frozenset()
    assert shown_inline("<p><img src=cid:a></p>") == {"a"}


AWAY = "I am out of the office until Monday and answer then."


@pytest.mark.parametrize(
    ("said", "text", "kind"),
    [
        ((AWAY,), AWAY, ANSWER),  # a person may say it twice
        ((AWAY, AWAY.replace("Monday", "Friday")), AWAY, NOTE),
        ((AWAY, AWAY), "I have ordered a new toner, it comes with the next post.", ANSWER),
        (("Done.", "Done.", "Done."), "Done.", ANSWER),  # people say short words often
    ],
)
def test_what_one_of_us_says_by_mail_for_the_third_time_stays_inside(said, text, kind):
    found = voice(text, writer=Writer(staff_id=2, staff_name="Bob", said=said))
    assert found.kind == kind and (kind == ANSWER or "third time" in found.reason)


OURS = "Hello Dana,\n\nYour request has arrived.\nA reply with the word URGENT wakes somebody.\n\nRef: nd.1.2.x.y\n"


@pytest.mark.parametrize(
    ("text", "echoes"),
    [
        (OURS, True),
        (OURS.replace("\n", "\n  "), True),
        (f"---------- Forwarded message ---------\nFrom: Help <help@a.example>\nSubject: x\n\n{OURS}", True),
        (f"Begin forwarded message:\n\nVon: Help\nDatum: heute\n\n{OURS}", True),
        (f"URGENT\n\n{OURS}", False),
        (f"thanks\n{OURS}", False),
        (f"CLOSE\nFrom: Help\n{OURS}", False),
        (f"On Friday Help wrote:\n{OURS}", False),
        (f"PS: it still burns\n\n{OURS}", False),
        (f"-- for your file --\nit burns\n{OURS}", False),
        (f"---------- Forwarded message ---------\nFrom: Help <help@a.example>\n\nURGENT\n{OURS}", False),
        (f"{OURS}\nURGENT", False),
        ("URGENT", False),
        ("", False),
    ],
)
def test_our_own_mail_that_comes_back_is_known_and_one_word_added_makes_it_a_reply(text, echoes):
    assert returns_ours(text, OURS) is echoes
    assert not returns_ours(text, "")


@pytest.mark.parametrize(
    ("writer", "strength", "counts"),
    [
        (Writer(is_requester=True, is_colleague=True), SUBJECT, True),
        (Writer(is_requester=True, distrust="forged"), SUBJECT, False),
        (Writer(is_requester=True, distrust="forwarded"), TOKEN, True),  # had our mail in hand
        (Writer(is_colleague=True), ID, True),
        (Writer(is_colleague=True), SUBJECT, False),
        (Writer(is_colleague=True, distrust="forged"), ID, False),
        (Writer(), ID, False),
    ],
)
def test_the_word_urgent_counts_from_the_requester_and_their_colleagues(writer, strength, counts):
    assert may_declare(ThreadDecision(7, "x", strength=strength), writer) is counts


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Restart it.\n\nBob\n+49 30 123456", "Restart it."),
        ("Restart it.\n\nBest,\nBob\nMobile 0170 1\nbob.private@gmail.com", "Restart it."),
        ("Restart it.\nThanks!\n-- Bob Builder --\n0170 1", "Restart it."),
        ("Neu starten.\n\nVG Bob\nTel. 0170 1", "Neu starten."),
        ("Neu starten.\nDanke, Bob", "Neu starten."),
        ("Thanks,\nBob\n0170 1", "Thanks,"),
        ("Hi,\nThanks.\nPlease send the log.", "Hi,\nThanks.\nPlease send the log."),
        ("Ask one of us:\nBob\nCarol", "Ask one of us:\nBob\nCarol"),
        ("Bob\nis the name of the server.", "Bob\nis the name of the server."),
        ("It is done.\n\nBobby will call.", "It is done.\n\nBobby will call."),
        ("Before\n\nBob" + "\nnext" * 16, "Before\n\nBob" + "\nnext" * 16),  # too long for a signature
    ],
)
def test_the_writers_own_name_begins_a_signature(text, left):
    assert answer_text(text, names=("Bob Builder", "", "bob@a.example")) == left
