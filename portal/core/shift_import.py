"""Which shifts a calendar file stands for, and what that changes. Decides; `services/shift_import.py` does it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from portal.core.errors import DomainError
from portal.core.ical_read import ReadEvent
from portal.core.shifts import Shift
from portal.core.wallclock import wall_of

_MAX_KEY = 300
_OCCURRENCE = re.compile(r"/\d{8}(?:T\d{4})?$")
# An address begins where a word does, and is looked for there only: each letter of a long text is read once.
_MAIL = re.compile(r"(?<![^\s<>(),;:\"@])[^\s<>(),;:\"@]+@[\w.-]+\w")
# What may stand between several names in a title without giving it another meaning.
_BETWEEN = re.compile(r"(?:on[- ]?call|and|und|et|y|e|[\W_\d])*", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be meant."""

    id: int
    name: str
    email: str


@dataclass(frozen=True)
class KnownShift:
    """A shift that stands in the schedule, with the key of the event it came from ("" for none)."""

    shift: Shift
    key: str


@dataclass(frozen=True)
class ImportPlan:
    """What an import does. `key` is `event_key` of the event.

    Attributes:
        added: (key, shift); ids are 0.
        changed: (what stands, what it becomes), who stands where another goes before that one.
        removed: their event is cancelled, or does not name this person any more.
        kept: how many stand as the file says.
        faults: a sentence for every event that was left out.
        missing: shifts to come whose event is not in the file; they stay.
    """

    added: tuple[tuple[str, Shift], ...] = ()
    changed: tuple[tuple[Shift, Shift], ...] = ()
    removed: tuple[Shift, ...] = ()
    kept: int = 0
    faults: tuple[str, ...] = ()
    missing: tuple[Shift, ...] = ()


def event_key(event: ReadEvent) -> str:
    """What a shift keeps of the event it came from, to be found again: at most 300 characters."""
    return _key(event.uid, event.occurrence)


def find_people(event: ReadEvent, candidates: Sequence[Candidate]) -> tuple[int, ...]:
    """Who is meant: those invited (but for who only invites the others), else whoever title or text names in full, else
    who invites. Raises DomainError with a part of a sentence when that is nobody, or not sure.
    """
    invited = [one for one in event.people if one != event.organizer] or list(event.people)
    known = {one: _by_word(one, candidates) for one in invited}
    found = dict.fromkeys(person for ids in known.values() for person in ids)
    if found:
        return tuple(found)
    for text in (event.summary, event.description):
        named = _named_in(text, candidates)
        if named:
            return named
    inviting = _by_word(event.organizer, candidates)
    if inviting:
        return inviting
    if invited:
        raise DomainError(f"invites {', '.join(invited[:3])}, and nobody here is that")
    raise DomainError("names nobody who works here")


def make_shift(event: ReadEvent, person_id: int, *, zone: ZoneInfo) -> Shift:
    """The shift an event stands for, in whole minutes of the schedule's clock. Raises DomainError as Shift does."""
    starts, ends = (wall_of(at, zone=zone) for at in (event.starts_at, event.ends_at))
    starts, ends = starts.replace(second=0), ends + timedelta(seconds=-ends.second % 60)
    if event.starts_at < event.ends_at:
        # Within a doubled hour the clock may end where it began, or before; a minute on it holds all of that hour.
        ends = max(ends, starts + timedelta(minutes=1))
    return Shift(0, person_id, starts, ends, note=event.summary[:200])


def plan_import(
    events: Iterable[ReadEvent],
    *,
    zone: ZoneInfo,
    candidates: Sequence[Candidate],
    known: Iterable[KnownShift],
    wall: datetime,
    cancelled: Collection[tuple[str, str]] = (),
) -> ImportPlan:
    """What to do so that the schedule has the shifts of these events. `wall` is now on the schedule's clock: what has
    been stays. `cancelled`: as `ReadResult` has it. Doing it and planning again gives a plan that does nothing.
    """
    planner = _Planner(zone, candidates, wall, list(known))
    for event in events:
        planner.take(event)
    planner.take_out({_key(*one) for one in cancelled})
    return planner.plan()


def describe_import(plan: ImportPlan) -> str:
    """One sentence: what was done, or what would be."""
    counts = [(len(plan.added), "added"), (len(plan.changed), "changed"), (len(plan.removed), "removed"),
              (plan.kept, "already there")]  # fmt: skip
    said = ", ".join(f"{count} {word}" for count, word in counts if count or word == "added")
    missing = len(plan.missing)
    are, stay = ("is", "stays") if missing == 1 else ("are", "stay")
    left = f" {missing} to come {are} not in the file any more and {stay}." if missing else ""
    return f"Shifts: {said}.{left}"


