"""The words triage goes by: loaded as a classifier, edited on a page, seeded for a new site."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.triage import TARGETS, Aspect, LexiconClassifier, LexiconEntry, fold_words
from portal.core.triage_defaults import load_triage_defaults
from portal.models import Category, LexiconTerm, Queue, UnitOfWork
from portal.services.audit import Change, record_change

WEIGHTS = (-10.0, 10.0)


@dataclass(frozen=True)
class TermEntry:
    """A word or phrase as the page shows it."""

    id: int
    term: str
    aspect: Aspect
    target: str
    weight: float


def load_classifier(session: Session) -> LexiconClassifier:
    """The engine with all words of the site. One statement; some 10 ms for a thousand words: load it once a drain."""
    rows = session.execute(select(LexiconTerm.term, LexiconTerm.aspect, LexiconTerm.target, LexiconTerm.weight))
    return LexiconClassifier(LexiconEntry(row.term, Aspect(row.aspect), row.target, row.weight) for row in rows)


def list_terms(session: Session, *, aspect: Aspect, target: str) -> list[TermEntry]:
    """The words that speak for one category or sign, strongest first."""
    query = select(LexiconTerm).where(LexiconTerm.aspect == str(aspect), LexiconTerm.target == target)
    return [_entry(row) for row in session.scalars(query.order_by(LexiconTerm.weight.desc(), LexiconTerm.term))]


def find_term(session: Session, term_id: int) -> TermEntry | None:
    """One word, None when it is gone."""
    row = session.get(LexiconTerm, term_id)
    return _entry(row) if row else None


def count_terms(session: Session) -> dict[tuple[Aspect, str], int]:
    """How many words speak for each category or sign that has any."""
    counted = select(LexiconTerm.aspect, LexiconTerm.target, func.count()).group_by(
        LexiconTerm.aspect, LexiconTerm.target
    )
    return {(Aspect(aspect), target): n for aspect, target, n in session.execute(counted)}


def save_term(uow: UnitOfWork, entry: LexiconEntry, *, change: Change) -> int:
    """Add a word, or give the one that is there this weight. Returns its id. Raises DomainError with the reason."""
    words = fold_words(entry.term)
    if not words:
        raise DomainError("Type a word or a phrase.")
    term = " ".join(words)
    if len(term) > 100:
        raise DomainError("A phrase may have at most 100 characters.")
    _check_weight(entry.weight)
    _check_target(uow.session, entry.aspect, entry.target)
    same = (LexiconTerm.aspect == str(entry.aspect), LexiconTerm.target == entry.target, LexiconTerm.term == term)
    row = uow.session.scalar(select(LexiconTerm).where(*same))
    if row is None:
        row = LexiconTerm(term=term, aspect=str(entry.aspect), target=entry.target, weight=entry.weight)
        uow.session.add(row)
    elif row.weight == entry.weight:
        return row.id
    row.weight = entry.weight
    uow.session.flush()
    record_change(uow, change, "term.save", term, target=entry.target, weight=entry.weight)
    return row.id


def remove_term(uow: UnitOfWork, term_id: int, *, change: Change) -> None:
    """A word that is gone already is no error."""
    row = uow.session.get(LexiconTerm, term_id)
    if row is not None:
        record_change(uow, change, "term.remove", row.term, target=row.target, weight=row.weight)
        uow.session.delete(row)


def seed_triage(uow: UnitOfWork, *, change: Change) -> bool:
    """Put the shipped queues, categories and words into a site that has neither queue nor category yet.

    Used by the first run and by the YAML import. Returns whether it did; called again it does nothing.
    """
    session = uow.session
    if (
        session.scalar(select(Queue.id).limit(1)) is not None
        or session.scalar(select(Category.id).limit(1)) is not None
    ):
        return False
    defaults = load_triage_defaults()
    queues = {name: Queue(name=name, position=position) for position, name in enumerate(defaults.queues)}
    session.add_all(queues.values())
    session.flush()
    session.add_all(
        Category(name=category.name, queue_id=queues[category.queue].id, position=position)
        for position, category in enumerate(defaults.categories)
    )
    session.execute(delete(LexiconTerm))
    terms = [
        {"term": " ".join(fold_words(one.term)), "aspect": str(one.aspect), "target": one.target, "weight": one.weight}
        for one in defaults.entries
    ]
    session.execute(insert(LexiconTerm), terms)
    record_change(uow, change, "triage.seed", terms=len(defaults.entries))
    return True


def _check_weight(weight: float) -> None:
    least, most = WEIGHTS
    if not math.isfinite(weight) or not least <= weight <= most or weight == 0:
        raise DomainError("A weight lies between -10 and 10 and is not 0; 3 is strong, 1 is weak.")


def _check_target(session: Session, aspect: Aspect, target: str) -> None:
    if aspect is not Aspect.CATEGORY:
        if target not in TARGETS[aspect]:
            raise DomainError(f"There is no sign called {target}.")
    elif session.scalar(select(Category.id).where(Category.name == target)) is None:
        raise DomainError(f"There is no category {target}.")


def _entry(row: LexiconTerm) -> TermEntry:
    return TermEntry(row.id, row.term, Aspect(row.aspect), row.target, row.weight)
