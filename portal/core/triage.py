"""Category and priority of a new ticket from weighted words, with reasons a person can read.

The words are data (`LexiconTerm` rows; the shipped ones in `core/data/triage.toml`), so any language will do. A term is
one or more whole words: "port" never finds "report". Text says little about priority; what it says is read as scope
(how many are hit) and urgency (how badly), and without a sign the ticket stays P3.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

DEFAULT_PRIORITY = 3
SUBJECT_FACTOR = 2.0  # a word in the subject counts this much more than in the body
BODY_LIMIT = 6_000  # characters of the body that are read; the gist stands at the top
LEAST_CATEGORY = 2.0  # what a category needs to be named: more than one weak word in the body
LEAST_SIGN = 1.0  # the same for a sign of scope, urgency or priority
DOUBT = 2.0  # the weight of "perhaps neither" in the confidence

_WORD = re.compile(r"\w+(?:['’]\w+)*")


class Aspect(StrEnum):
    """What a term speaks about."""

    CATEGORY = "category"
    SCOPE = "scope"
    URGENCY = "urgency"
    PRIORITY = "priority"


# What a term of an aspect may name; categories are the shop's own.
TARGETS: dict[Aspect, tuple[str, ...]] = {
    Aspect.SCOPE: ("everyone", "group"),
    Aspect.URGENCY: ("blocked", "deadline", "calm"),
    Aspect.PRIORITY: ("P1", "P2", "P3", "P4"),
}
# The signs as a person reads them.
PHRASES = {
    "everyone": "everyone is hit",
    "group": "several are hit",
    "blocked": "work stands still",
    "deadline": "time presses",
    "calm": "it can wait",
    "P1": "always P1",
    "P2": "at least P2",
    "P3": "at least P3",
    "P4": "P4 if nothing speaks against it",
}
# How much each sign adds. P1 from 4, P2 from 3; below that P3, and P4 when all is calm.
POINTS = {"everyone": 2, "group": 1, "blocked": 2, "deadline": 1}
EMERGENCY_POINTS = 2
P1_POINTS, P2_POINTS = 4, 3


@dataclass(frozen=True)
class LexiconEntry:
    """A word or phrase, what it speaks for, and how strongly (a negative weight speaks against)."""

    term: str
    aspect: Aspect
    target: str
    weight: float


@dataclass(frozen=True)
class TicketText:
    """What is classified. `emergency` is the requester's own word: True only when declared."""

    subject: str
    body: str
    emergency: bool = False


@dataclass(frozen=True)
class TriageReason:
    """One sign that counted. `weight` is what it added in the end; `where` is "subject", "body" or "form"."""

    term: str
    aspect: Aspect
    target: str
    weight: float
    where: str

    @property
    def text(self) -> str:
        """The sign as a phrase for the ticket page."""
        if self.where == "form":
            return "the requester declared an emergency"
        meaning = self.target if self.aspect is Aspect.CATEGORY else PHRASES.get(self.target, self.target)
        return f"“{self.term}” in the {self.where}: {meaning} ({self.weight:+g})"


@dataclass(frozen=True)
class Classification:
    """Category, priority, and why. `category` is "" when nothing speaks for any; `confidence` is from 0 to 1."""

    category: str
    runner_up: str
    confidence: float
    priority: int
    reasons: tuple[TriageReason, ...] = ()

    def reasons_for(self, *aspects: Aspect) -> tuple[TriageReason, ...]:
        """The signs of these aspects, strongest first."""
        return tuple(reason for reason in self.reasons if reason.aspect in aspects)


class TicketClassifier(Protocol):
    """Classifies one ticket. Pure and safe to share between threads."""

    def classify(self, ticket: TicketText) -> Classification:
        """Never raises, whatever the text."""
        ...


def fold_words(text: str) -> list[str]:
    """The words of a text as terms are compared: lower-case, without diacritics, apostrophes straight."""
    apart = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in apart if not unicodedata.combining(c)).replace("’", "'")
    return _WORD.findall(plain)


