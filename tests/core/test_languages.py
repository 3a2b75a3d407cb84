"""The function words tell languages apart."""

import pytest

from portal.core.languages import ENGLISH, FOREIGN, PREFIXES, SUFFIXES, detect_language


def test_no_function_word_of_another_language_is_english() -> None:
    assert not ENGLISH & frozenset().union(*FOREIGN.values())
    assert not {"die", "hat", "am", "war", "so"} & FOREIGN["German"]


def test_each_language_has_enough_to_be_told_by() -> None:
    assert all(len(words) > 8 for words in FOREIGN.values())


def test_word_parts_are_plain_letters() -> None:
    assert all(part.isalpha() and part.islower() for part in PREFIXES | SUFFIXES)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello, the printer on my desk does not work any more. Can you help me?", "en"),
        ("Guten Tag, der Drucker funktioniert nicht mehr. Bitte um Hilfe, danke", "de"),
        ("Bonjour, je ne peux plus imprimer avec mon ordinateur, merci de votre aide", "fr"),
        ("Hola, no puedo imprimir desde mi ordenador, gracias por su ayuda", "es"),
        ("Hallo, ik kan niet meer printen met mijn computer, kan iemand helpen? Bedankt", "nl"),
        ("Nie działa drukarka, proszę o pomoc, dziękuję", "pl"),
        ("Printer", ""),
        ("VPN 0x80004005 srv-01", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_request_is_told_or_left_open(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_a_mail_half_in_one_and_half_in_another_is_left_open() -> None:
    assert detect_language("Der Drucker ist nicht bereit. The printer is not ready and it was slow.") == ""
