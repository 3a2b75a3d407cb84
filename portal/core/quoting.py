"""Where the quoted text and the signature of a mail begin, so that pages can fold them. Nothing is ever cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

TEXT = "text"
QUOTE = "quote"
SIGNATURE = "signature"

# "On Tue, Dana wrote:" as the common clients say it in English, German, French, Spanish and Dutch.
_INTRO = re.compile(
    r"\s*(on\b.{5,200}\bwrote|am\b.{5,200}\bschrieb.{0,80}|.{5,120}\bschrieb am\b.{3,80}"
    r"|le\b.{5,200}\ba écrit|el\b.{5,200}\bescribió|op\b.{5,200}\bschreef.{0,80})\s*:\s*",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"\s*-{2,}\s*(original message|ursprüngliche nachricht|original nachricht|message d'origine|mensaje original"
    r"|oorspronkelijk bericht)\s*-{2,}\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"\s*(-{2,}\s*(forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|doorgestuurd bericht)\s*-{2,}|begin forwarded message:|anfang der weitergeleiteten nachricht:)\s*",
    re.IGNORECASE,
)
_FROM_LINE = re.compile(r"\s*\*?(from|von|de|van)\s?:\*?\s.+", re.IGNORECASE)
_MORE_LINE = re.compile(
    r"\s*\*?(sent|gesendet|date|datum|envoyé|enviado|verzonden|to|an|à|para|aan|subject|betreff|objet|asunto"
    r"|onderwerp)\s?:\*?\s.*",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*_{10,}\s*")


@dataclass(frozen=True)
class Segment:
    """A stretch of lines of one kind. Joined with newlines, all segments give the text again."""

    kind: str
    text: str


def mark_quotes(text: str) -> tuple[Segment, ...]:
    """Text, quoted text and signature of a mail body, in their order. Forwarded mail is text: it is the request."""
    kinds = _line_kinds(text.split("\n"))
    segments: list[Segment] = []
    for kind, line in kinds:
        if segments and segments[-1].kind == kind:
            segments[-1] = Segment(kind, f"{segments[-1].text}\n{line}")
        else:
            segments.append(Segment(kind, line))
    return tuple(segments)


def own_words(text: str) -> str:
    """The text without quotes and signature: what triage and texts read. All of it where nothing else is left."""
    kept = "\n".join(segment.text for segment in mark_quotes(text) if segment.kind == TEXT).strip()
    return kept or text.strip()


def _line_kinds(lines: list[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rest = ""
    for index, line in enumerate(lines):
        if not rest:
            rest = _rest_kind(lines, index)
        if rest == QUOTE or (not rest and (line.startswith(">") or _is_intro(lines, index))):
            found.append((QUOTE, line))
        else:
            found.append((rest or TEXT, line))
    return found


def _rest_kind(lines: list[str], index: int) -> str:
    """The kind of everything from this line on, "" while the text goes on."""
    line = lines[index]
    if _FORWARD.fullmatch(line[:200]):
        return TEXT
    if line in ("-- ", "--"):
        return SIGNATURE
    if _ORIGINAL.fullmatch(line[:200]) or _is_outlook_header(lines, index):
        return QUOTE
    return ""


def _is_outlook_header(lines: list[str], index: int) -> bool:
    start = index + 1 if _RULE.fullmatch(lines[index][:200]) else index
    window = [line[:300] for line in lines[start : start + 6]]
    if not window or not _FROM_LINE.fullmatch(window[0]):
        return False
    return sum(1 for line in window[1:] if _MORE_LINE.fullmatch(line)) >= 2


def _is_intro(lines: list[str], index: int) -> bool:
    """An introduction counts only where a quote follows it: people write "On Monday Bob wrote:" too."""
    line = lines[index][:400]
    joined = line + " " + (lines[index + 1][:200] if index + 1 < len(lines) else "")
    used = 1 if _INTRO.fullmatch(line) else 2 if _INTRO.fullmatch(joined) else 0
    following = next((one for one in lines[index + used : index + used + 4] if one.strip()), "")
    return used > 0 and following.startswith(">")
