"""Machines that answer us are known by what they do; people are left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.core.breaker import (
    ADDRESS,
    DOMAIN,
    LIMITS,
    QUICK,
    SLOW,
    THREAD,
    TOTAL,
    WORDS,
    Counts,
    Earlier,
    Said,
    base_address,
    decide_breaker,
    find_sign,
    fingerprint,
    is_alike,
)

NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
AWAY = "Thank you for your mail. I am out until Monday, 23 November and answer then. Your message has number 4711."
AWAY_LATER = AWAY.replace("Monday, 23 November", "Tuesday, 1 December").replace("4711", "4712")


def before(minutes: float = 5, said: Said | None = None, *, same: bool = True) -> Earlier:
    return Earlier(NOW - timedelta(minutes=minutes), same, said or Said("Absent", AWAY))


def sign(said: Said, *earlier: Earlier) -> str:
    return find_sign(said, at=NOW, earlier=earlier)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0.5, QUICK), (60, QUICK), (61, SLOW), (60 * 24 * 20, SLOW), (-4, QUICK), (-6, SLOW)]
)
def test_the_same_words_again_are_a_sign_quick_within_the_hour(minutes: float, expected: str) -> None:
    assert sign(Said("Gone fishing", AWAY_LATER), before(minutes)) == expected


def test_other_words_are_none() -> None:
    assert sign(Said("Printer", "The printer on floor 2 is jammed again."), before()) == ""


def test_without_an_earlier_mail_of_ours_nothing_is_an_answer() -> None:
    assert sign(Said("Automatic reply: hello", AWAY)) == ""


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: [#7] Printer", "Auto: Printer", "Out of office", "Re: Out of the office", "Autoreply: x",
        "Abwesenheitsnotiz: Drucker", "AW: Automatische Antwort: x", "Réponse automatique : x",
        "Respuesta automática: x", "Automatisch antwoord: x", "Undeliverable: x", "Undelivered Mail Returned to Sender",
        "Mail delivery failed: returning message", "Delivery Status Notification (Failure)", "[EXT] Unzustellbar: x",
        "failure notice", "Delivery has failed to these recipients",
    ],
)  # fmt: skip
def test_a_subject_that_says_it_is_a_machines_is_a_sign(subject: str) -> None:
    assert sign(Said(subject, "completely different words each time"), before()) == QUICK


@pytest.mark.parametrize("subject", ["Automatic door is broken", "Office printer", "Delivery of laptops", "Authority"])
def test_a_subject_that_only_sounds_like_it_is_none(subject: str) -> None:
    assert sign(Said(subject, "completely different words each time"), before()) == ""


@pytest.mark.parametrize(
    "body",
    [
        "I'm on vacation and read no mail.", "Ich bin bis Freitag im Urlaub.", "Je suis en congé.",
        "Estoy de vacaciones.", "Ik ben met vakantie.", "This is an automatically generated message.",
        "Your request has been received.", "Wir haben Ihre Anfrage vom Montag erhalten.",
        "Your mail could not be delivered: mailbox is full.", "Hello, we have your message. It is ticket AB",
    ],
)  # fmt: skip
def test_words_of_robots_are_a_sign_right_after_a_mail_of_ours_only(body: str) -> None:
    printer = Said("Printer", "The printer on floor 2 is jammed again.")
    assert sign(Said("Hello", body), before(5, printer)) == QUICK
    assert sign(Said("Hello", body), before(11, printer)) == sign(Said("Hello", body), before(500, printer)) == ""
    assert sign(Said("Hello", body), before(5, printer, same=False)) == "" and sign(Said("Hello", body)) == ""


def test_what_a_robot_says_in_a_quote_is_not_said() -> None:
    body = "My printer is dead.\n\nOn Monday, Eve wrote:\n> I am out of the office"
    assert sign(Said("Printer", body), before(5, Said("x", "something else entirely"))) == ""


def test_a_colleagues_same_words_count_only_when_they_are_many() -> None:
    few = Said("Help", "The internet is down")
    assert sign(few, before(said=few, same=False)) == "" and sign(few, before(said=few)) == QUICK
    assert sign(Said("x", AWAY), before(same=False)) == QUICK
    assert sign(Said("Out of office", "other words than before"), before(same=False)) == ""


def test_with_hardly_a_text_the_subject_is_compared_too() -> None:
    assert sign(Said("Toner low", "HP-1234"), before(said=Said("Toner low", "HP-1235"))) == QUICK
    assert sign(Said("Toner low", ""), before(said=Said("Paper jam", ""))) == ""


def test_quotes_do_not_make_two_texts_alike() -> None:
    quote = "\n\nOn Monday, Shop wrote:\n> " + " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrst")
    assert not is_alike("My mouse is dead." + quote, "The beamer needs a new lamp." + quote)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Backup of nas1 finished", "Backup of nas2 finished", True),
        ("Please see attached", "please see attached.", True),
        ("New employee Anna in sales, needs a laptop", "New employee Ben in finance, needs a phone", False),
        ("", "", False),
        ("1 2 3", "1 2 3", False),
    ],
)
def test_texts_are_alike_when_nearly_all_words_are_numbers_aside(one: str, other: str, alike: bool) -> None:
    assert is_alike(one, other) is alike


@pytest.mark.parametrize(
    ("counts", "sign", "scope"),
    [
        (Counts(), "", None),
        (Counts(thread=2), "", None),
        (Counts(thread=3), "", THREAD),
        (Counts(quick=1), QUICK, None),
        (Counts(quick=2), QUICK, ADDRESS),
        (Counts(quick=2, alike=2), SLOW, None),
        (Counts(quick=2, alike=2), "", None),
        (Counts(alike=5), SLOW, ADDRESS),
        (Counts(alike=5), "", None),
        (Counts(address=17), "", None),
        (Counts(address=18), "", ADDRESS),
        (Counts(words=11), "", None),
        (Counts(words=12), "", WORDS),
        (Counts(words=12, domain=6), QUICK, WORDS),
        (Counts(domain=5), QUICK, None),
        (Counts(domain=6), QUICK, DOMAIN),
        (Counts(domain=60), "", None),
        (Counts(company=9), SLOW, None),
        (Counts(company=10), SLOW, DOMAIN),
        (Counts(company=60), "", None),
        (Counts(total=60), QUICK, None),
        (Counts(total=60, quick=1), "", None),
        (Counts(total=5, quick=1), QUICK, None),
        (Counts(total=6, quick=1), QUICK, TOTAL),
    ],
)
def test_the_breaker_speaks_at_its_limits_and_never_without_a_sign_or_many(counts, sign, scope) -> None:
    trip = decide_breaker(counts, sign=sign)
    assert (trip.scope if trip else None) == scope
    assert trip is None or trip.reason.endswith(".")


@pytest.mark.parametrize("loops", range(1, 8))
def test_whatever_number_of_loops_begins_at_once_it_speaks_within_twenty_mails(loops: int) -> None:
    """Each answers each mail at once, in its own words: in turn, the worst order."""
    sent = [0] * loops
    while True:
        for robot in range(loops):
            quick = max(0, sent[robot] - 1)
            total = sum(max(0, one - 2) for one in sent)
            counts = Counts(quick=quick, alike=quick, address=sent[robot], total=total)
            trip = decide_breaker(counts, sign=QUICK if sent[robot] else "", limits=LIMITS)
            if trip:
                assert sum(sent) <= 20 and max(sent) <= 3
                return
            sent[robot] += 1


PRINTER = Said("Printer", "The printer on floor 2 is jammed again.")


@pytest.mark.parametrize(("minutes", "expected"), [(-5, QUICK), (10, QUICK), (10.1, "")])
def test_words_of_a_robot_count_from_a_clock_that_goes_ahead_to_ten_minutes_after(minutes, expected) -> None:
    assert sign(Said("Hello", "I'm on vacation and read no mail."), before(minutes, PRINTER)) == expected


def test_a_clock_that_goes_ahead_by_five_minutes_is_no_other_hour() -> None:
    assert sign(Said("x", AWAY_LATER), before(-5)) == QUICK


@pytest.mark.parametrize(
    ("body", "expected"), [("alpha beta gamma", QUICK), ("alpha beta", "")], ids=["three words", "two words"]
)
def test_three_words_are_a_text_and_two_are_compared_with_their_subject(body, expected) -> None:
    assert sign(Said("One thing", body), before(said=Said("Quite another matter", body))) == expected


def test_a_fingerprint_takes_six_words() -> None:
    assert fingerprint(Said("x", "one two three four five six")) and not fingerprint(Said("x", "one two three 4 five"))
    assert not fingerprint(Said("x", "one two three four five"))


def test_texts_are_alike_from_85_words_in_a_hundred_and_from_as_many_as_asked_for() -> None:
    words = [f"word{chr(97 + number)}" for number in range(20)]
    assert is_alike(" ".join(words[:17]), " ".join(words)) and not is_alike(" ".join(words[:16]), " ".join(words))
    assert is_alike("toner low", "toner low", fewest=2) and not is_alike("toner low", "toner low", fewest=3)


@pytest.mark.parametrize(
    ("counts", "sign", "scope", "words"),
    [
        (Counts(words=11), SLOW, None, ""),
        (Counts(words=12), SLOW, WORDS, "12 automatic mails"),
        (Counts(company=9), SLOW, None, ""),
        (Counts(company=10), SLOW, DOMAIN, "10 automatic mails"),
        (Counts(alike=5), SLOW, ADDRESS, "6 automatic mails"),
        (Counts(quick=2), QUICK, ADDRESS, "3 automatic mails"),
    ],
)
def test_the_reason_counts_the_mails(counts, sign, scope, words) -> None:
    trip = decide_breaker(counts, sign=sign)
    assert (trip.scope if trip else None) == scope and (trip is None or trip.reason.startswith(words))


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("Dana+1@Customer.example", "dana@customer.example"),
        ("dana@customer.example", "dana@customer.example"),
        ("+@customer.example", "+@customer.example"),
        ("dana", "dana"),
        ("", ""),
    ],
)
def test_a_tag_makes_no_other_address(address: str, base: str) -> None:
    assert base_address(address) == base


def test_a_fingerprint_is_of_words_and_not_of_figures_days_or_quotes() -> None:
    one = Said("a", "I am away until Monday, your mail has number 12.")
    other = Said("b", "I am away until Friday, your mail has number 13.\n\nOn Monday, Shop wrote:\n> Hello")
    assert fingerprint(one) == fingerprint(other) != "" and len(fingerprint(one)) <= 32
    assert fingerprint(Said("a", "I am away, your phone has number")) != fingerprint(one)
    assert fingerprint(Said("The internet is down since this morning", "The internet is down")) == ""


def test_the_very_same_words_of_a_colleague_are_a_slow_sign_also_when_they_are_few() -> None:
    said = Said("x", "Our opening hours are nine to five.")
    assert sign(said, before(5, said, same=False)) == SLOW
    assert sign(said, before(5, Said("x", "Our opening hours are ten to six, please."), same=False)) == ""


def test_the_very_same_words_by_a_stranger_or_like_ones_by_the_same_are_a_slow_sign() -> None:
    words = "alpha beta gamma delta epsilon zeta eta"
    assert sign(Said("x", words), before(61, Said("y", words), same=False)) == SLOW
    assert sign(Said("x", "toner is low again"), before(61, Said("y", "toner is low again"))) == SLOW
    assert sign(Said("x", words), before(61, Said("y", "theta iota kappa lambda my ny xi"), same=False)) == ""
