"""Which words of a text a spelling corrector may look at at all.

Left alone: quoted mail, code blocks, log lines, commands, lines in another language; and in what is left every
token that is no plain word: addresses, paths, hosts, anything with a digit, an inner capital or a sign within.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.core.languages import ENGLISH, FOREIGN

_TOKEN = re.compile(r"\S+")
_PLAIN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_OPENING = "([{\"'“‘„«*"
_CLOSING = ")]}\"'”’»*.,;:!?…"
_SENTENCE_END = re.compile(r"[.!?:]['\"”)]*$")
_QUOTED = re.compile(r"\s*[>|]")
_FENCE = re.compile(r"\s*(```|~~~)")
_MAIL_HEADER = re.compile(r"\s*(from|to|cc|bcc|sent|date|von|an|gesendet|betreff|subject)\s*:", re.I)
_MACHINE = re.compile(
    r"""
    # a time stamp; a log level before a name
      \d{4}-\d\d-\d\d[T ]\d\d:\d\d | \b\d\d:\d\d:\d\d\b
    | ^\s*[\[(]?(?i:trace|debug|info|warn(?:ing)?|error|fatal|crit(?:ical)?)[\])]?\s*[:|\[\]-]\s*\S*[.\[(/=]
    # a prompt; a stack trace
    | ^\s*(?:[$%]|PS\b[^>]*>|[A-Za-z]:\\[^>]*>|sudo\s|\w+@[\w.-]+[:~$#])
    | ^\s*(?:at\s+[\w.$<>]+\(|File\s"|Traceback\s|Caused\sby:|Exception\sin)
    # code, markup, settings, options
    | ^\s*(?:import|from|using|def|class|function|var|let|const|return|public|private|static|SELECT)\s.*[;:(){}=]$
    | ^\s*<[/!?\w][^>]*> | <\/\w+>\s*$ | [;{]\s*$
    | ^\s*["']?[\w.-]+["']?\s*[:=]\s*["'\[{\d]
    | \s(?:--\w[\w-]*|-[a-z]|-[A-Z]\w+)(?:[=\s]|$)
    """,
    re.VERBOSE,
)
_CODE_SPAN = re.compile(r"`[^`\n]*`|<[^<>\n]*>|\{[^{}\n]*\}|https?://\S+|\"[^\"\n\\/_=]*[\\/_=][^\"\n]*+\"")


@dataclass(frozen=True)
class Word:
    """A plain word and where it stands: `text[start:end]`."""

    start: int
    end: int
    text: str
    opens_sentence: bool

    @property
    def lower(self) -> str:
        """The word as the lists have it."""
        return self.text.lower().replace("’", "'")

    @property
    def is_capitalised(self) -> bool:
        """Whether it begins with a capital: the start of a sentence, or a name."""
        return self.text[0].isupper()


def find_prose(text: str, *, is_right: Callable[[str], bool], is_listed: Callable[[str], bool]) -> list[Word]:
    """The words of `text` that are English prose, in order.

    `is_right` tells the lower-case words of the language, `is_listed` its known misspellings: a line full of other
    words is in another language, or no language at all.
    """
    lines = [_words_of(line, offset) for line, offset in _prose_lines(text)]
    is_english_text = not _is_foreign([word for words in lines for word in words])
    found: list[Word] = []
    for words in lines:
        wrong = [word.lower for word in words if not is_right(word.lower)]
        strange = sum(1 for word in wrong if not is_listed(word))
        if len(wrong) < len(words) and _is_english_line(words, strange, is_english_text):
            found += words
    return found


def _prose_lines(text: str) -> Iterator[tuple[str, int]]:
    offset, in_fence = 0, False
    for line in text.splitlines(keepends=True):
        is_fence = bool(_FENCE.match(line))
        in_fence ^= is_fence
        if not in_fence and not is_fence and not _is_machine_line(line):
            yield line, offset
        offset += len(line)


def _is_machine_line(line: str) -> bool:
    if _QUOTED.match(line) or _MAIL_HEADER.match(line) or _MACHINE.search(line.rstrip()):
        return True
    tokens = line.split()
    plain = sum(1 for token in tokens if _PLAIN.fullmatch(token.strip(_OPENING + _CLOSING)))
    return len(tokens) > 1 and plain * 2 < len(tokens)


def _words_of(line: str, offset: int) -> list[Word]:
    masked = _CODE_SPAN.sub(lambda found: "\0" * len(found.group()), line)
    words: list[Word] = []
    opens_sentence = True
    for token in _TOKEN.finditer(masked):
        raw = token.group()
        core = raw.lstrip(_OPENING)
        start = offset + token.start() + len(raw) - len(core)
        core = core.rstrip(_CLOSING)
        if _is_plain(core):
            words.append(Word(start, start + len(core), core, opens_sentence))
        opens_sentence = bool(_SENTENCE_END.search(raw)) or (opens_sentence and not any(map(str.isalnum, raw)))
    return words


def _is_plain(core: str) -> bool:
    return bool(_PLAIN.fullmatch(core)) and core[1:].islower()


def _hits(words: list[Word], listed: frozenset[str]) -> int:
    return sum(1 for word in words if word.lower in listed)


def _is_foreign(words: list[Word]) -> bool:
    return max(_hits(words, listed) for listed in FOREIGN.values()) > _hits(words, ENGLISH)


def _is_english_line(words: list[Word], strange: int, is_english_text: bool) -> bool:
    english = _hits(words, ENGLISH)
    if _is_foreign(words) or (english < 2 and not is_english_text):
        return False
    return strange <= 1 or strange * 3 <= len(words) or (english > 0 and strange * 2 <= len(words))
