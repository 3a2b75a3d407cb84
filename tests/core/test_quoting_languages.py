"""Answers in plain text as mail programs write them in seven languages: only the new words are left, and all of them."""

# ruff: noqa: E501 - what mail programs write has long lines and strange blanks

import pytest

from portal.core.quoting import mark_quotes, own_words

INTROS = {
    "gmail en": "On Fri, Nov 21, 2025 at 10:00\u202fAM Help <help@shop.example> wrote:",
    "gmail en wrapped": "On Fri, Nov 21, 2025 at 10:00 AM Help Desk of Shop <\nhelp@shop.example> wrote:",
    "gmail en-gb": "On Fri, 21 Nov 2025 at 10:00, Help <help@shop.example> wrote:",
    "gmail de": "Am Fr., 21. Nov. 2025 um 10:00\xa0Uhr schrieb Help <help@shop.example>:",
    "gmail de wrapped": "Am Fr., 21. Nov. 2025 um 10:00 Uhr schrieb Help Desk of the Shop <\nhelp@shop.example>:",
    "gmail fr": "Le ven. 21 nov. 2025 à 10:00, Help <help@shop.example> a écrit :",
    "gmail fr wrapped": "Le ven. 21 nov. 2025 à 10:00, Help Desk of the Shop <help@shop.example> a\nécrit :",
    "gmail es": "El vie, 21 nov 2025 a las 10:00, Help (<help@shop.example>) escribió:",
    "gmail nl": "Op vr 21 nov 2025 om 10:00 schreef Help <help@shop.example>:",
    "gmail it": "Il giorno ven 21 nov 2025 alle ore 10:00 Help <help@shop.example> ha scritto:",
    "gmail it wrapped": "Il giorno ven 21 nov 2025 alle ore 10:00 Help Desk <help@shop.example> ha\nscritto:",
    "gmail pt": "Em sex., 21 de nov. de 2025 às 10:00, Help <help@shop.example> escreveu:",
    "gmail pt-pt": "Help <help@shop.example> escreveu (sexta, 21/11/2025 à(s) 10:00):",
    "gmail es-419": "El vie., 21 de noviembre de 2025 10:00 a. m., Help <help@shop.example> escribió:",
    "apple en": "On 21. Nov 2025, at 10:00, Help <help@shop.example> wrote:",
    "apple en old": "On May 2, 2012, at 14:25 , Help wrote:",
    "apple de": "Am 21.11.2025 um 10:00 schrieb Help <help@shop.example>:",
    "apple fr": "Le 21 nov. 2025 à 10:00, Help <help@shop.example> a écrit :",
    "apple es": "El 21 nov 2025, a las 10:00, Help <help@shop.example> escribió:",
    "apple nl": "Op 21 nov. 2025, om 10:00 heeft Help <help@shop.example> het volgende geschreven:",
    "ios nl": "Op 21 nov 2025 om 10:00 heeft Help <help@shop.example> het volgende geschreven:\ufeff",
    "apple it": "Il giorno 21 nov 2025, alle ore 10:00, Help <help@shop.example> ha scritto:",
    "apple pt": "No dia 21/11/2025, às 10:00, Help <help@shop.example> escreveu:",
    "apple pt-br": "Em 21 de nov. de 2025, à(s) 10:00, Help <help@shop.example> escreveu:",
    "tb en": "On 11/21/25 10:00, Help wrote:",
    "tb en via": "On 11/21/25 10:00, Help via helpdesk wrote:",
    "tb de": "Am 21.11.25 um 10:00 schrieb Help:",
    "tb fr": "Le 21/11/2025 à 10:00, Help a écrit\xa0:",
    "tb es": "El 21/11/2025 a las 10:00, Help escribió:",
    "tb nl": "Op 21-11-2025 om 10:00 schreef Help:",
    "tb it": "Il 21/11/2025 10:00, Help ha scritto:",
    "tb pt-br": "Em 21/11/2025 10:00, Help escreveu:",
    "tb pt-pt": "Às 10:00 de 21/11/2025, Help escreveu:",
    "yahoo": "On Friday, November 21, 2025 at 10:00:00 AM GMT+1, Help <help@shop.example> wrote:",
    "yahoo old": "--- Help <help@shop.example> wrote:",
    "yahoo old2": "--- On Fri, 11/21/25, Help <help@shop.example> wrote:",
    "zoho": "---- On Fri, 21 Nov 2025 10:00:00 +0100 Help <help@shop.example> wrote ----",
    "zoho2": " ---- On Fri, 21 Nov 2025 10:00:00 +0100 <help@shop.example> wrote ---",
    "ox": "Help <help@shop.example> hat am 21.11.2025 10:00 CET geschrieben:",
    "ox en": "On 11/21/2025 10:00 AM CET Help <help@shop.example> wrote:",
    "horde": "Quoting Help <help@shop.example>:",
    "horde de": "Zitat von Help <help@shop.example>:",
    "roundcube": "On 2025-11-21 10:00, Help wrote:",
    "roundcube de": "Am 2025-11-21 10:00, schrieb Help:",
    "roundcube fr": "Le 2025-11-21 10:00, Help a écrit :",
    "mutt": "* Help <help@shop.example> [2025-11-21 10:00]:",
    "mutt2": "On Fri, Nov 21, 2025 at 10:00:00AM +0100, Help wrote:",
    "kmail de": "Am Freitag, 21. November 2025, 10:00:00 CET schrieb Help:",
    "kmail en": "On Friday, 21 November 2025 10:00:00 CET Help wrote:",
    "evolution": "On Fri, 2025-11-21 at 10:00 +0100, Help wrote:",
    "evolution de": "Am Freitag, dem 21.11.2025 um 10:00 +0100 schrieb Help:",
    "evolution fr": "Le vendredi 21 novembre 2025 à 10:00 +0100, Help a écrit :",
    "samsung/k9 de": "Am 21. November 2025 10:00:00 MEZ schrieb Help <help@shop.example>:",
    "k9 en": "On 21 November 2025 10:00:00 CET, Help <help@shop.example> wrote:",
    "k9 fr": "Le 21 novembre 2025 10:00:00 GMT+01:00, Help <help@shop.example> a écrit :",
    "proton": "On Friday, November 21st, 2025 at 10:00, Help <help@shop.example> wrote:",
    "proton de": "Help <help@shop.example> schrieb am Freitag, 21. November 2025 um 10:00:",
    "proton2": "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Friday, November 21, 2025 10:00 AM, Help wrote:",
    "mailspring": "On Nov 21 2025, at 10:00 am, Help <help@shop.example> wrote:",
    "outlook mac": 'On 21/11/2025, 10:00, "Help" <help@shop.example> wrote:',
    "outlook mac de": 'Am 21.11.25, 10:00 schrieb "Help" <help@shop.example>:',
    "outlook ios old": 'On Fri, Nov 21, 2025 at 10:00 AM +0100, "Help" <help@shop.example> wrote:',
    "sogo": "On Friday, November 21, 2025 10:00 CET, Help wrote:",
    "bare de": "Help schrieb:",
    "bare en": "Help writes:",
}
HEADS = {
    "outlook en": "From: Help <help@shop.example>\nSent: Friday, November 21, 2025 10:00 AM\nTo: Dana\nCc: Bob\nSubject: RE: Printer",
    "outlook en mailto": "From: Help [mailto:help@shop.example] \nSent: Friday, November 21, 2025 10:00 AM\nTo: Dana\nSubject: RE: Printer",
    "outlook en empty to": "From: Help <help@shop.example>\nSent: Friday, November 21, 2025 10:00 AM\nTo:\nSubject: RE: Printer",
    "outlook de": "Von: Help <help@shop.example>\nGesendet: Freitag, 21. November 2025 10:00\nAn: Dana\nCc: Bob\nBetreff: AW: Drucker",
    "outlook de im auftrag": "Von: Help <help@shop.example> Im Auftrag von Bob\nGesendet: Freitag, 21. November 2025 10:00\nAn: Dana\nBetreff: AW: Drucker",
    "outlook fr": "De : Help <help@shop.example>\nEnvoyé : vendredi 21 novembre 2025 10:00\nÀ : Dana\nCc : Bob\nObjet : RE: Imprimante",
    "outlook fr nbsp": "De\xa0: Help <help@shop.example>\nEnvoyé\xa0: vendredi 21 novembre 2025 10:00\nÀ\xa0: Dana\nObjet\xa0: RE: Imprimante",
    "outlook fr de la part": "De : Help [mailto:help@shop.example] De la part de Bob\nEnvoyé : vendredi\nÀ : Dana\nObjet : RE: Imprimante",
    "outlook es": "De: Help <help@shop.example>\nEnviado el: viernes, 21 de noviembre de 2025 10:00\nPara: Dana\nCC: Bob\nAsunto: RE: Impresora",
    "outlook nl": "Van: Help <help@shop.example>\nVerzonden: vrijdag 21 november 2025 10:00\nAan: Dana\nCC: Bob\nOnderwerp: RE: Printer",
    "outlook it": "Da: Help <help@shop.example>\nInviato: venerdì 21 novembre 2025 10:00\nA: Dana\nCc: Bob\nOggetto: R: Stampante",
    "outlook pt": "De: Help <help@shop.example>\nEnviada em: sexta-feira, 21 de novembro de 2025 10:00\nPara: Dana\nAssunto: RES: Impressora",
    "outlook pt2": "De: Help <help@shop.example>\nEnviado: sexta-feira, 21 de novembro de 2025 10:00\nPara: Dana\nAssunto: RE: Impressora",
    "outlook date": "From: Help <help@shop.example>\nDate: Friday, 21 November 2025 at 10:00\nTo: Dana <help@shop.example>\nSubject: Re: Printer",
    "outlook mac de": "Von: Help <help@shop.example>\nDatum: Freitag, 21. November 2025 um 10:00\nAn: Dana\nBetreff: Re: Drucker",
    "outlook mac fr": "De : Help <help@shop.example>\nDate : vendredi, 21 novembre 2025 à 10:00\nÀ : Dana\nObjet : Re: Imprimante",
    "outlook mac es": "De: Help <help@shop.example>\nFecha: viernes, 21 de noviembre de 2025, 10:00\nPara: Dana\nAsunto: Re: Impresora",
    "outlook mac nl": "Van: Help <help@shop.example>\nDatum: vrijdag 21 november 2025 om 10:00\nAan: Dana\nOnderwerp: Re: Printer",
    "outlook mac it": "Da: Help <help@shop.example>\nData: venerdì, 21 novembre 2025 10:00\nA: Dana\nOggetto: Re: Stampante",
    "msg en": "-----Original Message-----\nFrom: Help <help@shop.example>\nSent: Friday\nTo: Dana\nSubject: Printer",
    "msg de": "-----Ursprüngliche Nachricht-----\nVon: Help\nGesendet: Freitag\nAn: Dana\nBetreff: Drucker",
    "msg fr": "-----Message d'origine-----\nDe : Help\nEnvoyé : vendredi\nÀ : Dana\nObjet : Imprimante",
    "msg fr typographic": "-----Message d’origine-----\nDe : Help\nEnvoyé : vendredi\nÀ : Dana\nObjet : Imprimante",
    "msg es": "-----Mensaje original-----\nDe: Help\nEnviado el: viernes\nPara: Dana\nAsunto: Impresora",
    "msg nl": "-----Oorspronkelijk bericht-----\nVan: Help\nVerzonden: vrijdag\nAan: Dana\nOnderwerp: Printer",
    "msg it": "-----Messaggio originale-----\nDa: Help\nInviato: venerdì\nA: Dana\nOggetto: Stampante",
    "msg pt": "-----Mensagem original-----\nDe: Help\nEnviada em: sexta\nPara: Dana\nAssunto: Impressora",
    "samsung en": "-------- Original message --------\nFrom: Help <help@shop.example>\nDate: 21/11/2025 10:00 (GMT+01:00)\nTo: Dana\nSubject: Printer",
    "samsung de": "-------- Ursprüngliche Nachricht --------\nVon: Help <help@shop.example>\nDatum: 21.11.25 10:00 (GMT+01:00)\nAn: Dana\nBetreff: Drucker",
    "samsung fr": "-------- Message d'origine --------\nDe : Help <help@shop.example>\nDate : 21/11/2025 10:00 (GMT+01:00)\nÀ : Dana\nObjet : Imprimante",
    "samsung es": "-------- Mensaje original --------\nDe: Help <help@shop.example>\nFecha: 21/11/25 10:00 (GMT+01:00)\nA: Dana\nAsunto: Impresora",
    "samsung nl": "-------- Oorspronkelijk bericht --------\nVan: Help <help@shop.example>\nDatum: 21-11-2025 10:00 (GMT+01:00)\nAan: Dana\nOnderwerp: Printer",
    "samsung it": "-------- Messaggio originale --------\nDa: Help <help@shop.example>\nData: 21/11/25 10:00 (GMT+01:00)\nA: Dana\nOggetto: Stampante",
    "gmx": "Gesendet: Freitag, 21. November 2025 um 10:00 Uhr\nVon: Help <help@shop.example>\nAn: dana@x.example\nBetreff: Drucker",
    "gmx en": "Sent: Friday, November 21, 2025 at 10:00 AM\nFrom: Help <help@shop.example>\nTo: dana@x.example\nSubject: Printer",
    "gmx fr": "Envoyé: vendredi 21 novembre 2025 à 10:00\nDe: Help <help@shop.example>\nÀ: dana@x.example\nObjet: Imprimante",
    "gmx es": "Enviado: viernes, 21 de noviembre de 2025 a las 10:00\nDe: Help <help@shop.example>\nPara: dana@x.example\nAsunto: Impresora",
    "gmx old": "-------- Original-Nachricht --------\n> Datum: Fri, 21 Nov 2025 10:00:00 +0100\n> Von: Help <help@shop.example>\n> An: Dana\n> Betreff: Drucker",
    "aol": "-----Original Message-----\nFrom: Help <help@shop.example>\nTo: Dana\nSent: Fri, Nov 21, 2025 10:00 am\nSubject: Printer",
    "notes": "From:\tHelp/Shop\nTo:\tDana/Customer@Customer\nDate:\t21.11.2025 10:00\nSubject:\tPrinter",
    "notes de": "Von:\tHelp <help@shop.example>\nAn:\tDana/Customer@Customer\nDatum:\t21.11.2025 10:00\nBetreff:\tDrucker",
    "notes fr": "De :\tHelp <help@shop.example>\nA :\tDana/Customer@Customer\nDate :\t21/11/2025 10:00\nObjet :\tImprimante",
    "notes es": "De:\tHelp <help@shop.example>\nPara:\tDana\nFecha:\t21/11/2025 10:00\nAsunto:\tImpresora",
    "notes dashes": "Help ---21.11.2025 10:00:00---old words\n\nFrom:\tHelp/Shop\nTo:\tDana\nDate:\t21.11.2025 10:00\nSubject:\tPrinter",
    "owa rule": "________________________________\nFrom: Help <help@shop.example>\nSent: Friday, November 21, 2025 10:00:00 AM\nTo: Dana\nSubject: Printer",
    "owa star": "*From:* Help <help@shop.example>\n*Sent:* Friday, November 21, 2025 10:00 AM\n*To:* Dana\n*Subject:* RE: Printer",
    "dashes rule": "----------------------------------------\nFrom: Help <help@shop.example>\nSent: Friday, November 21, 2025 10:00:00 AM\nTo: Dana\nSubject: Printer",
    "outlook blank lines": "From: Help <help@shop.example>\n\nSent: Friday, November 21, 2025 10:00 AM\n\nTo: Dana\n\nSubject: RE: Printer",
    "outlook indent": "  From: Help <help@shop.example>\n  Sent: Friday, November 21, 2025 10:00 AM\n  To: Dana\n  Subject: RE: Printer",
}
HEAD = HEADS["outlook en"] + "\n\n"
# (text, subject): "STAY" stands where somebody wrote something.
NEVER_HIDDEN = {
    "outlook below": ("Please see my answers below in red.\n\n" + HEAD + "Did you try?\nSTAY yes", "Re: Printer"),
    "de": ("Hallo,\nAntworten siehe unten\n\n" + HEAD + "Did you try?\nSTAY yes", "Re: Printer"),
    "de2": ("Meine Antworten stehen unten in Rot.\n\n" + HEAD + "Did you try?\nSTAY yes", "Re: Printer"),
    "fr": ("Voir mes réponses ci-dessous\n\n" + HEAD + "Did you try?\nSTAY yes", "Re: Printer"),
    "es": ("Respondo más abajo\n\n" + HEAD + "Did you try?\nSTAY yes", "Re: Printer"),
    "nl": ("Zie antwoorden hieronder\n\n" + HEAD + "Did you try?\nSTAY yes", "Re: Printer"),
    "bottom": (HEAD + "Did you try?\n\nSTAY yes", "Re: Printer"),
    "bottom sig on top": ("-- \nDana\n\n" + HEAD + "Did you try?\n\nSTAY yes", "Re: Printer"),
    "phone on top": ("Sent from my iPhone\n\n" + HEAD + "Did you try?\n\nSTAY yes", "Re: Printer"),
    "fw no prefix": ("please look\n\n" + HEAD + "STAY broken", "Printer"),
    "pasted error in new mail": ("The error is\n> STAY 0x8004\n> line two\nplease help", "Outlook error"),
    "regards then sentence": (
        "The printer burns.\n\nRegards,\nDana\n\nSTAY the second printer is broken too.",
        "Re: Printer",
    ),
    "regards then sentence same para": (
        "The printer burns.\n\nRegards,\nDana\nSTAY the second printer is broken too.",
        "Re: Printer",
    ),
    "regards then question": (
        "The printer burns.\n\nRegards,\nDana\n\nCan you also STAY the second one?",
        "Re: Printer",
    ),
    "-- as separator": ("First problem\n--\nSTAY second problem is that the scanner burns.\n", "Re: Printer"),
    "iphone then text": ("Sent from my iPhone\n\nSTAY I cannot print anything any more.", "Re: Printer"),
    "de closing": (
        "Der Drucker brennt.\n\nMit freundlichen Grüßen\nDana\n\nSTAY der zweite Drucker geht auch nicht.",
        "Re: Printer",
    ),
    "interleaved": ("On 21 Nov 2025 Help wrote:\n> one?\nSTAY Yes.\n> two?\nSTAY no\n\n-- \nDana", "Re: Printer"),
    "interleaved with blank": (
        "On 21 Nov 2025 Help wrote:\n> one?\n\nSTAY Yes.\n\n> two?\n\nSTAY no\n\n-- \nDana",
        "Re: Printer",
    ),
    "forward in reply": (
        "please do\n\n---------- Forwarded message ---------\nFrom: x\nDate: y\nSubject: z\nTo: q\n\nSTAY words",
        "Re: Printer",
    ),
    "attribution on own words": ("On Monday I wrote:\nSTAY the printer", "Re: Printer"),
    "Von: in text": ("Von: Berlin nach Köln\nAn: einem Tag\nDatum: egal\nSTAY", "Re: Printer"),
    "form mail": ("From: Dana\nTo: Help\nDate: today\nSubject: broken\nSTAY text of the form", "Contact form"),
}


