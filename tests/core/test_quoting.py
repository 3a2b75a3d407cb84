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


HEADERS = [
    (
        "From: Help <help@shop.example>",
        "Sent: Friday, November 21, 2025 10:00 AM",
        "To: Dana Reyes",
        "Subject: Printer",
    ),
    ("Von: Help <help@shop.example>", "Gesendet: Freitag, 21. November 2025 10:00", "An: Dana", "Betreff: Drucker"),
    ("De : Help <help@shop.example>", "Envoyé : vendredi 21 novembre 2025 10:00", "À : Dana", "Objet : Imprimante"),
    ("De: Help <help@shop.example>", "Enviado el: viernes, 21 de noviembre de 2025", "Para: Dana", "Asunto: Impresora"),
    ("Van: Help <help@shop.example>", "Verzonden: vrijdag 21 november 2025 10:00", "Aan: Dana", "Onderwerp: Printer"),
]


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header[0][:4])
@pytest.mark.parametrize("before", ["", "________________________________\n", "-----Original Message-----\n"])
@pytest.mark.parametrize("look", ["{}", "*{}*"])
def test_outlook_answers_fold_and_outlook_forwards_do_not(header, before, look):
    bold = [line.replace(":", ":*", 1).join(("*", "")) if look == "*{}*" else line for line in header]
    text = "It works again.\n\n" + before + "\n".join(bold) + "\n\nold words"
    assert own_words(text, subject="AW: Printer") == "It works again."
    assert "old words" in own_words(text, subject="WG: Printer")


@pytest.mark.parametrize(
    "intro",
    [
        "On Fri, Nov 21, 2025 at 10:00 AM Help Desk <help@shop.example> wrote:",
        "On 21 Nov 2025, at 10:00, Help <help@shop.example> wrote:",
        "On 21/11/2025 10:00, Help wrote:",
        "Help <help@shop.example> wrote:",
        "---- On Fri, 21 Nov 2025 10:00:00 +0100 Help <help@shop.example> wrote ----",
        "Am Fr., 21. Nov. 2025 um 10:00 Uhr schrieb Help <help@shop.example>:",
        "Am 21.11.2025 um 10:00 schrieb Help:",
        "Help <help@shop.example> hat am 21.11.2025 10:00 geschrieben:",
        "Le 21 nov. 2025 à 10:00, Help <help@shop.example> a écrit :",
        "Le 21/11/2025 à 10:00, Help a écrit :",
        "El vie, 21 nov 2025 a las 10:00, Help (<help@shop.example>) escribió:",
        "El 21/11/2025 a las 10:00, Help escribió:",
        "Op vr 21 nov 2025 om 10:00 schreef Help <help@shop.example>:",
        "Op 21 nov. 2025 om 10:00 heeft Help <help@shop.example> het volgende geschreven:",
        "Help schreef op 21-11-2025 10:00:",
        "Il giorno ven 21 nov 2025 alle ore 10:00 Help <help@shop.example> ha scritto:",
        "Em sex., 21 de nov. de 2025 às 10:00, Help <help@shop.example> escreveu:",
        "2025-11-21 10:00 GMT+01:00 Help <help@shop.example>:",
        "On Fri, 21 Nov 2025 at 10:00, Help Desk of the Shop\n<help@shop.example>\nwrote:",
    ],
)
def test_the_line_above_a_quote_is_folded_with_it(intro):
    assert own_words(f"It works again.\n\n{intro}\n\n> Did you try\n>\n> turning it off?\n") == "It works again."
    if "@" in intro and "2025" in intro and "\n" not in intro and intro.endswith(":"):
        assert own_words(f"It works again.\n\n{intro}\n\nDid you try\nturning it off?\n") == "It works again."


