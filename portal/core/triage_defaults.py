"""The categories, queues and words a new site starts with: `core/data/triage.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from portal.core.triage import Aspect, LexiconEntry

STRENGTHS = {"strong": 3.0, "usual": 2.0, "weak": 1.0}
SIGN_WEIGHT = 1.0


@dataclass(frozen=True)
class DefaultCategory:
    """A category and the queue its tickets go to."""

    name: str
    queue: str


@dataclass(frozen=True)
class TriageDefaults:
    """What is put into an empty database. The last category is the one for tickets that fit no other."""

    queues: tuple[str, ...]
    categories: tuple[DefaultCategory, ...]
    entries: tuple[LexiconEntry, ...]


@cache
def load_triage_defaults() -> TriageDefaults:
    """The shipped file, read once a process."""
    with (resources.files("portal.core") / "data" / "triage.toml").open("rb") as file:
        data = tomllib.load(file)
    return TriageDefaults(
        queues=tuple(data["queues"]),
        categories=tuple(DefaultCategory(category["name"], category["queue"]) for category in data["category"]),
        entries=tuple(_entries(data)),
    )


def _entries(data: dict[str, Any]) -> Iterator[LexiconEntry]:
    for category in data["category"]:
        for strength, weight in STRENGTHS.items():
            for term in category.get(strength, ()):
                yield LexiconEntry(term, Aspect.CATEGORY, category["name"], weight)
    for aspect in (Aspect.SCOPE, Aspect.URGENCY, Aspect.PRIORITY):
        for target, terms in data[aspect].items():
            for term in terms:
                yield LexiconEntry(term, aspect, target, SIGN_WEIGHT)
