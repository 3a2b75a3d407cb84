"""Weighted words decide category and priority, and say why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.triage import (
    Aspect,
    Classification,
    LexiconClassifier,
    LexiconEntry,
    TicketClassifier,
    TicketText,
    TriageReason,
    fold_words,
    has_words,
)

NETWORK = [LexiconEntry(term, Aspect.CATEGORY, "Network", 3) for term in ("port", "vpn", "no connection")]
PRINTING = [
    LexiconEntry("printer", Aspect.CATEGORY, "Printing", 3),
    LexiconEntry("paper", Aspect.CATEGORY, "Printing", 1),
]
SIGNS = [
    LexiconEntry("everyone", Aspect.SCOPE, "everyone", 1),
    LexiconEntry("our team", Aspect.SCOPE, "group", 1),
    LexiconEntry("down", Aspect.URGENCY, "blocked", 1),
    LexiconEntry("urgent", Aspect.URGENCY, "deadline", 1),
    LexiconEntry("not urgent", Aspect.URGENCY, "calm", 1),
    LexiconEntry("ransomware", Aspect.PRIORITY, "P1", 1),
    LexiconEntry("stolen", Aspect.PRIORITY, "P2", 1),
    LexiconEntry("nice to have", Aspect.PRIORITY, "P4", 1),
]
ENGINE: TicketClassifier = LexiconClassifier([*NETWORK, *PRINTING, *SIGNS])


def classify(subject: str, body: str = "", *, emergency: bool = False) -> Classification:
    return ENGINE.classify(TicketText(subject, body, emergency))


def test_a_word_decides_the_category() -> None:
    result = classify("the printer jams")
    assert (result.category, result.runner_up) == ("Printing", "")
    assert result.reasons == (TriageReason("printer", Aspect.CATEGORY, "Printing", 6.0, "subject"),)


@pytest.mark.parametrize("text", ["the report is wrong", "support", "transport", "sport", "ports"])
def test_words_never_match_inside_other_words(text: str) -> None:
    assert classify(text, text).category == ""


def test_phrases_match_as_whole_words_in_order_only() -> None:
    assert classify("no connection").category == "Network"
    assert classify("connection, no").category == ""
    assert classify("no good connection").category == ""


def test_case_accents_and_punctuation_do_not_matter() -> None:
    engine = LexiconClassifier([LexiconEntry("Störung", Aspect.CATEGORY, "Netz", 3)])
    assert engine.classify(TicketText("STÖRUNG!", "")).category == "Netz"
    assert engine.classify(TicketText("(Storung)", "")).category == "Netz"


def test_the_subject_counts_twice_and_a_word_counts_once() -> None:
    assert classify("printer", "vpn").category == "Printing"
    assert classify("x", "printer printer printer").reasons[0].weight == 3
    assert [reason.where for reason in classify("printer", "printer").reasons] == ["subject"]


def test_the_runner_up_and_the_confidence_say_how_sure_it_is() -> None:
    sure, unsure = classify("printer paper"), classify("printer", "vpn")
    assert unsure.runner_up == "Network"
    assert 0 < unsure.confidence < sure.confidence < 1


def test_a_tie_is_settled_by_name_so_that_it_never_wavers() -> None:
    assert classify("vpn printer").category == "Network"


def test_one_weak_word_names_no_category() -> None:
    assert classify("x", "paper") == Classification("", "", 0.0, 3, classify("x", "paper").reasons)


def test_a_negative_weight_speaks_against() -> None:
    engine = LexiconClassifier([*PRINTING, LexiconEntry("wall paper", Aspect.CATEGORY, "Printing", -5)])
    assert engine.classify(TicketText("printer wall paper", "")).category == ""


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("hello", 3),
        ("vpn down", 3),
        ("everyone likes it", 3),
        ("urgent", 3),
        ("down and urgent", 2),
        ("our team is down", 2),
        ("urgent for everyone", 2),
        ("our team urgent", 3),
        ("everyone is down", 1),
        ("our team is down urgent", 1),
        ("not urgent", 4),
        ("down but not urgent", 3),
        ("nice to have", 4),
        ("nice to have for everyone", 3),
        ("ransomware", 1),
        ("stolen, not urgent", 2),
        ("stolen, everyone down", 1),
    ],
)
def test_priority_follows_scope_and_urgency(text: str, priority: int) -> None:
    assert classify("x", text).priority == priority


def test_a_longer_phrase_hides_the_shorter_one_inside_it() -> None:
    assert [reason.term for reason in classify("x", "not urgent").reasons] == ["not urgent"]
    assert [reason.term for reason in classify("x", "urgent, not urgent").reasons_for(Aspect.URGENCY)] == [
        "urgent",
        "not urgent",
    ]


@pytest.mark.parametrize(("text", "priority"), [("hello", 2), ("vpn down", 1), ("not urgent", 2), ("everyone", 1)])
def test_a_declared_emergency_is_at_least_p2(text: str, priority: int) -> None:
    result = classify(text, emergency=True)
    assert result.priority == priority
    assert result.reasons[0].text == "the requester declared an emergency"


def test_reasons_read_as_phrases_strongest_first() -> None:
    result = classify("vpn", "printer is down")
    assert [reason.text for reason in result.reasons] == [
        "“vpn” in the subject: Network (+6)",
        "“printer” in the body: Printing (+3)",
        "“down” in the body: work stands still (+1)",
    ]


def test_only_the_top_of_a_long_body_is_read() -> None:
    assert classify("x", "word " * 5_000 + "printer").category == ""


def test_empty_terms_are_ignored() -> None:
    assert (
        LexiconClassifier([LexiconEntry(" - ", Aspect.CATEGORY, "X", 9)]).classify(TicketText("- -", "")).category == ""
    )


def test_fold_words_splits_at_signs_and_keeps_apostrophes() -> None:
    assert fold_words("Can’t log-in: Zoë!") == ["can't", "log", "in", "zoe"]


def test_has_words_wants_whole_words_in_a_row() -> None:
    words = fold_words("The VPN is down")
    assert has_words(words, "vpn is") and has_words(words, "Down")
    assert not has_words(words, "vpn down") and not has_words(words, "own") and not has_words(words, "")


@given(subject=st.text(max_size=50), body=st.text(max_size=100), emergency=st.booleans())
def test_any_text_gets_a_priority_and_a_confidence(subject: str, body: str, emergency: bool) -> None:
    result = classify(subject, body, emergency=emergency)
    assert result.priority in (1, 2, 3, 4) and 0 <= result.confidence < 1