class _Planner:
    def __init__(
        self, zone: ZoneInfo, candidates: Sequence[Candidate], wall: datetime, known: list[KnownShift]
    ) -> None:
        self.zone, self.candidates, self.wall = zone, candidates, wall
        self.by_key: dict[str, list[Shift]] = {}
        for one in known:
            if one.key:
                self.by_key.setdefault(one.key, []).append(one.shift)
        self.known = known
        self.new: list[tuple[str, Shift]] = []
        self.changed: list[tuple[Shift, Shift]] = []
        self.removed: list[Shift] = []
        self.faults: list[str] = []
        self.kept = 0
        self.seen: set[str] = set()

    def plan(self) -> ImportPlan:
        """What was found. A new shift stands already only where nothing that stands there is moved away."""
        moved = {before.id for before, _ in self.changed} | {one.id for one in self.removed}
        standing = {_identity(one.shift) for one in self.known if one.shift.id not in moved}
        standing |= {_identity(after) for _, after in self.changed}
        added: list[tuple[str, Shift]] = []
        for key, shift in self.new:
            if _identity(shift) not in standing:
                standing.add(_identity(shift))
                added.append((key, shift))
        kept = self.kept + len(self.new) - len(added)
        missing = [
            shift
            for key, shifts in self.by_key.items()
            if key not in self.seen
            for shift in shifts
            if shift.ends > self.wall
        ]
        return ImportPlan(
            tuple(added), tuple(_leaving_first(self.changed)), tuple(self.removed), kept, tuple(self.faults),
            tuple(sorted(missing, key=lambda shift: (shift.starts, shift.id))),
        )  # fmt: skip

    def take_out(self, cancelled: Collection[str]) -> None:
        """Events that do not take place, by their keys: all of a series by its own, an occurrence by its own."""
        for key, shifts in self.by_key.items():
            if key not in self.seen and not {key, _OCCURRENCE.sub("", key)}.isdisjoint(cancelled):
                self.seen.add(key)
                self.removed.extend(shift for shift in shifts if shift.ends > self.wall)

    def take(self, event: ReadEvent) -> None:
        """One event: its shifts, against those that came from it before."""
        key = event_key(event)
        self.seen.add(key)
        try:
            wanted = [make_shift(event, one, zone=self.zone) for one in find_people(event, self.candidates)]
        except DomainError as error:
            self.faults.append(_sentence(event, str(error), zone=self.zone))
            return
        standing = self.by_key.get(key, [])
        open_ones = [shift for shift in standing if shift.ends > self.wall]
        for shift in list(wanted):
            same = next((one for one in open_ones if self._says_the_same(one, shift)), None)
            if same is not None or (shift.ends <= self.wall and standing):
                self.kept += 1
                wanted.remove(shift)
                open_ones = [one for one in open_ones if one is not same]
        for shift in wanted:
            self._change_or_add(key, shift, open_ones)
        self.removed.extend(open_ones)

    def _change_or_add(self, key: str, shift: Shift, open_ones: list[Shift]) -> None:
        before = next((one for one in open_ones if one.person_id == shift.person_id), None)
        before = before or next(iter(open_ones), None)
        if before is not None:
            open_ones.remove(before)
            starts = max(shift.starts, min(before.starts, self.wall))
            self.changed.append((before, replace(shift, id=before.id, starts=starts, level=before.level)))
        else:
            self.new.append((key, shift))

    def _says_the_same(self, stands: Shift, wanted: Shift) -> bool:
        """From now on. A shift that was changed while it ran begins where that happened."""
        is_running = stands.starts <= self.wall and wanted.starts <= self.wall
        return (stands.person_id, stands.ends) == (wanted.person_id, wanted.ends) and (
            is_running or stands.starts == wanted.starts
        )


def _key(uid: str, occurrence: str) -> str:
    key = f"{uid}/{occurrence}" if occurrence else uid
    return key if len(key) <= _MAX_KEY else f"sha256:{sha256(key.encode()).hexdigest()}/{occurrence}"


def _identity(shift: Shift) -> tuple[int, datetime, datetime, int]:
    return shift.person_id, shift.starts, shift.ends, shift.level


def _leaving_first(changed: Sequence[tuple[Shift, Shift]]) -> Iterable[tuple[Shift, Shift]]:
    """In an order in which each finds its new place empty, unless they change places in a circle."""
    standing = {_identity(before): (before, after) for before, after in changed}
    taken: set[int] = set()
    for first in changed:
        way: list[tuple[Shift, Shift]] = []
        one: tuple[Shift, Shift] | None = first
        while one is not None and one[0].id not in taken:
            taken.add(one[0].id)
            way.append(one)
            one = standing.get(_identity(one[1]))
        yield from reversed(way)


def _by_word(text: str, candidates: Sequence[Candidate]) -> tuple[int, ...]:
    """Whose address or whole name this is."""
    wanted = " ".join(text.split()).casefold()
    found = tuple(one.id for one in candidates if wanted and wanted in (one.email.casefold(), one.name.casefold()))
    return found if len(found) == 1 else ()


def _named_in(text: str, candidates: Sequence[Candidate]) -> tuple[int, ...]:
    """Those whose address or whole name stands in the text, in order of the candidates."""
    by_mail = {one.email.casefold(): one.id for one in candidates}
    mails = [by_mail[found.casefold()] for found in _MAIL.findall(text) if found.casefold() in by_mail]
    if mails:
        return tuple(dict.fromkeys(mails))
    found: set[int] = set()
    for name, ids in _names(candidates).items():
        text, count = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text, flags=re.IGNORECASE)
        if count and len(ids) > 1:
            raise DomainError(f"names {name}, and {len(ids)} people here are called that")
        found.update(ids if count else ())
    if len(found) > 1 and not _BETWEEN.fullmatch(text):
        raise DomainError("names several people, and it is not clear who is on call")
    return tuple(one.id for one in candidates if one.id in found)


def _names(candidates: Sequence[Candidate]) -> Mapping[str, list[int]]:
    """Longer names first: “Ann Lee” is not Ann."""
    found: dict[str, list[int]] = {}
    for one in sorted(candidates, key=lambda one: (-len(one.name), one.id)):
        if one.name.strip():
            found.setdefault(one.name.strip().casefold(), []).append(one.id)
    return found


def _sentence(event: ReadEvent, words: str, *, zone: ZoneInfo) -> str:
    at = wall_of(event.starts_at, zone=zone)
    words = words if words[:1].islower() else f"cannot be a shift: {words.rstrip('.')}"
    return f"“{event.summary[:60] or 'Without a name'}” on {at.day} {at:%B %Y at %H:%M} {words}."
