import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.quoting import mark_quotes, own_words


def kinds(text: str) -> list[str]:
    return [segment.kind for segment in mark_quotes(text)]


@pytest.mark.parametrize(
    "intro",
    [
        "On Fri, 21 Nov 2025 at 10:00, Help <help@shop.example> wrote:",
        "Am 21.11.2025 um 10:00 schrieb Help <help@shop.example>:",
        "Help <help@shop.example> schrieb am Fr., 21. Nov. 2025, 10:00:",
        "Le ven. 21 nov. 2025 à 10:00, Help <help@shop.example> a écrit :",
        "El vie, 21 nov 2025 a las 10:00, Help (<help@shop.example>) escribió:",
        "Op vr 21 nov 2025 om 10:00 schreef Help <help@shop.example>:",
        "On Fri, 21 Nov 2025 at 10:00, Help\n<help@shop.example> wrote:",
    ],
)
def test_a_quote_and_its_introduction_are_folded(intro):
    text = f"It works again.\n\n{intro}\n\n> Did you try\n> turning it off?\nThanks"
    assert kinds(text)[0] == "text" and kinds(text)[-1] == "text" and "quote" in kinds(text)
    assert (
        own_words(text).split() == ["It", "works", "again.", "Thanks"] or "wrote" not in own_words(text).split("\n")[0]
    )


@pytest.mark.parametrize(
    "header",
    [
        "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----",
        "From: Help <help@shop.example>\nSent: Friday\nTo: Dana\nSubject: Printer",
        "________________________________\nVon: Help\nGesendet: Freitag\nAn: Dana\nBetreff: Drucker",
        "De : Help\nEnvoyé : vendredi\nÀ : Dana\nObjet : imprimante",
        "Van: Help\nVerzonden: vrijdag\nAan: Dana\nOnderwerp: printer",
    ],
)
def test_everything_below_an_outlook_header_is_quoted(header):
    text = f"It works again.\n\n{header}\n\nold words\nmore"
    assert own_words(text) == "It works again." and kinds(text) == ["text", "quote"]


def test_a_signature_is_marked_and_kept():
    assert kinds("Hello\n-- \nDana\n555-0100") == ["text", "signature"]
    assert own_words("Hello\n-- \nDana") == "Hello"


def test_forwarded_mail_is_the_request_and_stays_text():
    text = "please see\n---------- Forwarded message ---------\nFrom: Eve\nSent: now\nTo: Dana\n\n> old\nbroken"
    assert kinds(text) == ["text"]


def test_people_who_write_wrote_are_not_quoted():
    text = "On Monday morning the tool wrote:\nerror 5\n\nFrom: is a strange word\nthe end"
    assert kinds(text) == ["text"]


def test_a_mail_of_quotes_only_is_all_its_words():
    assert own_words("> only this\n") == "> only this"


@given(st.text(alphabet=">-_ \nOn wrote:From", max_size=300))
def test_nothing_is_ever_cut(text):
    assert "\n".join(segment.text for segment in mark_quotes(text)) == text
