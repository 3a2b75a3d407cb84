"""What a text that came back means, and what it does given the person's open pages (product.md 4)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.core import sms_words as words
from portal.core.sms_words import OpenItem

UNDO_WITHIN = timedelta(minutes=10)
MAX_HELPS = 3

_QUOTES = " \t\"'“”„‘’‚«»`*_()[]<>{}"
_SEPARATORS = " \t\n.,:;!)-–—/=+&"
_STOP = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
_START = {"start", "unstop"}
_TAKE = {"a", "ack", "acknowledge", "acknowledged", "take"}
_CLOSE = {"c", "close", "closed", "done", "resolve", "resolved"}
_CHATTY = re.compile(
    r"(ok(ay)?|k|y(es|ep|eah|up)?|on (my way|it)|omw|i'?m on (it|my way)|coming|got it|sure|thanks?|thank you|thx|ty|"
    r"will do|roger|copy|received|looking|(liked|loved|emphasized|laughed at|questioned|disliked) .+)\b",
    re.IGNORECASE | re.DOTALL,
)
_COMMAND = re.compile(
    r"(?:#?(?P<code>\d{1,9})[\s.,:;)\-–—/]*)?(?P<word>[a-z]+|\?)(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)
_HOURS = re.compile(
    r"(\d{1,2})\s*h(?:ours?|rs?)?(?:\s*(\d{1,2})\s*(?:m(?:in(?:ute)?s?)?)?)?(?![a-z0-9])", re.IGNORECASE
)
_MINUTES = re.compile(r"(\d{1,4})\s*(?:m(?:in(?:ute)?s?)?\b|'|$)", re.IGNORECASE)
_NUMBER = re.compile(r"#?(\d{1,9})(?![a-z0-9])", re.IGNORECASE)


class Kind(StrEnum):
    """What the sender wants."""

    TAKE = "take"
    CLOSE = "close"
    UNDO = "undo"
    HELP = "help"
    CHATTY = "chatty"
    STOP = "stop"
    START = "start"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """A text, understood. `code` is the person's short code or a ticket number; `note` the sender's own words."""

    kind: Kind
    code: int | None = None
    minutes: int | None = None
    note: str = ""


def parse_answer(text: str) -> Answer:
    """Any spacing, case and quotes. Quoted lines (">") are not the sender's words and are left out.

    "A" alone or with a code acknowledges; "A long story" does not, for a wrong acknowledgement silences a page.
    """
    said = _own_words(text)
    plain = said.casefold().strip(_QUOTES + ".!")
    if plain in _STOP or plain in _START:
        return Answer(Kind.STOP if plain in _STOP else Kind.START)
    match = _COMMAND.match(said)
    if match and (answer := _command(match)):
        return answer
    if _CHATTY.match(said) or "👍" in said or "👌" in said:
        return Answer(Kind.CHATTY, note=said)
    return Answer(Kind.UNKNOWN, note=said)


def _own_words(text: str) -> str:
    lines = [line for line in unicodedata.normalize("NFKC", text).splitlines() if not line.lstrip().startswith(">")]
    return "\n".join(lines).replace("\ufe0f", "").strip().strip(_QUOTES).strip()


def _command(match: re.Match[str]) -> Answer | None:
    word, rest = match["word"].casefold(), match["rest"].lstrip("\"'”’)]")
    code = int(match["code"]) if match["code"] else None
    if word in ("help", "info", "?", "undo"):
        return Answer(Kind.UNDO if word == "undo" else Kind.HELP, code)
    if word in _TAKE:
        return _take(word, code, rest)
    return _close(word, code, rest) if word in _CLOSE else None


def _take(word: str, code: int | None, rest: str) -> Answer:
    code, rest, is_loose = _code_after(code, rest)
    note = rest.strip(_SEPARATORS)
    if code is None and is_loose and not _CHATTY.match(note):
        return Answer(Kind.CHATTY, note=f"{word} {note}")
    return Answer(Kind.TAKE, code, note=note)


def _close(word: str, code: int | None, rest: str) -> Answer | None:
    had_code = code is not None
    found = _time(rest, bare=had_code)
    if found is None:
        code, rest, is_loose = _code_after(code, rest)
        if code is None and is_loose and word != "c":
            return None
        found = _time(rest, bare=code is not None)
    minutes, rest = found if found else (None, rest)
    return Answer(Kind.CLOSE, code, minutes, rest.strip(_SEPARATORS))


def _code_after(code: int | None, rest: str) -> tuple[int | None, str, bool]:
    """The code, what follows it, and whether words follow the letter with nothing but a space between."""
    body = rest.lstrip(_SEPARATORS)
    if code is None and (match := _NUMBER.match(body)):
        return int(match[1]), body[match.end() :], False
    return code, rest, bool(body) and rest[: len(rest) - len(body)].strip(" \t") == ""


def _time(rest: str, *, bare: bool) -> tuple[int, str] | None:
    """Minutes at the start of what follows a C, and the rest. A number without a unit counts only after a code."""
    body = rest.lstrip(_SEPARATORS)
    if match := _HOURS.match(body):
        return int(match[1]) * 60 + int(match[2] or 0), body[match.end() :]
    match = _MINUTES.match(body)
    if match and (bare or not match[0].isdecimal()):
        return int(match[1]), body[match.end() :]
    return None


def next_code(used: Iterable[int]) -> int:
    """The smallest short code that is free for a person: those of pages that are not closed are `used`."""
    taken = set(used)
    return next(code for code in range(1, len(taken) + 2) if code not in taken)


@dataclass(frozen=True)
class PersonPage:
    """One page as the person who answers sees it.

    Args:
        state: open, acknowledged, resolved or expired (an expired page can still be taken).
        holder: who acknowledged it; `since` when, on the site's wall clock; `is_mine` when that is the sender.
        ticket_id: 0 for a page that is about no single ticket. `is_test` closes by being taken.
    """

    page_id: int
    item: OpenItem
    state: str = "open"
    holder: str = ""
    since: str = ""
    is_mine: bool = False
    ticket_id: int = 0
    is_test: bool = False

    @property
    def is_closed(self) -> bool:
        return self.state == "resolved"

    @property
    def asks(self) -> bool:
        return self.state in ("open", "expired")


@dataclass(frozen=True)
class LastAct:
    """What the sender's previous answer did, as far as UNDO can take it back."""

    kind: Kind
    page: PersonPage
    at: datetime


