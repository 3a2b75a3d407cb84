"""The circuit breaker: when automatic mail must stop because it seems to answer a machine that answers us.

docs/adr/mail-breaker.md says why these signs and numbers, and why a busy shop does not reach them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.core.mail_phrases import PHRASES
from portal.core.quoting import own_words

THREAD, ADDRESS, WORDS, DOMAIN, TOTAL = "thread", "address", "words", "domain", "total"
QUICK, SLOW, NO_SIGN = "quick", "slow", ""

WINDOW = timedelta(days=30)
DAY = timedelta(days=1)
_QUICK_WITHIN = timedelta(hours=1)
_AT_ONCE = timedelta(minutes=10)
_CLOCKS_DIFFER = timedelta(minutes=5)  # the mail server's and ours
_ALIKE = 0.85  # of the words of two texts, in common
_FEW_WORDS = 3  # below, the subject is compared with the text
_MANY_WORDS = 12  # two people of one company write the same three words about the same outage
_ANYBODYS_WORDS = 6  # fewer are written by two strangers now and then

_ROBOT = re.compile(
    r"^\W*((re|aw|sv|antw|fwd?|wg|tr)\s*:\s*|\[[^\]]*\]\s*)*"
    r"(auto(matic|matische?)?[ -]?(reply|response|antwort|antwoord)\b|auto\s*:|out of (the )?office|abwesen|afwezig"
    r"|r[ée]ponse automatique|absence du bureau|respuesta autom[áa]tica|fuera de (la )?oficina|undeliver"
    r"|(mail )?delivery (status|fail|has failed)|mail delivery|returned mail|failure notice|(nicht|un)zustellbar"
    r"|unzustell|non remis|no se puede entregar|onbestelbaar)",
    re.IGNORECASE,
)
# What robots say in their first lines. People say it too, so it counts only right after an automatic mail of ours.
_ROBOT_WORDS = re.compile(
    r"\b(out of (the )?office|on (annual |sick |parental )?leave|on (vacation|holiday)|away from (my|the) "
    r"|abwesend|im urlaub|nicht im (büro|haus)|außer haus|en congé|absente? d[ue]|en vacances|fuera de (la )?oficina"
    r"|de vacaciones|afwezig|met (vakantie|verlof)|automat(ic|ed|isch\w*|ique|ically|icamente)\b"
    r"|auto-?generated|do not (reply|respond)|nicht auf diese|ne pas répondre|no responda|niet op deze"
    r"|(could|can) ?not be delivered|undeliver|mailbox (is )?full|(no such|unknown) user|user unknown"
    r"|has been (received|registered|logged|created|opened)|thank you for (contacting|your (e-?mail|message|request))"
    r"|we have (received )?your (message|request|e-?mail)|(nachricht|anfrage|mail) ist (angekommen|eingegangen)"
    r"|haben ihre .{0,40}erhalten|avons bien reçu|hemos recibido su|hebben uw .{0,40}ontvangen)",
    re.IGNORECASE,
)
_FIRST_CHARACTERS = 400
_DAYS_AND_MONTHS = frozenset(
    word.lower() for phrases in PHRASES.values() for word in (*phrases.weekdays, *phrases.months)
)


@dataclass(frozen=True)
class Limits:
    """How many automatic mails may have gone when the next one is asked for.

    Attributes:
        thread: in one ticket.
        quick: to an address, which answered quick signs; `alike`: which answered any sign; `address`: which answered
            anything at all; each since one of our people last did something on a ticket of theirs, 30 days at most.
        words: to anybody, which answered the very same words, since one of our people did something on one of those.
        domain: to a company in a day, each the second or later quick one to its address, or the first to an address
            that says what another of the company said; `company`: to it at any time, to a new address each time
            that says what another of the company said.
        total: the same, to everybody.
    """

    thread: int = 3
    quick: int = 2
    alike: int = 5
    address: int = 18
    words: int = 12
    domain: int = 6
    company: int = 10
    total: int = 6


LIMITS = Limits()


@dataclass(frozen=True)
class Said:
    """What a ticket began with: to be held against what others began with."""

    subject: str
    body: str


@dataclass(frozen=True)
class Earlier:
    """An automatic mail of before: when it was written, whether to the same address, and what it answered."""

    at: datetime
    is_same_address: bool
    said: Said


@dataclass(frozen=True)
class Counts:
    """What has gone so far, as `Limits` counts it."""

    thread: int = 0
    quick: int = 0
    alike: int = 0
    address: int = 0
    words: int = 0
    domain: int = 0
    company: int = 0
    total: int = 0


@dataclass(frozen=True)
class Trip:
    """The breaker speaks: nothing automatic for this scope, and why."""

    scope: str
    reason: str


def find_sign(said: Said, *, at: datetime, earlier: Sequence[Earlier]) -> str:
    """Whether what came `at` this time looks like a machine's answer to one of our automatic mails: quick, slow, "".

    It does when its words are those of something we have answered before, when its subject says so, or when it speaks
    like a machine right after a mail of ours. Without an earlier mail of ours nothing can be an answer.
    """
    quick = [one for one in earlier if -_CLOCKS_DIFFER <= at - one.at <= _QUICK_WITHIN]
    is_at_once = any(one.is_same_address and at - one.at <= _AT_ONCE for one in quick)
    if is_at_once and _ROBOT_WORDS.search(own_words(said.body)[:_FIRST_CHARACTERS]):
        return QUICK
    if any(_is_like(said, one) for one in quick):
        return QUICK
    words = fingerprint(said)
    is_same = any(_is_like(said, one) or (words and words == fingerprint(one.said)) for one in earlier)
    return SLOW if is_same else NO_SIGN


def decide_breaker(counts: Counts, *, sign: str, limits: Limits = LIMITS) -> Trip | None:
    """Whether the next automatic mail may go: None, or the narrowest scope that must stop."""
    if counts.thread >= limits.thread:
        return Trip(THREAD, f"{counts.thread} automatic mails went out about this ticket.")
    if sign == QUICK and counts.quick >= limits.quick:
        return Trip(ADDRESS, f"{counts.quick + 1} automatic mails were each answered at once, in the same words.")
    if sign and counts.alike >= limits.alike:
        return Trip(ADDRESS, f"{counts.alike + 1} automatic mails were answered in the same words.")
    if counts.address >= limits.address:
        return Trip(ADDRESS, f"{counts.address} automatic mails went there, and nobody here has dealt with one.")
    if counts.words >= limits.words:
        return Trip(WORDS, f"{counts.words} automatic mails were answered in the very same words by various addresses.")
    if sign == QUICK and counts.domain >= limits.domain:
        return Trip(DOMAIN, f"{counts.domain} automatic mails in a day were each answered at once, in the same words.")
    if sign and counts.company >= limits.company:
        return Trip(DOMAIN, f"{counts.company} automatic mails were answered in the same words.")
    if sign == QUICK and (counts.quick or counts.domain) and counts.total >= limits.total:
        return Trip(TOTAL, f"{counts.total} automatic mails in a day were answered by what looks like machines.")
    return None


def base_address(address: str) -> str:
    """An address in lower case without a +tag: a robot may put a new one into each answer."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"


