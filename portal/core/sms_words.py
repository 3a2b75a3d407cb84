"""The words of every text we send. All come out in GSM-7 where the names in them allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.core.sms import fit_gist, fit_items, one_line, shorten

_NAME = 24
_ITEM_GIST = 30


@dataclass(frozen=True)
class PageWords:
    """What a page says. `number` as shown ("#1234"), `code` is the person's short code for this page.

    `notice` goes in front: "TEST", "Again", "Nobody is on call", "No answer from Bob".
    """

    number: str
    code: int
    gist: str
    priority: str = ""
    is_emergency: bool = False
    person: str = ""
    phone: str = ""
    customer: str = ""
    holiday: str = ""
    notice: str = ""


@dataclass(frozen=True)
class OpenItem:
    """One open page in a list: the person's code, the ticket and its gist."""

    code: int
    number: str
    gist: str = ""
    priority: str = ""


def page_text(words: PageWords) -> str:
    """Priority, number, who to call back, gist, holiday, how to answer; in the fewest segments."""
    notice = f"{one_line(words.notice)}: " if words.notice else ""
    what = " ".join(part for part in (words.priority, "EMERGENCY" if words.is_emergency else "", words.number) if part)
    who = ", ".join(shorten(one_line(part), _NAME) for part in (words.customer, words.person) if part.strip())
    caller = " ".join(part for part in (who, one_line(words.phone)) if part)
    head = f"{notice}{what} {caller}: " if caller else f"{notice}{what}: "
    holiday = f" ({shorten(one_line(words.holiday), _NAME)})" if words.holiday else ""
    tail = f"{holiday}\nReply {words.code}A to take it, {words.code}C when done"
    return fit_gist(head, one_line(words.gist) or "no subject", tail)


def digest_text(items: Sequence[OpenItem], *, code: int, notice: str = "") -> str:
    """The one page for all late tickets of a tick, worst first. `items` need no codes of their own."""
    count = f"{len(items)} late request{'s' if len(items) != 1 else ''}"
    head = f"{one_line(notice)}: {count}: " if notice else f"{count}: "
    return fit_items(head, [_late(item) for item in items], f"\nReply {code}A to take them, {code}C when done")


def bundle_text(items: Sequence[OpenItem]) -> str:
    """Several pages that waited for one person, each with its own code."""
    first = items[0].code
    return fit_items(
        f"{len(items)} pages: ", [_listed(item) for item in items], f"\nReply {first}A to take {first}, HELP for all"
    )


def _late(item: OpenItem) -> str:
    return " ".join(part for part in (item.priority, item.number, shorten(one_line(item.gist), _ITEM_GIST)) if part)


def _listed(item: OpenItem) -> str:
    return f"{item.code} = {_late(item)}"


def _choices(items: Sequence[OpenItem], letter: str) -> list[str]:
    return [f"{item.code}{letter} = {item.number} {shorten(one_line(item.gist), _ITEM_GIST)}".strip() for item in items]


def taken_text(item: OpenItem) -> str:
    """To the one who answered first."""
    return f"You have {item.number}. Reply {item.code}C and what you did when done, UNDO to give it back"


def told_text(holder: str, number: str) -> str:
    """To everybody else who was asked."""
    return f"{_who(holder)} has {number}. You need not do anything"


def given_back_text(holder: str, item: OpenItem) -> str:
    """To everybody else after an UNDO."""
    return f"{_who(holder)} gave {item.number} back. Reply {item.code}A to take it"


def closed_text(who: str, number: str) -> str:
    """To everybody who was asked, when the reason for the page is gone. `who` may be empty."""
    return f"{number} is resolved{f' by {_who(who)}' if who else ''}. You need not do anything"


def merged_text(who: str, number: str, into: str) -> str:
    """To everybody who was asked, when the ticket went into another, which may ask by itself. `who` may be empty."""
    return f"{number} is part of {into} now{f', says {_who(who)}' if who else ''}. If {into} asks you, answer that one"


def already_yours_text(item: OpenItem) -> str:
    """A second A for the same page."""
    return f"You already have {item.number}. Reply {item.code}C and what you did when done"


