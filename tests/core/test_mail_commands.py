import pytest

from portal.core.mail_commands import CLOSE, RATE, REOPEN, WORDS, MailCommand, parse_command


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CLOSE", CLOSE),
        ("close.", CLOSE),
        ("Solved, thanks!", CLOSE),
        ("Erledigt - vielen Dank\n\nDana", CLOSE),
        ("**Gelöst**", CLOSE),
        ("Résolu, merci beaucoup", CLOSE),
        ("Resuelto. Gracias", CLOSE),
        ("Opgelost, bedankt!", CLOSE),
        ("\n\n  CLOSE\n\n-- \nDana Reyes, Customer Ltd", CLOSE),
        ("> We are on it.\n\nCLOSE", CLOSE),
        ("CLOSE\n\nIt works again.\n\nOn Fri, Help wrote:\n> Is it solved?", CLOSE),
        ("Reopen", REOPEN),
        ("Wieder öffnen!", REOPEN),
        ("REABRIR\nno imprime", REOPEN),
    ],
)
def test_one_word_on_the_first_line_is_an_order(text, kind):
    assert parse_command(text).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Close the window on my screen, please",
        "Closet",
        "Is it solved?\nI do not think so",
        "not solved",
        "Solved? No.",
        "Hello\nCLOSE",
        "> CLOSE",
        "On Fri, Help wrote:\n> CLOSE",
        "thanks\n-- \nCLOSE",
        "CLOSE\nBut why did it happen?",
        "CLOSE\n" + "and another thing. " * 30,
        "RATE",
        "RATE 0",
        "RATE 6",
        "RATE 10",
        "rate of failure: 5",
    ],
)
def test_anything_else_is_only_a_reply(text):
    assert parse_command(text) is None


@pytest.mark.parametrize(
    ("text", "rating", "rest"),
    [
        ("RATE 5", 5, ""),
        ("Rate: 4/5\nvery quick", 4, "very quick"),
        ("rating 3 stars", 3, ""),
        ("Bewertung 1\nzu langsam", 1, "zu langsam"),
        ("BEOORDELING 2 van 5", 2, ""),
        ("Évaluation: 4 sur 5", 4, ""),
    ],
)
def test_a_rating_has_a_number_and_perhaps_words(text, rating, rest):
    assert parse_command(text) == MailCommand(RATE, rating, rest)


@pytest.mark.parametrize("kind", list(WORDS))
def test_every_word_is_understood(kind):
    for word in WORDS[kind]:
        text = f"{word.upper()} 5" if kind == RATE else word.capitalize()
        assert parse_command(text).kind == kind, word
