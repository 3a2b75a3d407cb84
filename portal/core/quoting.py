"""Where the quoted text and the signature of a mail begin, so that pages can fold them. Nothing is ever cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from portal.core.quote_words import (
    ADDRESS_AND_DATE,
    ANSWERS_BELOW,
    BOILERPLATE,
    CLOSING,
    DATED,
    FORWARD,
    FROM_LINE,
    INTRO,
    MORE_LINE,
    NOTES,
    ORIGINAL,
    PHONE,
    POSTSCRIPT,
    REPLY_SUBJECT,
    RULE,
    SENTENCE_WORD,
    VERB,
)

TEXT = "text"
QUOTE = "quote"
SIGNATURE = "signature"

# Lines with words that may follow "-- ", a closing such as "Best regards", and "Sent from my phone".
_MARKED_LINES, _CLOSING_LINES, _PHONE_LINES = 50, 15, 7
_FORWARDED = "forwarded"
_BELOW = "below"  # all that stands below the head of an older mail, without marks of its own


@dataclass(frozen=True)
class Segment:
    """A stretch of lines of one kind. Joined with newlines, all segments give the text again."""

    kind: str
    text: str


def mark_quotes(text: str, *, subject: str = "", for_page: bool = False) -> tuple[Segment, ...]:
    """Text, quoted text and signature of a mail body, in their order. Forwarded mail is text: it is the request.

    `subject` tells an answer ("Re:") from a forward, whose body may have no other sign of it, and from a new mail,
    in which nothing is older than itself; without a subject it is taken for an answer.
    `for_page`: where somebody may have written within an older mail that has no marks, that is text too.
    """
    lines = text.split("\n")
    is_answer = not subject.strip() or bool(REPLY_SUBJECT.match(subject))
    kinds = _quoted_lines(lines, is_answer=is_answer)
    _join_gaps(lines, kinds)
    _mark_signatures(lines, kinds)
    below = TEXT if for_page and not _is_only_old(lines, kinds) else QUOTE
    runs: list[tuple[str, list[str]]] = []
    for line, found in zip(lines, kinds, strict=True):
        kind = below if found == _BELOW else TEXT if found == _FORWARDED else found
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


def _quoted_lines(lines: list[str], *, is_answer: bool) -> list[str]:
    """For each line whether it is text, quoted, below the head of an older mail, or forwarded."""
    kinds: list[str] = []
    rest, intro_until, has_intro = "", 0, is_answer
    for index, line in enumerate(lines):
        if not rest and line and not line.isspace():
            rest = _rest_kind(lines, index, is_answer=is_answer)
            if not rest and index >= intro_until:
                intro_until = index + _intro_lines(lines, index)
                has_intro = has_intro or intro_until > index
        kinds.append(rest or (QUOTE if line.startswith(">") or index < intro_until else TEXT))
    return kinds if has_intro else [TEXT if kind == QUOTE else kind for kind in kinds]


def _is_only_old(lines: list[str], kinds: list[str]) -> bool:
    """Whether nobody wrote between the lines of an older mail that has no marks: something new stands above it, and
    does not point down."""
    own = "\n".join(line for line, kind in zip(lines, kinds, strict=True) if kind == TEXT).strip()
    return bool(own) and not ANSWERS_BELOW.search(own[-2000:])


def _join_gaps(lines: list[str], kinds: list[str]) -> None:
    """Empty lines between two quoted stretches and after the last are quoted too."""
    last, gap = "", 0
    for index, kind in enumerate(kinds):
        if kind == TEXT and not lines[index].strip():
            continue
        if kind in (QUOTE, _BELOW) and last == QUOTE:
            kinds[gap:index] = [QUOTE] * (index - gap)
        last, gap = kind, index + 1
    if last == QUOTE:
        kinds[gap:] = [QUOTE] * (len(kinds) - gap)


def _mark_signatures(lines: list[str], kinds: list[str]) -> None:
    """A signature stands at the end of what a person wrote: before a quote, a forwarded mail or the end."""
    end = len(lines)
    first = next((index for index, line in enumerate(lines) if line.strip()), end)
    while end > 0:
        if kinds[end - 1] != TEXT:
            end -= 1
            continue
        start = end
        while start > 0 and kinds[start - 1] == TEXT:
            start -= 1
        found = _signature_start(lines, start, end, first=first)
        kinds[found:end] = [SIGNATURE] * (end - found)
        end = start


def _signature_start(lines: list[str], start: int, end: int, *, first: int) -> int:
    """Where in this stretch of text the signature begins; `end` for none. `first`: the mail's first line with words."""
    found, below = end, 0
    for index in range(end - 1, max(start, end - 150) - 1, -1):
        line = lines[index]
        most = _most_below(line) if index > first else _most_below_nothing(line)
        if below <= most and (most == _MARKED_LINES or not _is_more_than_a_signature(lines[index + 1 : found])):
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
    if PHONE.fullmatch(line):
        return _PHONE_LINES
    return _CLOSING_LINES if CLOSING.fullmatch(line) else -1