def already_taken_text(holder: str, number: str, since: str) -> str:
    """An A that came too late. `since` is a time on the site's wall clock."""
    return f"{_who(holder)} has {number} since {since}. You need not do anything"


def not_yours_text(holder: str, number: str, since: str) -> str:
    """A C for what somebody else holds."""
    return f"{_who(holder)} has {number} since {since}, so only {_who(holder)} can close it by text"


def done_text(number: str, minutes: int | None) -> str:
    """After a C."""
    spent = f" with {minutes} minutes" if minutes is not None else ""
    return f"{number} is resolved{spent}. UNDO within 10 minutes takes it back"


def already_done_text(number: str) -> str:
    """An answer to a page that is over."""
    return f"{number} is already closed. You need not do anything"


def not_done_text(number: str, reason: str) -> str:
    """The ticket refused to be resolved; the page stays."""
    return one_line(f"{number} could not be resolved: {reason}")


def undone_take_text(item: OpenItem) -> str:
    """After UNDO of an A."""
    return f"You gave {item.number} back. It asks again in a few minutes; {item.code}A takes it"


def undone_done_text(item: OpenItem) -> str:
    """After UNDO of a C."""
    return f"{item.number} is open again and yours. Reply {item.code}C when done"


def nothing_to_undo_text(*, too_late: bool) -> str:
    """UNDO without anything to take back."""
    return "Too late to undo: that was over 10 minutes ago" if too_late else "There is nothing to undo"


def which_text(items: Sequence[OpenItem], letter: str) -> str:
    """A bare letter, and several pages it could mean."""
    return fit_items("Which one? ", _choices(items, letter), "", segments=2)


def unknown_code_text(code: int, items: Sequence[OpenItem]) -> str:
    """A code nobody has."""
    if not items:
        return f"No page has the code {code}. None is open for you"
    return fit_items(f"No page has the code {code}. Open: ", _choices(items, "A"), "", segments=2)


def nothing_open_text() -> str:
    """A letter, and no page to use it on."""
    return "No page is open for you"


def hint_text(item: OpenItem) -> str:
    """After "ok" or "on my way": friendly words acknowledge nothing."""
    return f"Noted. Reply {item.code}A to take {item.number}"


def noted_text(number: str) -> str:
    """Words about a page the person already has."""
    return f"Noted on {number}"


def help_text(items: Sequence[OpenItem]) -> str:
    """What can be answered, and what is open."""
    head = "A or 1A takes a page. 1C 25m and words closes it. UNDO takes back your last answer"
    return fit_items(f"{head}. Open: ", [_listed(item) for item in items], "") if items else f"{head}. None is open"


def unknown_text(items: Sequence[OpenItem]) -> str:
    """Words we cannot read: never silence, the sender believes to have answered."""
    return f"Sorry, that was not understood. {help_text(items)}"


def welcome_back_text() -> str:
    """After START."""
    return "You get pages again. STOP ends them"


def alarm_text(item: OpenItem, reason: str) -> str:
    """To whoever must know that a page reached nobody, or got no answer."""
    gist = f"{one_line(reason)} {one_line(item.gist)}".strip()
    return fit_gist(f"ALARM {item.number}: ", gist, f"\nReply {item.code}A to take it")


def requester_text(number: str, person: str, body: str) -> str:
    """To the page's owner when the requester writes again."""
    return fit_gist(f"{number} {_who(person) or 'The requester'} wrote: ", one_line(body) or "(no words)", "")


def test_done_text() -> str:
    """To whoever answered a test page."""
    return "Thank you. Pages reach you, and your answers reach us"


def test_page_text(site: str, code: int) -> str:
    """A page that is only a test, and must be answered to count."""
    return f"TEST from {shorten(one_line(site), _NAME)}. Reply {code}A to show that pages reach you"


def maybe_repeat(text: str) -> str:
    """The text of a second sending after a crash that hid whether the first one left (promise 4)."""
    return f"Maybe a repeat: {text}"


def _who(name: str) -> str:
    return shorten(one_line(name), _NAME)
