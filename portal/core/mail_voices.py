"""In whose voice a mail speaks on the ticket it joins: the requester's, or ours when one of us answers by mail.

Our people answer from their own clients, to a mail they had in hand. What they write goes out to the requester under
our name, so who writes must be certain and only their own words may leave: no quoted mail, no signature, no address.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from portal.core.breaker import is_alike
from portal.core.mail import ParsedMail
from portal.core.mail_kinds import has_machine_subject
from portal.core.quoting import TEXT, mark_quotes
from portal.core.threading import ThreadDecision, is_forward

# Who speaks: somebody from outside; one of us, to be sent; one of us, and it was sent already; one of us, inside only.
REQUESTER, ANSWER, ANSWERED, NOTE = "requester", "answer", "answered", "note"

_NOTE_WORD = re.compile(r"\W*note\b", re.IGNORECASE)
# The end of a letter as people write it in five languages; name, post and numbers follow.
_SIGN_OFF = re.compile(
    r"\W*((kind|best|warm|many|with (kind|best))\s+)?(regards|wishes|greetings)\W*"
    r"|\W*(cheers|sincerely|yours( truly| sincerely)?)\W*"
    r"|\W*(mit )?(freundliche|beste|viele|liebe|schöne|herzliche)[nr]?\s+(grü(ß|ss)en?|gruß)\b.{0,30}"
    r"|\W*(mfg|vg|lg)\W*"
    r"|\W*(bien )?(cordialement|à vous)\W*|\W*(sincères )?salutations\W*|\W*bien à (vous|toi)\W*"
    r"|\W*(un )?(cordial(es)? |atentos? )?saludos?( cordial(es)?)?\W*|\W*atentamente\W*"
    r"|\W*(met )?(vriendelijke|hartelijke)\s+groet(en)?\W*|\W*groet(en|jes)?\W*",
    re.IGNORECASE,
)
# What may end a letter and may as well stand within it: an end only where the writer's own name follows.
_THANKS = re.compile(
    r"\W*(best|thanks?( again| a lot| so much| you( very much)?)?|many thanks|vielen dank"
    r"|danke( schön| dir| euch| ihnen)?|merci( beaucoup)?|(muchas )?gracias|bedankt|dank (je|u)( wel)?|gru(ß|ss)"
    r"|grü(ß|ss)e|vg|lg|bg|mfg|cheers|regards)\b\W*",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"\W*(sent from (my|outlook|mail)|get outlook for|von meinem .{2,30} gesendet|gesendet (mit|von)"
    r"|envoyé (de|depuis) mon|enviado desde mi|verzonden (vanaf|met) mijn)\b.*",
    re.IGNORECASE,
)
_HEADER_LINE = re.compile(r"\s*\*{0,2}[^\W\d_][\w .'-]{0,20}\s?:\*{0,2}\s+\S.*")
_OUR_TOKEN = re.compile(r"\bnd\.\d+\.\d+\.[a-z2-7]{8}\.", re.IGNORECASE)
_LONGEST_SIGNATURE = 15  # lines
# A person may ask the same thing twice; a robot of theirs says it each time. Short words are said often by people.
_SAME_WORDS, _FEWEST_WORDS = 2, 6
_HTML_QUOTE = re.compile(
    r"<blockquote|gmail_quote|divrplyfwdmsg|appendonsend|border-top:\s*solid #(e1e1e1|b5c4df)|moz-cite-prefix"
    r"|gmail_signature|id=\"?(x_)?signature|moz-signature",
    re.IGNORECASE,
)
# The lines that a forwarder puts above what it passes on.
_PASSED_ON = re.compile(
    r"-{2,}.{1,100}-{2}|(begin forwarded|anfang der weitergel|début du message|inicio del mensaje|begin doorg).{1,60}:",
    re.IGNORECASE,
)
_CID = re.compile(r"cid:([^\"'\s>)]{1,200})", re.IGNORECASE)


@dataclass(frozen=True)
class Writer:
    """Who wrote a mail that joins a ticket, as the database knows them.

    `staff_id` is the enabled member whose address it comes from, unless the ticket is their own request. `is_requester`
    and `reaches_requester` are about the requester of the ticket: wrote it, stands in To or Cc. `is_colleague`: of
    the requester's company. `is_sent`: it lies in the mailbox's own folder of sent mail. `distrust` is what
    `core/mail_trust.py` says. `said` are the answers that this member gave by mail on the ticket before.
    """

    staff_id: int | None = None
    staff_name: str = ""
    is_requester: bool = False
    reaches_requester: bool = False
    is_colleague: bool = False
    is_sent: bool = False
    distrust: str = ""
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Voice:
    """Who speaks, and the reason where it is one of us."""

    kind: str
    reason: str = ""


def decide_voice(mail: ParsedMail, *, thread: ThreadDecision, writer: Writer) -> Voice:
    """In whose voice a mail from a person speaks on the ticket that it joins.

    One of us answers the requester when the mail is tied to the ticket by what only its readers have (a known id or
    our signed token) and no server on the way doubted the sender; everything else they say stays inside. A mail that
    the requester got directly is our answer too, but is not sent to them a second time.
    """
    if writer.is_sent:
        if writer.reaches_requester:
            return Voice(ANSWERED, "answered by hand from the mailbox")
        return Voice(NOTE, "sent by hand from the mailbox, but not to the requester: kept for the team")
    if writer.staff_id is None:
        return Voice(REQUESTER)
    inside = _why_inside(mail, thread, writer)
    if inside:
        return Voice(NOTE, f"{writer.staff_name} wrote: kept for the team, since {inside}")
    if writer.reaches_requester:
        return Voice(ANSWERED, f"{writer.staff_name} answered the requester directly")
    return Voice(ANSWER, f"{writer.staff_name} answered by mail")


def _why_inside(mail: ParsedMail, thread: ThreadDecision, writer: Writer) -> str:
    if writer.distrust:
        return f"it may be forged: {writer.distrust}"
    if not thread.is_proof:
        return "it does not answer a mail of the ticket, and anybody can write an address and a number"
    if begins_with_note(mail.text):
        return "it begins with NOTE"
    if is_forward(mail):
        return "it passes on a mail"
    if has_machine_subject(mail.subject):
        return "its subject is that of an automatic answer"
    names = (writer.staff_name, mail.sender.name if mail.sender else "")
    words = answer_text(mail.text, addresses=(mail.from_email,), names=names)
    if not words:
        return "it holds no words but quoted ones"
    if sum(is_alike(words, one, fewest=_FEWEST_WORDS) for one in writer.said) >= _SAME_WORDS:
        return "it says for the third time what a robot would say"
    return ""


def may_declare(thread: ThreadDecision, writer: Writer) -> bool:
    """Whether the word URGENT of this writer declares an emergency, which may be billed: the requester's does, and that
    of a colleague of theirs who had a mail of the ticket in hand. A stranger's does not, nor a forged one."""
    if writer.is_requester:
        return thread.is_proof or not writer.distrust
    return writer.is_colleague and thread.is_proof and not writer.distrust


