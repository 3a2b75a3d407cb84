"""What comes back from a phone at three in the morning, and what it does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.answers import (
    MAX_HELPS,
    Answer,
    Effect,
    Kind,
    LastAct,
    PersonPage,
    Sender,
    decide_answer,
    next_code,
    parse_answer,
)
from portal.core.sms_words import OpenItem

NOW = datetime(2026, 12, 25, 2, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A", None),
        ("a", None),
        (" a. ", None),
        ("'a'", None),
        ("“A”", None),
        ("Ａ", None),
        ("ack", None),
        ("1A", 1),
        ("1 A", 1),
        ("1a!", 1),
        ("1-A", 1),
        ("1)A", 1),
        ("(1) A", 1),
        ("#1 a", 1),
        ("“1 A”", 1),
        ("A1", 1),
        ("A 1", 1),
        ("Ack 2", 2),
        ("12a", 12),
        ("A #1234", 1234),
        ("#1234 A", 1234),
        ("a\n> P1 #1234 Dana", None),
    ],
)
def test_acknowledging_is_understood_in_any_spelling(text, code):
    assert parse_answer(text) == Answer(Kind.TAKE, code)


@pytest.mark.parametrize(
    ("text", "code", "note"),
    [
        ("A, on my way", None, "on my way"),
        ("A on my way", None, "on my way"),
        ("A ok", None, "ok"),
        ("1A\nthanks", 1, "thanks"),
        ("A\nSent from my phone", None, "Sent from my phone"),
        ("1 a will call her", 1, "will call her"),
    ],
)
def test_words_after_an_acknowledgement_are_kept(text, code, note):
    assert parse_answer(text) == Answer(Kind.TAKE, code, note=note)


@pytest.mark.parametrize("text", ["a long story", "A1C", "take it easy", "ack the printer"])
def test_words_that_only_begin_like_an_acknowledgement_silence_nothing(text):
    assert parse_answer(text).kind is Kind.CHATTY


@pytest.mark.parametrize(
    ("text", "code", "minutes", "note"),
    [
        ("C", None, None, ""),
        ("done", None, None, ""),
        ("1C", 1, None, ""),
        ("1 done", 1, None, ""),
        ("C 2", 2, None, ""),
        ("1 C 25m replaced the cable", 1, 25, "replaced the cable"),
        ("1C25m", 1, 25, ""),
        ("C 25 min swapped", None, 25, "swapped"),
        ("1 C 90 minutes: reboot", 1, 90, "reboot"),
        ("1 C 25' x", 1, 25, "x"),
        ("C 1h30 words", None, 90, "words"),
        ("1 C 1h 5m words", 1, 65, "words"),
        ("C 1h", None, 60, ""),
        ("1 C 25", 1, 25, ""),
        ("C 2 25m words", 2, 25, "words"),
        ("1 C 2 cables replaced", 1, None, "2 cables replaced"),
        ("c fixed it", None, None, "fixed it"),
        ("“1C: fixed”", 1, None, "fixed"),
        ("done, was the cable", None, None, "was the cable"),
    ],
)
def test_closing_carries_minutes_and_words(text, code, minutes, note):
    assert parse_answer(text) == Answer(Kind.CLOSE, code, minutes, note)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("UNDO", Kind.UNDO),
        ("undo!", Kind.UNDO),
        ("HELP", Kind.HELP),
        ("?", Kind.HELP),
        ("info", Kind.HELP),
        ("ok", Kind.CHATTY),
        ("OK!", Kind.CHATTY),
        ("Yes", Kind.CHATTY),
        ("on my way", Kind.CHATTY),
        ("I'm on it", Kind.CHATTY),
        ("👍🏽", Kind.CHATTY),
        ("Liked “P1 #12: printer”", Kind.CHATTY),
        ("Stop", Kind.STOP),
        ("STOP.", Kind.STOP),
        ("unsubscribe", Kind.STOP),
        ("start", Kind.START),
        ("Unstop", Kind.START),
        ("stop it", Kind.UNKNOWN),
        ("done for tonight", Kind.UNKNOWN),
        ("yesterday", Kind.UNKNOWN),
        ("Alice has it", Kind.UNKNOWN),
        ("1 E", Kind.UNKNOWN),
        ("what?", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
        ("> 1A", Kind.UNKNOWN),
    ],
)
def test_every_other_text_has_its_kind(text, kind):
    assert parse_answer(text).kind is kind


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    answer = parse_answer(text)
    assert answer.kind in Kind


@pytest.mark.parametrize(("used", "code"), [([], 1), ([1, 2], 3), ([2, 3], 1), ([1, 3, 3], 2)])
def test_a_short_code_is_the_smallest_free_one(used, code):
    assert next_code(used) == code


def page(code=1, ticket=1234, **changes):
    return PersonPage(
        page_id=ticket * 10, item=OpenItem(code, f"#{ticket}", "Server down"), ticket_id=ticket, **changes
    )


def mine(code=1, ticket=1234):
    return page(code, ticket, state="acknowledged", holder="Bob", since="02:12", is_mine=True)


def carols(code=1, ticket=1234):
    return page(code, ticket, state="acknowledged", holder="Carol", since="02:12")


def decide(text, *pages, now=NOW, **changes):
    return decide_answer(parse_answer(text), Sender(pages=pages, **changes), now=now)


def test_a_bare_a_takes_the_only_open_page():
    plan = decide("a", page())
    assert (plan.effect, plan.page) == (Effect.TAKE, page())
    assert plan.reply.startswith("You have #1234.")


def test_a_bare_a_with_several_open_pages_asks_which():
    plan = decide("a", page(1, 1234), page(2, 1240))
    assert plan.effect is Effect.NONE
    assert plan.reply == "Which one? 1A = #1234 Server down; 2A = #1240 Server down"


@pytest.mark.parametrize(("text", "ticket"), [("2A", 1240), ("1A", 1234), ("#1240 A", 1240)])
def test_a_code_or_a_ticket_number_says_which(text, ticket):
    plan = decide(text, page(1, 1234), page(2, 1240))
    assert (plan.effect, plan.page.ticket_id) == (Effect.TAKE, ticket)


def test_a_page_that_ran_out_of_steps_can_still_be_taken():
    assert decide("a", page(state="expired")).effect is Effect.TAKE


def test_too_late_is_told_who_has_it():
    for text in ("a", "1a"):
        plan = decide(text, carols())
        assert plan.effect is Effect.NONE
        assert plan.reply == "Carol has #1234 since 02:12. You need not do anything"


def test_a_second_a_changes_nothing():
    assert decide("1a", mine()).reply.startswith("You already have #1234.")
    assert decide("a", mine()).effect is Effect.NONE


def test_a_closed_page_is_said_to_be_closed():
    closed = page(state="resolved")
    for text in ("a", "1a", "c", "1c", "#1234 c"):
        plan = decide(text, closed)
        assert (plan.effect, plan.reply) == (Effect.NONE, "#1234 is already closed. You need not do anything")


def test_a_reused_code_means_the_live_page():
    plan = decide("1a", page(1, 1000, state="resolved"), page(1, 1234))
    assert plan.page.ticket_id == 1234


def test_a_reused_code_of_two_closed_pages_means_the_later_one_but_a_ticket_number_wins():
    older, newer = page(1, 1000, state="resolved"), page(1, 1001, state="resolved")
    assert decide("1a", older, newer).page == newer
    assert decide("1000 a", page(1, 1000, state="resolved"), page(1000, 7, state="resolved")).page.ticket_id == 1000


def test_an_unknown_code_lists_what_is_open():
    assert decide("7a", page()).reply == "No page has the code 7. Open: 1A = #1234 Server down"
    assert decide("7c").reply == "No page has the code 7. None is open for you"


def test_a_letter_without_any_page_is_answered():
    assert decide("a").reply == decide("c").reply == "No page is open for you"


def test_c_closes_the_page_i_have_with_minutes_and_words():
    plan = decide("C 25m replaced cable", mine(), page(2, 1240))
    assert (plan.effect, plan.page, plan.minutes, plan.note) == (Effect.CLOSE, mine(), 25, "replaced cable")
    assert plan.reply == "#1234 is resolved with 25 minutes. UNDO within 10 minutes takes it back"


def test_c_closes_an_open_page_when_it_is_the_only_one():
    assert decide("c", page()).effect is Effect.CLOSE
    assert decide("2c", page(), page(2, 1240)).page.ticket_id == 1240


def test_c_with_several_of_mine_asks_which():
    assert decide("c", mine(), mine(2, 1240)).reply.startswith("Which one? 1C = #1234")


def test_c_on_somebody_elses_page_is_refused():
    plan = decide("1c", carols())
    assert plan.effect is Effect.NONE
    assert plan.reply == "Carol has #1234 since 02:12, so only Carol can close it by text"


def test_a_test_page_thanks():
    for text, effect in (("a", Effect.TAKE), ("c", Effect.CLOSE)):
        plan = decide(text, page(is_test=True))
        assert (plan.effect, plan.reply) == (effect, "Thank you. Pages reach you, and your answers reach us")


@pytest.mark.parametrize(
    ("kind", "effect", "reply"),
    [
        (Kind.TAKE, Effect.UNDO_TAKE, "You gave #1234 back."),
        (Kind.CLOSE, Effect.UNDO_CLOSE, "#1234 is open again and yours."),
    ],
)
def test_undo_takes_back_the_last_answer_for_ten_minutes(kind, effect, reply):
    act = LastAct(kind, mine(), NOW - timedelta(minutes=10))
    plan = decide("undo", mine(), last_act=act)
    assert plan.effect is effect
    assert plan.reply.startswith(reply)
    late = decide("undo", mine(), last_act=act, now=NOW + timedelta(seconds=1))
    assert (late.effect, late.reply) == (Effect.NONE, "Too late to undo: that was over 10 minutes ago")


def test_undo_without_an_answer_before_it_says_so():
    assert decide("undo", page()).reply == "There is nothing to undo"


def test_friendly_words_get_a_hint_and_are_kept_as_a_note():
    plan = decide("on my way", page())
    assert (plan.effect, plan.page, plan.note) == (Effect.NOTE, page(), "on my way")
    assert plan.reply == "Noted. Reply 1A to take #1234"


def test_friendly_words_with_several_open_pages_ask_which():
    plan = decide("ok", page(), page(2, 1240))
    assert (plan.effect, plan.reply[:9]) == (Effect.NONE, "Which one")


def test_friendly_words_about_a_page_i_have_are_noted():
    assert (decide("ok", mine()).effect, decide("ok", mine()).reply) == (Effect.NOTE, "Noted on #1234")


def test_thanks_after_everything_gets_no_answer():
    assert decide("thanks", page(state="resolved")) == replace(decide("thanks"), note="thanks")
    assert decide("thanks").reply == ""


def test_words_nobody_understands_get_help():
    plan = decide("what?", page(), page(2, 1000, state="resolved"))
    assert plan.is_help
    assert plan.reply.startswith("Sorry, that was not understood.")
    assert plan.reply.endswith("Open: 1 = #1234 Server down")
    assert decide("help").reply.startswith("A or 1A takes a page.")


def test_a_phone_that_answers_by_itself_starts_no_ping_pong():
    assert decide("I am driving", helps=MAX_HELPS - 1).reply
    assert decide("I am driving", helps=MAX_HELPS).reply == ""


def test_stop_is_obeyed_in_silence_and_start_is_welcomed():
    assert decide("stop", page()) == decide("stop")
    assert (decide("stop").effect, decide("stop").reply) == (Effect.STOP, "")
    assert decide("start").effect is Effect.START
    assert decide("start").reply == "You get pages again. STOP ends them"


def test_yes_means_start_only_after_a_stop():
    assert decide("Yes", page(), is_stopped=True).effect is Effect.START
    assert decide("Yes", page()).effect is Effect.NOTE