@pytest.mark.parametrize("signature", ["", "\n\n-- \nDana Reyes\nCustomer Ltd"])
@pytest.mark.parametrize("name", INTROS)
def test_the_introduction_of_a_quote_is_folded_with_it(name, signature):
    for gap in ("\n\n", "\n"):
        text = f"It works again.{signature}\n\n{INTROS[name]}{gap}> Did you try\n>\n> turning it off?\n"
        assert own_words(text, subject="Re: Printer") == "It works again."


@pytest.mark.parametrize("name", INTROS)
def test_an_introduction_with_date_and_address_needs_no_marks_below(name):
    intro = INTROS[name]
    if "@" in intro and any(year in intro for year in ("2025", "/25", ".25")) and intro.rstrip("\ufeff").endswith(":"):
        text = f"It works again.\n\n{intro}\n\nDid you try\nturning it off?\n"
        assert own_words(text, subject="Re: Printer") == "It works again."


@pytest.mark.parametrize("signature", ["", "\n\n-- \nDana Reyes\nCustomer Ltd"])
@pytest.mark.parametrize("name", HEADS)
def test_all_below_the_head_of_the_older_mail_is_folded(name, signature):
    text = f"It works again.{signature}\n\n{HEADS[name]}\n\nold words\nmore\n"
    assert own_words(text, subject="Re: Printer") == "It works again."


@pytest.mark.parametrize("name", NEVER_HIDDEN)
def test_what_somebody_wrote_is_never_folded(name):
    text, subject = NEVER_HIDDEN[name]
    folded = [part.text for part in mark_quotes(text, subject=subject, for_page=True) if part.kind != "text"]
    assert "STAY" in text and not any("STAY" in part for part in folded)


@pytest.mark.parametrize(
    "subject", ["RE: x", "AW: x", "[EXT] [#12] RE[2]: x", "Re : x", "External: Antw.: x", "回复：x", "SV: x", ""]
)
def test_an_answer_is_told_by_its_subject(subject):
    assert own_words(f"It works.\n\n{HEAD}old", subject=subject) == "It works."
    assert "old" in own_words(f"It works.\n\n{HEAD}old", subject="Printer")