@dataclass(frozen=True)
class Sender:
    """What is known of the person a text came from. `pages` include those closed lately, newest last.

    `helps` counts the help texts of the last ten minutes: a phone that answers by itself must not start a ping-pong.
    """

    pages: tuple[PersonPage, ...] = ()
    last_act: LastAct | None = None
    is_stopped: bool = False
    helps: int = 0


class Effect(StrEnum):
    """What an answer changes."""

    TAKE = "take"
    CLOSE = "close"
    UNDO_TAKE = "undo_take"
    UNDO_CLOSE = "undo_close"
    NOTE = "note"
    STOP = "stop"
    START = "start"
    NONE = "none"


@dataclass(frozen=True)
class AnswerPlan:
    """The effect, the page it is on, and the text that goes back (empty: none)."""

    effect: Effect
    reply: str = ""
    page: PersonPage | None = None
    note: str = ""
    minutes: int | None = None
    is_help: bool = False


def decide_answer(answer: Answer, sender: Sender, *, now: datetime) -> AnswerPlan:
    """What a known person's text does. Unknown numbers never come here: they get nothing."""
    if answer.kind is Kind.STOP:
        return AnswerPlan(Effect.STOP)  # the carrier confirms it; another text would be refused
    if answer.kind is Kind.START or (sender.is_stopped and answer.note.casefold() == "yes"):
        return AnswerPlan(Effect.START, words.welcome_back_text())
    if answer.kind is Kind.TAKE:
        return _decide_take(answer, sender)
    if answer.kind is Kind.CLOSE:
        return _decide_close(answer, sender)
    if answer.kind is Kind.UNDO:
        return _decide_undo(sender, now)
    return _decide_chatty(answer, sender) if answer.kind is Kind.CHATTY else _explain(answer, sender)


def _explain(answer: Answer, sender: Sender) -> AnswerPlan:
    if sender.helps >= MAX_HELPS:
        return AnswerPlan(Effect.NONE, note=answer.note)
    items = _items(page for page in sender.pages if not page.is_closed)
    text = words.help_text(items) if answer.kind is Kind.HELP else words.unknown_text(items)
    return AnswerPlan(Effect.NONE, text, note=answer.note, is_help=True)