def test_answers_between_quotes_stay_in_sight():
    text = "On 21 Nov 2025 Help wrote:\n> one?\nYes.\n\n> two?\n\n> three?\nNo.\n"
    assert own_words(text).split() == ["Yes.", "No."] and kinds(text) == ["quote", "text", "quote", "text"]


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nDana Reyes\nCustomer Ltd\n555-0100",
        "--\nDana Reyes",
        "Sent from my iPhone",
        "Sent from Mail for Windows",
        "Sent from Yahoo Mail for iPhone",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "Gesendet von Mail für Windows",
        "Gesendet mit der GMX Mail App",
        "Diese Nachricht wurde von meinem Android-Mobiltelefon mit WEB.DE Mail gesendet.",
        "Holen Sie sich Outlook für Android",
        "Outlook für iOS beziehen",
        "Envoyé de mon iPhone",
        "Envoyé à partir de Courrier pour Windows",
        "Télécharger Outlook pour Android",
        "Enviado desde mi iPhone",
        "Enviado desde Correo para Windows",
        "Obtener Outlook para iOS",
        "Verstuurd vanaf mijn iPhone",
        "Verzonden vanuit Mail voor Windows",
        "Download Outlook voor Android",
        "Best regards,\nDana Reyes\nCustomer Ltd",
        "Mit freundlichen Grüßen\n\nDana Reyes",
        "Viele Grüße\nDana",
        "Cordialement,\nDana",
        "Un saludo,\nDana",
        "Met vriendelijke groet,\n\nDana",
    ],
)
@pytest.mark.parametrize(
    "after", ["", "\n\nOn 21 Nov 2025 Help wrote:\n> old\n", "\n\n-----Original Message-----\nold"]
)
def test_signatures_fold_and_a_quote_below_them_is_a_quote(signature, after):
    text = f"The printer is on fire.\n\n{signature}{after}"
    assert own_words(text) == "The printer is on fire."
    assert kinds(text) == ["text", "signature", *(["quote"] if after else [])]


@pytest.mark.parametrize(
    "text",
    [
        "--\n" + "Problem: a line of the request\n" * 30,
        "Best regards to all of you, the printer burns",
        "Regards,\nDana\n\nP.S. The scanner burns too.",
        "Regards,\n" + "a very long line that says what the matter is " * 5,
        "Gesendet von Dana am Freitag:",
        "The form said\n-- \n" + "line\n" * 60 + "end",
    ],
)
def test_what_only_looks_like_a_signature_stays_text(text):
    assert kinds(text) == ["text"]


@pytest.mark.parametrize(
    "marker",
    [
        "---------- Forwarded message ---------",
        "-------- Forwarded Message --------",
        "Begin forwarded message:",
        "> Begin forwarded message:",
        "-------- Weitergeleitete Nachricht --------",
        "Anfang der weitergeleiteten Nachricht:",
        "-------- Message transféré --------",
        "Début du message réexpédié :",
        "-------- Mensaje reenviado --------",
        "Inicio del mensaje reenviado:",
        "-------- Doorgestuurd bericht --------",
        "Begin doorgestuurd bericht:",
        "----- Forwarded by Dana Reyes/Customer on 21.11.2025 10:00 -----",
    ],
)
def test_forwarded_mail_is_the_request_and_stays_text(marker):
    header = "From: Eve <eve@x.example>\nSent: Friday\nTo: Dana\nSubject: Printer"
    text = f"please see\n-- \nDana\n\n{marker}\n{header}\n\n> old\nbroken\n-- \nEve"
    assert kinds(text) == ["text", "signature", "text"]
    assert "broken" in own_words(text) and "Eve" in own_words(text)


def test_people_who_write_wrote_are_not_quoted():
    text = "On Monday morning the tool wrote:\nerror 5\n\nFrom: is a strange word\nthe end"
    assert kinds(text) == ["text"]
    assert kinds("On 2025-11-21 at 10:00 the tool wrote:\nerror 5") == ["text"]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    ["--\n", "-- \n", ">\n", "Best regards\n", "On x wrote:\n", "From: x\n", "a b:\n", "\n", "____________\n", "-- x "],
)
def test_much_of_anything_is_marked_in_linear_time(piece):
    text = piece * (100_000 // len(piece))
    assert "\n".join(segment.text for segment in mark_quotes(text)) == text


def test_a_mail_of_quotes_only_is_all_its_words():
    assert own_words("> only this\n") == "> only this"


@given(st.text(alphabet=">-_ \nOn wrote:FromRegds", max_size=300))
def test_nothing_is_ever_cut(text):
    assert "\n".join(segment.text for segment in mark_quotes(text)) == text
