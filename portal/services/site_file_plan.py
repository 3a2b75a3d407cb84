"""One schedule of the settings file at work: what its parts share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from portal.core.errors import DomainError
from portal.core.roster import HolidayPolicy, OverrideKind
from portal.core.rotations import Unit
from portal.core.wallclock import wall_of
from portal.models import ScheduleRow, User
from portal.services.audit import record_change
from portal.services.schedules import ROLES, load_schedule

if TYPE_CHECKING:
    from portal.services.site_file_import import Run

Entry = dict[str, Any]
Words = TypeVar("Words", Unit, OverrideKind, HolidayPolicy)
At = Callable[[int], AbstractContextManager[None]]


class Span(Protocol):
    """A stretch on the wall clock."""

    @property
    def starts(self) -> datetime: ...
    @property
    def ends(self) -> datetime: ...


@dataclass(frozen=True)
class Plan:
    """One schedule of the file at work. `said` begins what is told of a change, `wall` is what its clock shows, `known`
    are those who stand in it already."""

    run: Run
    row: ScheduleRow
    said: str
    wall: datetime
    known: frozenset[int]

    @property
    def session(self) -> Session:
        return self.run.uow.session

    def note(self, action: str, words: str, **data: Any) -> None:
        """Tell of a change, and leave its trace."""
        self.row.changed_at = self.run.change.at
        self.run.changes.append(f"{self.said}: {words}")
        record_change(self.run.uow, self.run.change, action, self.row.name, schedule_id=self.row.id, what=words, **data)

    def person(self, mail: str) -> int:
        """Who has this address. They may be disabled: their turns fall to the next. Raises DomainError, also for
        somebody new here who only looks on."""
        found = self.run.person_id(mail)
        if found not in self.known and self.session.get_one(User, found).role not in ROLES:
            raise DomainError(f"{mail} only looks on, and cannot be on call.")
        return found


def make_plan(run: Run, row: ScheduleRow, said: str) -> Plan:
    """The plan for a schedule that is in the database; `said` begins each line of the report."""
    roster = load_schedule(run.uow.session, row.id).roster
    wall = wall_of(run.change.at, zone=roster.zone).replace(second=0, microsecond=0)
    people = [
        *(person for one in roster.rotations for person in one.people),
        *(one.person_id for one in roster.shifts),
        *(person for one in roster.overrides for person in (one.person_id, one.instead_of)),
        *(one.person_id for one in roster.holidays),
    ]
    known = frozenset(person for person in people if person is not None)
    return Plan(run, row, said, wall, known)


def span_words(span: Span) -> str:
    """`2026-11-21 17:00 to 2026-11-22 08:00`."""
    return f"{span.starts:%Y-%m-%d %H:%M} to {span.ends:%Y-%m-%d %H:%M}"


def read_word(words: type[Words], text: str, noun: str) -> Words:
    """A word of the file as what it stands for. Raises DomainError with the words there are."""
    try:
        return words(text)
    except ValueError:
        raise DomainError(f"“{text}” is not a {noun}. Use {', '.join(words)}.") from None