def fingerprint(said: Said) -> str:
    """The same for the same words, figures, days and months aside; "" for a text of few words."""
    words = _words(said.body)
    return hashlib.sha256(" ".join(sorted(words)).encode()).hexdigest()[:32] if len(words) >= _ANYBODYS_WORDS else ""


def is_alike(one: str, other: str, *, fewest: int = 1) -> bool:
    """Whether two texts use the same words, numbers, days and months aside. Texts of fewer words than `fewest` are not
    compared."""
    left, right = _words(one), _words(other)
    if min(len(left), len(right)) < max(fewest, 1):
        return False
    return len(left & right) >= _ALIKE * len(left | right)


def _is_like(said: Said, earlier: Earlier) -> bool:
    if earlier.is_same_address and _ROBOT.match(said.subject):
        return True
    fewest = 1 if earlier.is_same_address else _MANY_WORDS
    if len(_words(said.body)) >= _FEW_WORDS:
        return is_alike(said.body, earlier.said.body, fewest=fewest)
    return is_alike(f"{said.subject} {said.body}", f"{earlier.said.subject} {earlier.said.body}", fewest=fewest)


def _words(text: str) -> frozenset[str]:
    """Without what a machine puts in anew each time: anything with a figure in it, days and months."""
    tokens = (token.strip(".,;:!?\"'“”„‘’()[]<>*_-") for token in own_words(text).lower().split())
    return frozenset(
        token for token in tokens if token and token not in _DAYS_AND_MONTHS and not any(map(str.isdigit, token))
    )