def _decide_take(answer: Answer, sender: Sender) -> AnswerPlan:
    asking = [page for page in sender.pages if page.asks]
    page = _named(answer.code, sender.pages) if answer.code is not None else _only(asking)
    if page is None:
        return _no_page(answer, sender, asking, "A")
    if page.is_closed:
        return AnswerPlan(Effect.NONE, words.already_done_text(page.item.number), page)
    if page.asks:
        reply = words.test_done_text() if page.is_test else words.taken_text(page.item)
        return AnswerPlan(Effect.TAKE, reply, page, answer.note)
    return AnswerPlan(Effect.NONE, _held(page), page)


def _held(page: PersonPage) -> str:
    if page.is_mine:
        return words.already_yours_text(page.item)
    return words.already_taken_text(page.holder, page.item.number, page.since)


def _decide_close(answer: Answer, sender: Sender) -> AnswerPlan:
    mine = [page for page in sender.pages if page.is_mine and not page.is_closed]
    candidates = mine or [page for page in sender.pages if page.asks]
    page = _named(answer.code, sender.pages) if answer.code is not None else _only(candidates)
    if page is None:
        return _no_page(answer, sender, candidates, "C")
    if page.is_closed:
        return AnswerPlan(Effect.NONE, words.already_done_text(page.item.number), page)
    if page.asks or page.is_mine:
        reply = words.test_done_text() if page.is_test else words.done_text(page.item.number, answer.minutes)
        return AnswerPlan(Effect.CLOSE, reply, page, answer.note, answer.minutes)
    return AnswerPlan(Effect.NONE, words.not_yours_text(page.holder, page.item.number, page.since), page)


def _no_page(answer: Answer, sender: Sender, candidates: Sequence[PersonPage], letter: str) -> AnswerPlan:
    """A letter that names no single page: ask which, or say who has the only one."""
    live = [page for page in sender.pages if not page.is_closed]
    if answer.code is not None:
        return AnswerPlan(Effect.NONE, words.unknown_code_text(answer.code, _items(live)))
    if candidates:
        return AnswerPlan(Effect.NONE, words.which_text(_items(candidates), letter))
    if live:
        return AnswerPlan(Effect.NONE, _held(live[-1]), live[-1])
    if sender.pages:
        return AnswerPlan(Effect.NONE, words.already_done_text(sender.pages[-1].item.number), sender.pages[-1])
    return AnswerPlan(Effect.NONE, words.nothing_open_text())


def _decide_undo(sender: Sender, now: datetime) -> AnswerPlan:
    act = sender.last_act
    if act is None:
        return AnswerPlan(Effect.NONE, words.nothing_to_undo_text(too_late=False))
    if now - act.at > UNDO_WITHIN:
        return AnswerPlan(Effect.NONE, words.nothing_to_undo_text(too_late=True))
    if act.kind is Kind.TAKE:
        return AnswerPlan(Effect.UNDO_TAKE, words.undone_take_text(act.page.item), act.page)
    return AnswerPlan(Effect.UNDO_CLOSE, words.undone_done_text(act.page.item), act.page)


def _decide_chatty(answer: Answer, sender: Sender) -> AnswerPlan:
    """Friendly words acknowledge nothing: they are kept, and the sender learns which letter counts."""
    asking = [page for page in sender.pages if page.asks]
    if len(asking) > 1:
        return AnswerPlan(Effect.NONE, words.which_text(_items(asking), "A"), note=answer.note)
    if asking:
        return AnswerPlan(Effect.NOTE, words.hint_text(asking[0].item), asking[0], answer.note)
    mine = _only([page for page in sender.pages if page.is_mine and not page.is_closed])
    if mine:
        return AnswerPlan(Effect.NOTE, words.noted_text(mine.item.number), mine, answer.note)
    return AnswerPlan(Effect.NONE, note=answer.note)


def _items(pages: Iterable[PersonPage]) -> list[OpenItem]:
    return [page.item for page in pages]


def _only(pages: Sequence[PersonPage]) -> PersonPage | None:
    return pages[0] if len(pages) == 1 else None


def _named(code: int, pages: Sequence[PersonPage]) -> PersonPage | None:
    """The page meant by a number: a live short code, else a ticket number, else the code of one closed lately."""
    for page in pages:
        if page.item.code == code and not page.is_closed:
            return page
    found = None
    for page in pages:
        if page.ticket_id == code or (page.item.code == code and (found is None or found.ticket_id != code)):
            found = page
    return found
