"""Rotations of the settings file. One of them is found again by what it says, or else by its name."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from portal.core.calendars import format_week, parse_week
from portal.core.errors import DomainError
from portal.core.rotations import Rotation, Unit
from portal.models import RotationRow
from portal.services.schedules import read_rotation
from portal.services.site_file_plan import At, Entry, Plan, read_word


def apply_rotations(plan: Plan, entries: list[Entry], at: At) -> None:
    """Make the rotations those of the file: what runs and is said otherwise changes from now on."""
    own = select(RotationRow).where(RotationRow.schedule_id == plan.row.id).order_by(RotationRow.id)
    left = list(plan.session.scalars(own))
    fresh: list[tuple[str, Rotation]] = []
    seen: set[tuple[str, Rotation]] = set()
    for number, entry in enumerate(entries):
        with at(number):
            name, wanted = _read_name(entry), _read_rotation(plan, entry)
            if (name, wanted) in seen:
                raise DomainError("This very entry stands here twice.")
            seen.add((name, wanted))
            row = _find_same(plan, left, name, wanted)
            if row is None:
                fresh.append((name, wanted))
            else:
                left.remove(row)
                _rename(plan, row, name)
    for name, wanted in fresh:
        named = [row for row in left if name and row.name == name]
        if named and not _is_running(plan, wanted):
            continue  # the file ends it in the past, which stays: if it still runs, it ends now
        before = next((row for row in named if _is_running(plan, row)), None)
        if before is not None:
            left.remove(before)
        _put_rotation(plan, name, wanted, before)
    for row in left:
        if _is_running(plan, row):
            plan.note("rotation.remove", f"{row.name or 'a rotation'} removed")
            _end_rotation(plan, row)


def _find_same(plan: Plan, rows: list[RotationRow], name: str, wanted: Rotation) -> RotationRow | None:
    same = [row for row in rows if _from_now(plan, read_rotation(row)) == _from_now(plan, wanted)]
    return next((row for row in same if row.name == name), next(iter(same), None))


def _rename(plan: Plan, row: RotationRow, name: str) -> None:
    if row.name != name:
        plan.note("rotation.edit", f"{row.name or 'a rotation'} is called {name or 'nothing'}")
        row.name, row.version = name, row.version + 1


def _is_running(plan: Plan, one: RotationRow | Rotation) -> bool:
    return one.ends is None or one.ends > plan.wall


def _put_rotation(plan: Plan, name: str, wanted: Rotation, before: RotationRow | None) -> None:
    """A new rotation as it stands; a changed one from now on."""
    since = wanted.since if before is None or wanted.begins >= plan.wall else plan.wall
    columns = {
        "name": name, "people": list(wanted.people), "starts": wanted.starts, "ends": wanted.ends,
        "since": since, "unit": wanted.unit,
        "every": wanted.every, "week": format_week(wanted.week) if wanted.week else None,
        "by_shift": wanted.by_shift, "level": wanted.level,
    }  # fmt: skip
    if before is None:
        plan.note("rotation.add", f"{name or 'a rotation'} added")
        plan.session.add(RotationRow(schedule_id=plan.row.id, **columns))
        return
    plan.note("rotation.edit", f"{name} changed")
    if read_rotation(before).begins < plan.wall:
        series = before.series_id or before.id
        _end_rotation(plan, before)
        plan.session.add(RotationRow(schedule_id=plan.row.id, series_id=series, **columns))
        return
    for key, value in columns.items():
        setattr(before, key, value)
    before.version += 1


def _end_rotation(plan: Plan, row: RotationRow) -> None:
    if read_rotation(row).begins >= plan.wall:
        plan.session.delete(row)
    else:
        row.ends, row.version = plan.wall, row.version + 1


def _read_name(entry: Entry) -> str:
    name = " ".join(entry["name"].split())
    if len(name) > 80:
        raise DomainError("The name of a rotation has at most 80 characters.")
    return name


def _read_rotation(plan: Plan, entry: Entry) -> Rotation:
    week = parse_week(entry["week"]) if entry.get("week") else None
    return Rotation(
        0, tuple(plan.person(mail) for mail in entry["people"]), entry["starts"],
        read_word(Unit, entry["unit"], "unit"), entry["every"], entry.get("ends"), week, entry["by_shift"],
        entry["level"], entry.get("since"),
    )  # fmt: skip


def _from_now(plan: Plan, rotation: Rotation) -> Rotation:
    """As it is to be compared: since when it counts says nothing any more once that is over."""
    since = rotation.since if rotation.since and rotation.since > plan.wall else None
    return replace(rotation, id=0, since=since)
