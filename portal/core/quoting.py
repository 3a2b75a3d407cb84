"""Where the quoted text and the signature of a mail begin, so that pages can fold them. Nothing is ever cut.

The words are those of Outlook, Gmail, Apple Mail, Thunderbird and the common phones in English, German, French, Spanish
and Dutch, and of some in Italian and Portuguese.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TEXT = "text"
QUOTE = "quote"
SIGNATURE = "signature"

# "On Tue, Dana wrote:". The verb may stand before the date ("Dana schrieb am ...") or behind it.
_VERB = re.compile(
    r"\b(wrote|writes|schrieb|geschrieben|a écrit|escribió|escreveu|schreef|geschreven|ha scritto)\b", re.IGNORECASE
)
_INTRO = re.compile(
    r"[\s-]{0,10}(on\b.{5,300}\bwrote|am\b.{5,300}\bschrieb.{0,120}|.{3,150}\bschrieb am\b.{3,80}"
    r"|.{3,150}\bhat am\b.{5,80}\bgeschrieben|(le|en date de)\b.{5,300}\ba écrit|el\b.{5,300}\bescribió"
    r"|op\b.{5,300}\b(schreef.{0,120}|geschreven)|.{3,150}\bschreef op\b.{3,80}|il\b.{5,300}\bha scritto"
    r"|em\b.{5,300}\bescreveu|.{3,150}\b(wrote|writes|schrieb|a écrit|escribió|schreef))\s?[:.]?[\s-]{0,10}",
    re.IGNORECASE,
)
# What Gmail once wrote: "2025-11-21 10:00 GMT+01:00 Help <help@shop.example>:"
_DATED = re.compile(r"\s*\d{4}-\d\d-\d\d \d{1,2}:\d\d .{0,100}<[^<>@\s]+@[^<>\s]+>:\s*")
_ADDRESS_AND_DATE = re.compile(r"(?=.*@)(?=.*\b\d{1,4}\b)", re.DOTALL)
_ORIGINAL = re.compile(
    r"\s*-{2,}\s*((original|ursprüngliche|originele|oorspronkelijk)[ -]?(message|nachricht|mail|bericht)"
    r"|message (d'origine|original)|mensaje original|messaggio originale|mensagem original|reply message"
    r"|antwort|réponse)\s*-{2,}\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"[\s>]*(-{2,}\s*(forwarded message|weitergeleitete (nachricht|mail)|message (transféré|réexpédié)"
    r"|mensaje reenviado|doorgestuurd bericht|messaggio inoltrato|mensagem encaminhada)\s*-{2,}"
    r"|-{2,}\s*(forwarded by|weitergeleitet von|transféré par|reenviado por|doorgestuurd door) .{3,150}-{2,}"
    r"|(begin forwarded message|anfang der weitergeleiteten (nachricht|e-mail)|début du message (transféré|réexpédié)"
    r"|inicio del mensaje reenviado|begin doorgestuurd bericht|inizio messaggio inoltrato)\s?:)\s*",
    re.IGNORECASE,
)
_FORWARDED_SUBJECT = re.compile(r"\s*(fwd?|wg|tr|rv|enc|doorst|vl|i|weitergeleitet)\s*[:：]", re.IGNORECASE)
_FROM_LINE = re.compile(r"\s*\*?(from|von|de|van|da)\s?:\*?\s.+", re.IGNORECASE)
_MORE_LINE = re.compile(
    r"\s*\*?(sent|date|to|cc|subject|importance|reply-to|gesendet|datum|an|betreff|wichtigkeit|antwort an|envoyé( le)?"
    r"|à|objet|enviad[oa]( el)?|fecha|para|asunto|verzonden|aan|onderwerp|inviato|oggetto|data|assunto)\s?:\*?(\s.*)?",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[_-]{10,}\s*")
_PHONE = re.compile(
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
_CLOSING = re.compile(
    r"\s*(mit (freundlichen|freundlichem|besten|vielen|herzlichen|lieben) (grüßen|gruß|grüssen|gruss)"
    r"|(freundliche|viele|beste|liebe|herzliche|schöne) (grüße|grüsse)( aus .{2,30})?|(best|kind|warm|many) regards"
    r"|kindest regards|regards|sincerely( yours)?|yours (sincerely|faithfully|truly)|best wishes"
    r"|(bien )?cordialement|(bien à vous|sincères salutations|meilleures salutations|cordiales salutations)"
    r"|(un )?(saludos?( cordial(es)?)?|cordial saludo)|atentamente|met (vriendelijke|hartelijke) groet(en)?"
    r"|(vriendelijke|hartelijke) groet(en)?|cordiali saluti|distinti saluti|atenciosamente|mfg)[\s,.!]*",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"\s*p\.?\s?s\.?[\s:.]", re.IGNORECASE)
# Lines with words that may follow "-- ", a closing such as "Best regards", and "Sent from my phone".
_MARKED_LINES, _CLOSING_LINES, _PHONE_LINES = 50, 15, 7
_FORWARDED = "forwarded"


@dataclass(frozen=True)
class Segment:
    """A stretch of lines of one kind. Joined with newlines, all segments give the text again."""

    kind: str
    text: str


def mark_quotes(text: str, *, subject: str = "") -> tuple[Segment, ...]:
    """Text, quoted text and signature of a mail body, in their order. Forwarded mail is text: it is the request.

    `subject` tells a mail that Outlook forwarded, whose body has no other sign of it, from an answer.
    """
    lines = text.split("\n")
    kinds = _quoted_lines(lines, is_forward=bool(_FORWARDED_SUBJECT.match(subject)))
    _join_gaps(lines, kinds)
    _mark_signatures(lines, kinds)
    runs: list[tuple[str, list[str]]] = []
    for line, found in zip(lines, kinds, strict=True):
        kind = TEXT if found == _FORWARDED else found
        if runs and runs[-1][0] == kind:
            runs[-1][1].append(line)
        else:
            runs.append((kind, [line]))
    return tuple(Segment(kind, "\n".join(run)) for kind, run in runs)


def own_words(text: str, *, subject: str = "") -> str:
    """The text without quotes and signature: what triage and texts read. All of it where nothing else is left."""
    segments = mark_quotes(text, subject=subject)
    kept = "\n".join(segment.text for segment in segments if segment.kind == TEXT).strip()
    return kept or text.strip()


def _quoted_lines(lines: list[str], *, is_forward: bool) -> list[str]:
    """For each line whether it is text, quoted or forwarded."""
    kinds: list[str] = []
    rest, intro_until = "", 0
    for index, line in enumerate(lines):
        if not rest and line and not line.isspace():
            rest = _rest_kind(lines, index, is_forward=is_forward)
            if not rest and index >= intro_until:
                intro_until = index + _intro_lines(lines, index)
        kinds.append(rest or (QUOTE if line.startswith(">") or index < intro_until else TEXT))
    return kinds


def _join_gaps(lines: list[str], kinds: list[str]) -> None:
    """Empty lines between two quoted stretches and after the last are quoted too."""
    last, gap = "", 0
    for index, kind in enumerate(kinds):
        if kind == TEXT and not lines[index].strip():
            continue
        if kind == last == QUOTE:
            kinds[gap:index] = [QUOTE] * (index - gap)
        last, gap = kind, index + 1
    if last == QUOTE:
        kinds[gap:] = [QUOTE] * (len(kinds) - gap)


def _mark_signatures(lines: list[str], kinds: list[str]) -> None:
    """A signature stands at the end of what a person wrote: before a quote, a forwarded mail or the end."""
    end = len(lines)
    while end > 0:
        if kinds[end - 1] != TEXT:
            end -= 1
            continue
        start = end
        while start > 0 and kinds[start - 1] == TEXT:
            start -= 1
        found = _signature_start(lines, start, end)
        kinds[found:end] = [SIGNATURE] * (end - found)
        end = start


def _signature_start(lines: list[str], start: int, end: int) -> int:
    """Where in this stretch of text the signature begins; `end` for none."""
    found, below = end, 0
    for index in range(end - 1, max(start, end - 150) - 1, -1):
        line = lines[index]
        most = _most_below(line)
        if below <= most and (most != _CLOSING_LINES or not _is_long_or_postscript(lines[index + 1 : found])):
            found = index
        below += bool(line.strip())
        if below > _MARKED_LINES:
            break
    return found


def _most_below(line: str) -> int:
    """How many lines with words may follow a line for it to begin a signature; -1: it begins none."""
    if line == "-- ":
        return _MARKED_LINES
    if line == "--":
        return _CLOSING_LINES + 1
    if not line or len(line) > 120:
        return -1
    if _PHONE.fullmatch(line):
        return _PHONE_LINES
    return _CLOSING_LINES if _CLOSING.fullmatch(line) else -1


def _is_long_or_postscript(lines: list[str]) -> bool:
    return any(len(line) > 160 or _POSTSCRIPT.match(line) for line in lines)


def _rest_kind(lines: list[str], index: int, *, is_forward: bool) -> str:
    """The kind of everything from this line on, "" while the text goes on."""
    line = lines[index]
    start = line.lstrip("> \t")[:2].lower()
    if (start == "--" or start[:1] in "badi") and _FORWARD.fullmatch(line[:200]):
        return _FORWARDED
    if (start == "--" and _ORIGINAL.fullmatch(line[:200])) or _is_outlook_header(lines, index):
        return _FORWARDED if is_forward else QUOTE
    return QUOTE if _opens_unmarked_quote(lines, index) else ""


def _is_outlook_header(lines: list[str], index: int) -> bool:
    line = lines[index].lstrip()
    if line[:1] not in ("_", "-") and ":" not in line[:10]:
        return False
    start = index + 1 if _RULE.fullmatch(line[:200]) else index
    while start > index and start < len(lines) and start < index + 3 and not lines[start].strip():
        start += 1
    window = [line[:300] for line in lines[start : start + 7] if line.strip()]
    if len(window) < 3:
        return False
    if _FROM_LINE.fullmatch(window[0]):
        return sum(1 for line in window[1:] if _MORE_LINE.fullmatch(line)) >= 2
    # GMX, Web.de and Notes begin with the date or the receiver.
    is_header = _MORE_LINE.fullmatch(window[0]) and any(_FROM_LINE.fullmatch(line) for line in window[1:3])
    return bool(is_header) and sum(1 for line in window if _MORE_LINE.fullmatch(line)) >= 3


def _intro_lines(lines: list[str], index: int) -> int:
    """How many lines an introduction takes that begins here, 0 for none. It counts only where a quote follows it:
    people write "On Monday Bob wrote:" too."""
    joined = ""
    for used in range(1, 4):
        if index + used > len(lines) or len(lines[index + used - 1]) > 400:
            return 0
        line = lines[index + used - 1]
        if used > 1 and (not line.strip() or line.startswith(">")):
            return 0
        joined = f"{joined} {line}".strip()
        if (_VERB.search(line) and _INTRO.fullmatch(joined)) or (used == 1 and _DATED.fullmatch(joined)):
            following = next((one for one in lines[index + used : index + used + 4] if one.strip()), "")
            return used if following.startswith(">") else 0
    return 0


def _opens_unmarked_quote(lines: list[str], index: int) -> bool:
    """An introduction with a date and an address is one even where nothing is marked with ">" below it."""
    line = lines[index]
    if len(line) > 400 or not line.rstrip().endswith(":") or not (_VERB.search(line) or _DATED.fullmatch(line)):
        return False
    if not ((_INTRO.fullmatch(line) or _DATED.fullmatch(line)) and _ADDRESS_AND_DATE.match(line)):
        return False
    following = [one for one in lines[index + 1 : index + 5] if one.strip()]
    return bool(following) and not following[0].startswith(">")
