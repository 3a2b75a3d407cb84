"""A shop that is set up by settings files, with a clock that tests move."""

from datetime import UTC, datetime
from types import SimpleNamespace

import yaml

from portal.core.intervals import Interval
from portal.core.roster import make_roster
from portal.core.site_file import SiteFileError, read_site_file
from portal.core.wallclock import instant_of, wall_of
from portal.models import Database
from portal.services.audit import Change
from portal.services.schedules import find_schedule, load_schedule, people_on_call_at
from portal.services.site_file_export import collect_sections
from portal.services.site_file_import import Run, apply_sections
from tests.web.conftest import CountingRandom

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PEOPLE = [
    {"mail": f"{name.lower()}@a.example", "name": name, "role": "admin" if name == "Alice" else "technician"}
    for name in ("Alice", "Bob", "Carol", "Dave")
]


class SiteFileWorld:
    """`take` imports a file (YAML or its values) and says what changed; `at` says what time it is."""

    def __init__(self, database: Database) -> None:
        self.database, self.now, self.shop = database, NOW, SimpleNamespace(box=None, random=CountingRandom())
        self.take({"settings": {"site.zone": "Europe/Berlin"}, "people": PEOPLE})

    def at(self, wall: str) -> None:
        zone = self.zone("On call")
        self.now = instant_of(datetime.fromisoformat(wall), zone=zone)

    def take(self, sections) -> list[str]:
        text = sections if isinstance(sections, str) else yaml.dump(sections, sort_keys=False)
        file = read_site_file(text)
        with self.database.unit_of_work() as uow:
            run = Run(uow, file, Change(None, self.now), context=self.shop, environ={})
            apply_sections(run)
            if run.faults:
                raise SiteFileError(run.faults)
            self.notes = run.notes
            return run.changes

    def take_schedule(self, **parts) -> list[str]:
        """The site's own schedule."""
        return self.take({"schedules": [{"name": "On call", **parts}]})

    def export(self):
        with self.database.read_session() as session:
            return collect_sections(session, now=self.now)

    def rows(self, query):
        with self.database.read_session() as session:
            return session.scalars(query).all()

    def zone(self, schedule: str):
        with self.database.read_session() as session:
            return load_schedule(session, find_schedule(session, schedule)).roster.zone

    def who(self, wall: str, schedule: str = "On call") -> str:
        """The names of who is on call when the schedule's clock shows this."""
        with self.database.read_session() as session:
            schedule_id = find_schedule(session, schedule)
            at = instant_of(datetime.fromisoformat(wall), zone=load_schedule(session, schedule_id).roster.zone)
            return " ".join(sorted(name for _, name in people_on_call_at(session, at, schedule_id=schedule_id)))

    def changes_of_hands(self, first: str, last: str, schedule: str = "On call") -> list[str]:
        """`11-22 08:00 Bob` for each beginning of a duty."""
        with self.database.read_session() as session:
            stored = load_schedule(session, find_schedule(session, schedule))
        zone = stored.roster.zone
        span = Interval(*(instant_of(datetime.fromisoformat(wall), zone=zone) for wall in (first, last)))
        duties = make_roster(stored.roster, span)
        return [f"{wall_of(one.starts_at, zone=zone):%m-%d %H:%M} {stored.names[one.person_id]}" for one in duties]
