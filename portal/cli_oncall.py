"""`portal oncall ...`: who is on call, from the command line. Needs the database, and no running system."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.config import load_config
from portal.core.errors import DomainError
from portal.core.ical_lines import MAX_BYTES
from portal.core.instants import format_instant, format_local, parse_instant
from portal.core.intervals import Interval
from portal.core.roster import RosterDuty, make_roster
from portal.core.shift_import import describe_import
from portal.models import User
from portal.services.audit import Change
from portal.services.schedules import StoredSchedule, list_schedules, load_schedule
from portal.services.shift_import import import_shifts, plan_shift_import
from portal.wiring import build

TIME = """Times are ISO 8601. 2026-11-21T18:00Z and 2026-11-21T18:00+01:00 are that instant; without an offset,
2026-11-21T18:00 is what the clock on the wall shows in the schedule's zone."""
_SCHEDULE_HELP = "Name (in any case) or number of the schedule; the site's own when left out."
_FAR = timedelta(days=400)
_LONGEST = timedelta(days=3660)


@click.group()
def oncall() -> None:
    """Who is on call: the same answer as the pages, the feeds and the pager give."""


@oncall.command(epilog=TIME)
@click.option("--at", "at_text", default="", metavar="T", help="When; now when left out.")
@click.option("--schedule", "name", default="", metavar="S", help=_SCHEDULE_HELP)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def who(at_text: str, name: str, as_json: bool) -> None:
    """Print who is on call at one time, since and until when, and why.

    In a doubled hour a time without an offset is its first occurrence, in a missing hour the first instant after. What
    began or ends more than 400 days away is said to begin or end there.
    """
    context = build(load_config())
    with context.database.read_session() as session:
        stored = _schedule(session, name)
        zone = stored.roster.zone
        at = parse_instant(at_text, zone=zone) if at_text else context.clock.now()
        duties = [
            duty
            for duty in make_roster(stored.roster, Interval(at - _FAR, at + _FAR))
            if duty.starts_at <= at < duty.ends_at
        ]
        emails = _emails(session)
    if as_json:
        people = [_told(stored, emails, duty, "since", "until") for duty in duties]
        answer = {"schedule": stored.head.name, "zone": zone.key, "at": format_instant(at),
                  "at_local": format_local(at, zone=zone), "on_call": people}  # fmt: skip
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"{stored.head.name}, {format_local(at, zone=zone)} {zone.key}:")
    for duty in duties:
        click.echo(_line(stored, emails, duty))
    if not duties:
        click.echo("  Nobody is on call.")


@oncall.command(epilog=TIME)
@click.option("--from", "from_text", required=True, metavar="T", help="From when.")
@click.option("--to", "to_text", required=True, metavar="T", help="Until when, not included.")
@click.option("--schedule", "name", default="", metavar="S", help=_SCHEDULE_HELP)
@click.option("--json", "as_json", is_flag=True, help="One JSON list for programs.")
def shifts(from_text: str, to_text: str, name: str, as_json: bool) -> None:
    """Print everybody's time on call within [from, to), cut to it, in order of time.

    In a doubled hour --from without an offset is its first occurrence and --to its last; in a missing hour both are the
    first instant after.
    """
    with build(load_config()).database.read_session() as session:
        stored = _schedule(session, name)
        zone = stored.roster.zone
        span = Interval(parse_instant(from_text, zone=zone), parse_instant(to_text, zone=zone, last=True))
        if span.ends_at < span.starts_at:
            raise DomainError("--to lies before --from.")
        if span.ends_at - span.starts_at > _LONGEST:
            raise DomainError("Ask for at most ten years at once.")
        duties = make_roster(stored.roster, span) if span else ()
        emails = _emails(session)
    if as_json:
        listed = [_told(stored, emails, duty, "starts_at", "ends_at") for duty in duties]
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    for duty in duties:
        click.echo(_line(stored, emails, duty))


@oncall.command("import")
@click.argument("file", metavar="FILE.ics")
@click.option("--schedule", "name", default="", metavar="S", help=_SCHEDULE_HELP)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def import_file(file: str, name: str, dry_run: bool, as_json: bool) -> None:
    """Make shifts of the events of a calendar file ("-" reads the standard input).

    Who is meant is found by mail address, or by the full name in the title or text; an event of nobody known is listed
    and left out. Importing a file again adds nothing; an event that changed or was cancelled in it changes or ends its
    shift, but never what has been. Exit code 1 when no event could be used.
    """
    try:
        with click.open_file(file, "rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DomainError(f"{file} cannot be read: {error.strerror}.") from error
    context = build(load_config())
    now = context.clock.now()
    if dry_run:
        with context.database.read_session() as session:
            done = plan_shift_import(session, data, now=now, schedule_id=_schedule(session, name).head.id)
    else:
        with context.database.unit_of_work() as uow:
            schedule_id = _schedule(uow.session, name).head.id
            done = import_shifts(uow, data, change=Change(None, now), schedule_id=schedule_id)
    counts = {"added": len(done.plan.added), "changed": len(done.plan.changed), "removed": len(done.plan.removed),
              "kept": done.plan.kept, "missing": len(done.plan.missing)}  # fmt: skip
    if as_json:
        click.echo(json.dumps({**counts, "faults": done.faults, "notes": done.notes}, ensure_ascii=False))
    else:
        click.echo("This would change: " * dry_run + describe_import(done.plan))
        for line in (*done.notes, *done.faults):
            click.echo(line, err=True)
    if done.faults and not any(counts[one] for one in ("added", "changed", "removed", "kept")):
        sys.exit(1)


def _schedule(session: Session, name: str) -> StoredSchedule:
    """The schedule with this name or number. Raises DomainError that lists what there is."""
    wanted, known = name.strip().casefold(), list_schedules(session)
    if not wanted:
        return load_schedule(session)
    found = [one for one in known if one.name.casefold() == wanted] or [one for one in known if str(one.id) == wanted]
    if not found:
        names = ", ".join(one.name for one in known)
        raise DomainError(f"There is no schedule {name.strip()!r}. There are: {names}.")
    return load_schedule(session, found[0].id)


def _emails(session: Session) -> Mapping[int, str]:
    return {row.id: row.email for row in session.execute(select(User.id, User.email))}


def _told(stored: StoredSchedule, emails: Mapping[int, str], duty: RosterDuty, start: str, end: str) -> dict[str, Any]:
    """A duty for programs; `start` and `end` are the names of its borders, told in UTC and as the clock shows them."""
    edges = {start: duty.starts_at, end: duty.ends_at}
    return {
        "email": emails[duty.person_id],
        "name": stored.names[duty.person_id],
        **{name: format_instant(at) for name, at in edges.items()},
        **{
            f"{name.removesuffix('_at')}_local": format_local(at, zone=stored.roster.zone) for name, at in edges.items()
        },
        "because": str(duty.source.kind),
    }


def _line(stored: StoredSchedule, emails: Mapping[int, str], duty: RosterDuty) -> str:
    zone = stored.roster.zone
    starts, ends = (format_local(at, zone=zone)[:16].replace("T", " ") for at in (duty.starts_at, duty.ends_at))
    person = f"{stored.names[duty.person_id]} <{emails[duty.person_id]}>"
    return f"  {starts} - {ends}  {person}  ({duty.source.kind})"
