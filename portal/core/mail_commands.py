"""What a requester may order by mail: the first line of a reply is one word (docs/mail.md lists them)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.core.quoting import TEXT, mark_quotes

CLOSE, REOPEN, RATE = "close", "reopen", "rate"
# English, German, French, Spanish, Dutch. URGENT is `core/paging.py`'s.
WORDS: dict[str, tuple[str, ...]] = {
    CLOSE: (
        "close", "closed", "solved", "resolved", "fixed", "schließen", "schliessen", "gelöst", "geloest", "erledigt",
        "fermer", "résolu", "resolu", "cerrar", "resuelto", "solucionado", "sluiten", "opgelost",
    ),
    REOPEN: ("reopen", "re-open", "wieder öffnen", "wieder oeffnen", "rouvrir", "reabrir", "heropenen"),
    RATE: ("rate", "rating", "bewertung", "bewerten", "évaluation", "noter", "valoración", "valorar", "beoordeling"),
}  # fmt: skip
# What people put behind the word out of politeness.
_THANKS = (
    r"(many thanks|thanks( a lot| so much| all)?|thank you( so much| very much)?|cheers|danke( schön)?|vielen dank"
    r"|besten dank|merci( beaucoup)?|(muchas )?gracias|dank je( wel)?|dank u( wel)?|bedankt|now|it works( now)?)"
)
_RATING = re.compile(r"[\s:=]*([1-5])\s*(?:(?:/|of|von|sur|de|van)\s*5)?\s*(?:stars?|sterne?|étoiles?|estrellas?)?")
_TRIM = " \t.,;:!*_\"'“”‘’()[]-–—"
_LONGEST_REST = 300


@dataclass(frozen=True)
class MailCommand:
    """An order. `rating` is 1 (bad) to 5 for RATE, else 0; `rest` what else was said."""

    kind: str
    rating: int = 0
    rest: str = ""


def parse_command(text: str) -> MailCommand | None:
    """The order a reply begins with, None when it is only words.

    Only the sender's own first line counts, and only when it holds nothing but the word (and thanks): "Close the
    window" orders nothing. Whoever says much more, or asks something, after CLOSE is not done: that is a reply.
    """
    own = "\n".join(one.text for one in mark_quotes(text) if one.kind == TEXT).strip()
    line, _, rest = own.partition("\n")
    line, rest = line.strip().strip(_TRIM).casefold(), rest.strip()
    rating = _parse_rating(line)
    if rating:
        return MailCommand(RATE, rating, rest[:2000])
    for kind in (CLOSE, REOPEN):
        if _is_only(line, WORDS[kind]):
            has_more = kind == CLOSE and (len(rest) > _LONGEST_REST or "?" in rest)
            return None if has_more else MailCommand(kind, rest=rest)
    return None


def _parse_rating(line: str) -> int:
    for word in WORDS[RATE]:
        if line.startswith(word.casefold()):
            found = _RATING.fullmatch(line[len(word.casefold()) :])
            return int(found.group(1)) if found else 0
    return 0


def _is_only(line: str, words: tuple[str, ...]) -> bool:
    for word in words:
        if line.startswith(word.casefold()):
            rest = line[len(word.casefold()) :].strip(_TRIM)
            if not rest or re.fullmatch(_THANKS, rest):
                return True
    return False
