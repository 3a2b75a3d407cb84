"""The words by which quotes, forwards and signatures are told: those of Outlook, Gmail, Apple Mail, Thunderbird, Notes
and the common phones in English, German, French, Spanish, Dutch, Italian and Portuguese."""

from __future__ import annotations

import re

# "On Tue, Dana wrote:". The verb may stand before the date ("Dana schrieb am ...") or behind it.
VERB = re.compile(
    r"\b(wrote|writes|schrieb|geschrieben|a écrit|escribió|escreveu|schreef|geschreven|ha scritto)\b"
    r"|^(quoting|zitat von|citando a|\*) .*<",
    re.IGNORECASE,
)
INTRO = re.compile(
    r"[\s-]{0,10}(on\b.{5,300}\bwrote|am\b.{5,300}\bschrieb.{0,120}|.{3,150}\bschrieb am\b.{3,80}"
    r"|.{3,150}\bhat am\b.{5,80}\bgeschrieben|(le|en date de)\b.{5,300}\ba écrit|el\b.{5,300}\bescribió"
    r"|op\b.{5,300}\b(schreef.{0,120}|geschreven)|.{3,150}\bschreef op\b.{3,80}|il\b.{5,300}\bha scritto"
    r"|(em|no dia|às)\b.{5,300}\bescreveu|.{3,150}\bescreveu \(.{5,80}\)"
    r"|.{3,150}\b(wrote|writes|schrieb|a écrit|escribió|schreef)|"
    r"(quoting|zitat von|citando a) .{0,100}<[^<>\s]+@.{3,100}>"
    r"|\* .{0,100}<[^<>\s]+@.{3,100}> \[\d{4}-\d\d-\d\d.{0,20}\])\s?[:.]?[\s\ufeff-]{0,10}",
    re.IGNORECASE,
)
# What Gmail once wrote: "2025-11-21 10:00 GMT+01:00 Help <help@shop.example>:"
DATED = re.compile(r"\s*\d{4}-\d\d-\d\d \d{1,2}:\d\d .{0,100}<[^<>@\s]+@[^<>\s]+>:\s*")
ADDRESS_AND_DATE = re.compile(r"(?=.*@)(?=.*\b\d{1,4}\b)", re.DOTALL)
ORIGINAL = re.compile(
    r"\s*-{2,}\s*((original|ursprüngliche|originele|oorspronkelijk)[ -]?(message|nachricht|mail|bericht)"
    r"|message (d['’]origine|original)|mensaje original|messaggio originale|mensagem original|reply message"
    r"|antwort|réponse)\s*-{2,}\s*",
    re.IGNORECASE,
)
FORWARD = re.compile(
    r"[\s>]*(-{2,}\s*(forwarded message|weitergeleitete (nachricht|mail)|message (transféré|réexpédié)"
    r"|mensaje reenviado|doorgestuurd bericht|messaggio inoltrato|mensagem encaminhada)\s*-{2,}"
    r"|-{2,}\s*(forwarded by|weitergeleitet von|transféré par|reenviado por|doorgestuurd door) .{3,150}-{2,}"
    r"|(begin forwarded message|anfang der weitergeleiteten (nachricht|e-mail)|début du message (transféré|réexpédié)"
    r"|inicio del mensaje reenviado|begin doorgestuurd bericht|inizio messaggio inoltrato)\s?:)\s*",
    re.IGNORECASE,
)
FROM_LINE = re.compile(r"\s*\*?(from|von|de|van|da)\s?:\*?\s.+", re.IGNORECASE)
MORE_LINE = re.compile(
    r"\s*\*?(sent|date|to|cc|subject|importance|reply-to|gesendet|datum|an|betreff|wichtigkeit|antwort an|envoyé( le)?"
    r"|à|objet|enviad[oa]( el)?|fecha|para|asunto|verzonden|aan|onderwerp|inviato|oggetto|data|assunto)\s?:\*?(\s.*)?",
    re.IGNORECASE,
)
RULE = re.compile(r"\s*[_-]{10,}\s*")
PHONE = re.compile(
    r"\s*(sent (from|via|with|by)\b(?!.*:$).{2,80}|get outlook for \w.{0,40}|sent from my .{2,60}"
    r"|(gesendet|versendet) (von|mit|über|vom)\b(?!.*:$).{2,80}|von (meinem|unterwegs)\b.{2,60}\bgesendet\.?"
    r"|von \w.{2,40}\b(mobile|mail|phone)\b gesendet\.?|diese nachricht wurde von mein.{5,100}gesendet\.?"
    r"|(holen sie sich|laden sie) outlook für .{2,40}|outlook für (ios|android)\b.{0,40}"
    r"|envoyé (de|depuis|à partir de|avec|via)\b.{2,80}|(télécharge[zr]|obtene[zr]|obtenir) outlook pour .{2,40}"
    r"|enviad[oa] (desde|con|mediante|de mi)\b.{2,80}|(obtener|obtenga|descargar?) outlook para .{2,40}"
    r"|(verstuurd|verzonden) (vanaf|vanuit|via|met|door)\b.{2,80}|(download|ontvang) outlook voor .{2,40}"
    r"|outlook voor (ios|android)\b.{0,40}|inviato da\b.{2,60}|enviado do meu .{2,60})\s*",
    re.IGNORECASE,
)
CLOSING = re.compile(
    r"\s*(mit (freundlichen|freundlichem|besten|vielen|herzlichen|lieben) (grüßen|gruß|grüssen|gruss)"
    r"|(freundliche|viele|beste|liebe|herzliche|schöne) (grüße|grüsse)( aus .{2,30})?|(best|kind|warm|many) regards"
    r"|kindest regards|regards|sincerely( yours)?|yours (sincerely|faithfully|truly)|best wishes"
    r"|(bien )?cordialement|(bien à vous|sincères salutations|meilleures salutations|cordiales salutations)"
    r"|(un )?(saludos?( cordial(es)?)?|cordial saludo)|atentamente|met (vriendelijke|hartelijke) groet(en)?"
    r"|(vriendelijke|hartelijke) groet(en)?|groet(en|jes)?|cordiali saluti|distinti saluti|saluti|cordialmente"
    r"|atenciosamente|(com os )?(melhores )?cumprimentos|grüße|gruß|grüsse|gruss|hochachtungsvoll"
    r"|(many )?thanks (and|&) (best |kind )?regards"
    r"|vielen dank und (viele|beste|freundliche) grüße|mfg|mvg|lg|vg)[\s,.!]*",
    re.IGNORECASE,
)
# What Notes writes above the mail it quotes: "Help ---21.11.2025 10:00:00---the first words of it"
NOTES = re.compile(r"\s*\S.{0,80} ---\d\d[./-]\d\d[./-]\d{4} \d\d:\d\d(:\d\d)?( [AP]M)?---.*")
REPLY_SUBJECT = re.compile(
    r"\s*(\[[^\[\]]{1,60}\]\s*|extern(al)?\s*:\s*)*"
    r"(re|aw|antw(ort)?\.?|sv|vs|res|rif|r|ref|odp|ynt|回复|答复|回覆|返信)"
    r"\s*([\[(]\d{1,3}[\])])?\s*[:：]",
    re.IGNORECASE,
)
# "See my answers below": then what stands below is not only old.
ANSWERS_BELOW = re.compile(
    r"\b(see|answer\w*|comment\w*|repl(y|ies)|respon\w+|notes?|mine)\b.{0,60}"
    r"\b(below|in-?line|in (red|blue|green|bold|capitals|caps)|between)\b"
    r"|\b(siehe|antwort\w*|anmerkung\w*|kommentar\w*)\b.{0,60}"
    r"\b(unten|darunter|im text|rot|blau|grün|inline|dazwischen)\b"
    r"|\b(voir|réponses?|commentaires?|remarques?)\b.{0,60}\b(ci-dessous|plus bas|dans le texte|en (rouge|bleu|vert))\b"
    r"|\b(ver|respuestas?|respondo|contesto|comentarios?)\b.{0,60}\b(abajo|debajo|entre líneas|en (rojo|azul|verde))\b"
    r"|\b(zie|antwoord\w*|opmerking\w*|reacties?)\b.{0,60}\b(hieronder|onder|in de tekst|tussendoor|rood|blauw|groen)\b"
    r"|\b(vedi|risposte?|rispondo|commenti)\b.{0,60}\b(sotto|in (rosso|blu|verde))\b"
    r"|\b(ver|veja|respostas?|respondo|coment[aá]rios?)\b.{0,60}\b(abaixo|em (vermelho|azul|verde))\b",
    re.IGNORECASE | re.DOTALL,
)
# Words of the sentences that stand in signatures.
BOILERPLATE = re.compile(
    r"confiden|vertraulich|vertrouwelijk|riservat|sigilos|disclaimer|intended|addressee|recipient|empfänger|destinat"
    r"|geadresseerde|environment|umwelt|ambiente|milieu|before printing|ausdruck|imprim|afdruk|registered|geschäftsführ"
    r"|amtsgericht|handelsregister|chamber of commerce|unsubscribe|privacy|datenschutz|typos|tippfehler|brevity"
    r"|scanned|virus-free|virenfrei|https?:|www\.|@",
    re.IGNORECASE,
)
SENTENCE_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
POSTSCRIPT = re.compile(r"\s*p\.?\s?s\.?[\s:.]", re.IGNORECASE)