def _most_below_nothing(line: str) -> int:
    """The same where nothing stands above: a greeting at the beginning is none at the end."""
    return -1 if CLOSING.fullmatch(line) or line == "--" else _most_below(line)


def _is_more_than_a_signature(lines: list[str]) -> bool:
    """Whether somebody went on writing below a closing: a postscript, or a sentence that is none of those which
    companies put there."""
    if any(len(line) > 160 or POSTSCRIPT.match(line) for line in lines):
        return True
    paragraphs = "\n".join(line.strip() for line in lines).split("\n\n")
    said = [paragraph for paragraph in paragraphs if not BOILERPLATE.search(paragraph)]
    return any(_is_sentence(text) for paragraph in said for text in (*paragraph.split("\n"), paragraph))


def _is_sentence(text: str) -> bool:
    words: list[str] = SENTENCE_WORD.findall(text)
    small = sum(word[0].islower() for word in words)
    if len(words) < 4:
        return False
    return small >= 0.4 * len(words) if text.rstrip()[-1:] in (".", "!", "?") else small >= 0.8 * len(words)


def _rest_kind(lines: list[str], index: int, *, is_answer: bool) -> str:
    """The kind of everything from this line on, "" while the text goes on."""
    line = lines[index]
    start = line.lstrip("> \t")[:2].lower()
    if (start == "--" or start[:1] in "badi") and FORWARD.fullmatch(line[:200]):
        return _FORWARDED
    is_head = (start == "--" and ORIGINAL.fullmatch(line[:200])) or _is_outlook_header(lines, index)
    if is_head or ("---" in line and NOTES.fullmatch(line[:300]) and _has_head_below(lines, index)):
        return _BELOW if is_answer else _FORWARDED
    return _BELOW if _opens_unmarked_quote(lines, index) else ""


def _has_head_below(lines: list[str], index: int) -> bool:
    return any(_is_outlook_header(lines, below) for below in range(index + 1, min(index + 5, len(lines))))


def _is_outlook_header(lines: list[str], index: int) -> bool:
    line = lines[index].lstrip()
    if line[:1] not in ("_", "-") and ":" not in line[:10]:
        return False
    start = index + 1 if RULE.fullmatch(line[:200]) else index
    while start > index and start < len(lines) and start < index + 3 and not lines[start].strip():
        start += 1
    window = [line[:300] for line in lines[start : start + 7] if line.strip()]
    if len(window) < 3:
        return False
    if FROM_LINE.fullmatch(window[0]):
        return sum(1 for line in window[1:] if MORE_LINE.fullmatch(line)) >= 2
    # GMX, Web.de and Notes begin with the date or the receiver.
    is_header = MORE_LINE.fullmatch(window[0]) and any(FROM_LINE.fullmatch(line) for line in window[1:3])
    return bool(is_header) and sum(1 for line in window if MORE_LINE.fullmatch(line)) >= 3


def _intros(lines: list[str], index: int) -> Iterator[tuple[str, int]]:
    """The introductions of one to three lines that may begin here, and how many lines each takes."""
    joined = ""
    for used in range(1, 4):
        if index + used > len(lines) or len(lines[index + used - 1]) > 400:
            return
        line = lines[index + used - 1]
        if used > 1 and (not line.strip() or line.startswith(">")):
            return
        joined = f"{joined} {line}".strip()
        if (VERB.search(joined) and INTRO.fullmatch(joined)) or (used == 1 and DATED.fullmatch(joined)):
            yield joined, used


def _intro_lines(lines: list[str], index: int) -> int:
    """How many lines an introduction takes that begins here, 0 for none. It counts only where a quote follows it:
    people write "On Monday Bob wrote:" too."""
    for _, used in _intros(lines, index):
        if _next_line(lines, index + used).startswith(">"):
            return used
    return 0


def _opens_unmarked_quote(lines: list[str], index: int) -> bool:
    """An introduction with a date and an address is one even where nothing is marked with ">" below it."""
    for joined, used in _intros(lines, index):
        if joined.rstrip("\ufeff").endswith(":") and ADDRESS_AND_DATE.match(joined):
            following = _next_line(lines, index + used)
            return bool(following) and not following.startswith(">")
    return False


def _next_line(lines: list[str], start: int) -> str:
    return next((one for one in lines[start : start + 4] if one.strip(" \t\r\ufeff\xa0")), "")