def has_words(words: Sequence[str], phrase: str) -> bool:
    """Whether the words of `phrase` follow each other in `words` (from `fold_words`). An empty phrase is nowhere."""
    wanted = fold_words(phrase)
    return bool(wanted) and any(list(words[i : i + len(wanted)]) == wanted for i in range(len(words)))


class LexiconClassifier:
    """The first engine. Later ones (a model that learns) stand behind `TicketClassifier` as well."""

    def __init__(self, entries: Iterable[LexiconEntry]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], LexiconEntry]]] = defaultdict(list)
        for entry in entries:
            words = tuple(fold_words(entry.term))
            if words:
                self._by_first[words[0]].append((words, entry))

    def classify(self, ticket: TicketText) -> Classification:
        """See `TicketClassifier.classify`."""
        found = self._match(fold_words(ticket.subject), "subject", SUBJECT_FACTOR)
        for key, reason in self._match(fold_words(ticket.body[:BODY_LIMIT]), "body", 1.0).items():
            found.setdefault(key, reason)
        reasons = sorted(found.values(), key=lambda reason: -abs(reason.weight))
        scores = _sum_by_target(reasons, Aspect.CATEGORY, LEAST_CATEGORY)
        category, runner_up, confidence = _winner(scores)
        if ticket.emergency:
            reasons.insert(0, TriageReason("emergency", Aspect.URGENCY, "emergency", EMERGENCY_POINTS, "form"))
        return Classification(category, runner_up, confidence, _priority(reasons), tuple(reasons))

    def _match(self, words: list[str], where: str, factor: float) -> dict[LexiconEntry, TriageReason]:
        """Each entry counts once. Within an aspect a phrase hides the shorter terms inside it ("not urgent")."""
        spans = [
            (start, start + len(term), entry)
            for start, word in enumerate(words)
            for term, entry in self._by_first.get(word, ())
            if tuple(words[start : start + len(term)]) == term
        ]
        longest: dict[tuple[Aspect, int], int] = {}
        for start, end, entry in spans:
            for position in range(start, end):
                key = (entry.aspect, position)
                longest[key] = max(longest.get(key, 0), end - start)
        return {
            entry: TriageReason(entry.term, entry.aspect, entry.target, entry.weight * factor, where)
            for start, end, entry in spans
            if all(longest[entry.aspect, position] <= end - start for position in range(start, end))
        }


def _sum_by_target(reasons: Iterable[TriageReason], aspect: Aspect, least: float = LEAST_SIGN) -> dict[str, float]:
    scores: dict[str, float] = defaultdict(float)
    for reason in reasons:
        if reason.aspect == aspect:
            scores[reason.target] += reason.weight
    return {target: score for target, score in scores.items() if score >= least}


def _winner(scores: Mapping[str, float]) -> tuple[str, str, float]:
    ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    if not ranked:
        return "", "", 0.0
    first, second = ranked[0], ranked[1] if len(ranked) > 1 else ("", 0.0)
    return first[0], second[0], first[1] / (first[1] + second[1] + DOUBT)


def _priority(reasons: Sequence[TriageReason]) -> int:
    scope = _sum_by_target(reasons, Aspect.SCOPE)
    urgency = _sum_by_target(reasons, Aspect.URGENCY)
    named = [int(target[1]) for target in _sum_by_target(reasons, Aspect.PRIORITY)]
    points = max((POINTS[target] for target in scope), default=0)
    points += sum(POINTS.get(target, 0) for target in urgency) + (EMERGENCY_POINTS if "emergency" in urgency else 0)
    is_calm = "calm" in urgency or 4 in named
    from_signs = 1 if points >= P1_POINTS else 2 if points >= P2_POINTS else 4 if is_calm and not points else 3
    if "emergency" in urgency:
        from_signs = min(from_signs, 2)
    return min([from_signs, *(priority for priority in named if priority < 4)])