def begins_with_note(text: str) -> bool:
    """Whether the first line of a mail's own words begins with the word NOTE."""
    own = "\n".join(one.text for one in mark_quotes(text) if one.kind == TEXT).strip()
    return _NOTE_WORD.match(own) is not None


def answer_text(text: str, *, addresses: Collection[str] = (), names: Collection[str] = ()) -> str:
    """The words of one of us as they may leave the house: no quotes, no signature block, nothing of our own mails, and
    no line with one of `addresses`. The writer's `names` begin a signature where they stand alone at the end. "" where
    nothing is left."""
    lines = "\n".join(one.text for one in mark_quotes(text) if one.kind == TEXT).strip().split("\n")
    lines = lines[: _begin_of_quote(lines)]
    lines = lines[: _begin_of_signature(lines, _spoken_names(names))]
    inside = [one.lower() for one in addresses if one]
    kept = [line for line in lines if not _DEVICE.fullmatch(line) and not any(one in line.lower() for one in inside)]
    return "\n".join(kept).strip()


def returns_ours(text: str, ours: str) -> bool:
    """Whether a text is one of our own mails and nothing else: a list that echoes, or a forwarder, sent it back."""
    said, sent = " ".join(text.split()), " ".join(ours.split())
    if not sent or not said.endswith(sent):
        return False
    first = next(line.strip() for line in ours.splitlines() if line.strip())
    above = [line.strip() for line in text[: text.rfind(first)].splitlines() if line.strip()]
    is_passed_on = bool(above) and _PASSED_ON.fullmatch(above[0]) is not None
    return said == sent or (is_passed_on and all(_HEADER_LINE.fullmatch(line) for line in above[1:]))


def shown_inline(html: str) -> frozenset[str]:
    """Content ids of the pictures within the writer's own words; what stands in a quote or a signature is left out."""
    cut = _HTML_QUOTE.search(html)
    return frozenset(_CID.findall(html[: cut.start()] if cut else html))


def _begin_of_quote(lines: list[str]) -> int:
    """Where a mail is quoted in a way that no language rule knew: a block of headers with an address in it, or our own
    reference."""
    for index, line in enumerate(lines):
        if _OUR_TOKEN.search(line):
            return index
        block = lines[index : index + 3]
        if len(block) == 3 and all(map(_HEADER_LINE.fullmatch, block)) and any("@" in one for one in block[:2]):
            return index
    return len(lines)


def _begin_of_signature(lines: list[str], names: Collection[str]) -> int:
    for index, line in enumerate(lines[1:], 1):
        rest = [one for one in lines[index + 1 :] if one.strip()]
        if len(rest) > _LONGEST_SIGNATURE:
            continue
        if _SIGN_OFF.fullmatch(line.strip()[:80]):
            return index
        is_after_thanks = _THANKS.fullmatch(lines[index - 1][:80]) is not None
        if _is_name(line, names) and (is_after_thanks or not lines[index - 1].strip()):
            return max(1, index - is_after_thanks)
        thanks = _THANKS.match(line[:80])
        if thanks and _is_name(line[thanks.end() :], names):
            return index
    return len(lines)


def _is_name(line: str, names: Collection[str]) -> bool:
    return len(line) <= 80 and line.strip(" \t,.!-–—*~").casefold() in names


def _spoken_names(names: Collection[str]) -> frozenset[str]:
    """As people sign: in full, or with their first name."""
    full = {" ".join(one.split()).casefold() for one in names if one.strip() and "@" not in one}
    return frozenset(full | {one.partition(" ")[0] for one in full if len(one.partition(" ")[0]) > 1})
