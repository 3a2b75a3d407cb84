"""Random shops, set up by `portal config import`, asked by `portal oncall` and `portal hours`: 0 minutes differ from a
naive walk."""

import json
import os
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
import yaml
from click.testing import CliRunner

from portal.cli import main
from portal.config import load_config
from portal.models.schema import upgrade
from portal.wiring import build
from tests.outer.naive_time import MINUTE, WEEKDAYS, Roster, Shop

# Zone, and the Sunday on which its clocks change in spring and in autumn.
CHANGES = {
    "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
    "Europe/London": (date(2026, 3, 29), date(2026, 10, 25)),
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Sydney": (date(2026, 10, 4), date(2026, 4, 5)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
}
WEEKS = [(zone, day) for zone, days in CHANGES.items() for day in days]
PEOPLE = [f"{name}@a.example" for name in ("alice", "bob", "carol", "dave", "erin")]
GONE = "erin@a.example"
SAMPLE = int(os.environ.get("NIGHTDESK_TEST_SITES", "3"))


class Maker:
    """A random shop around one Sunday; borders fall on quarters of an hour, often in the night of the change."""

    def __init__(self, seed: int, zone: str, sunday: date) -> None:
        self.random, self.zone, self.sunday = Random(f"{seed} {zone} {sunday}"), zone, sunday

    def moment(self, *, around_h: int = 84) -> str:
        night = datetime.combine(self.sunday, time())
        at_night, far = self.random.randint(1, 14), self.random.randint(-around_h * 4, around_h * 4)
        quarters = at_night if self.random.random() < 0.7 else far
        return f"{night + timedelta(minutes=15 * quarters):%Y-%m-%d %H:%M}"

    def span(self, starts: str = "starts", ends: str = "ends", **options) -> dict:
        a, b = sorted((self.moment(**options), self.moment(**options)))
        if a == b:
            b = f"{datetime.fromisoformat(a) + timedelta(minutes=15 * self.random.randint(1, 90)):%Y-%m-%d %H:%M}"
        return {starts: a, ends: b}

    def several(self, make, most: int) -> list:
        made = [make() for _ in range(self.random.randint(0, most))]
        return [one for number, one in enumerate(made) if one not in made[:number]]

    def week(self) -> dict:
        far, at_night = range(7 * 48), range(6 * 48, 6 * 48 + 8)
        marks = {*self.random.sample(far, self.random.randint(2, 12)), *self.random.sample(at_night, 4)}
        week: dict[str, list[str]] = {}
        for a, b in list(pairwise(sorted(marks)))[::2]:
            day, opens = divmod(a, 48)
            closes = opens + min(b - a, 47 if opens else 48)
            texts = [f"{half // 2:02}:{half % 2 * 30:02}" for half in (opens, closes if closes <= 48 else closes - 48)]
            week.setdefault(WEEKDAYS[day], []).append("-".join(texts))
        return week

    def rotation(self) -> dict:
        pick = self.random
        starts = datetime.fromisoformat(self.moment()) - timedelta(days=pick.choice((0, 0, 3, 40, 400)))
        week = self.week() if pick.random() < 0.5 else None
        found = {
            "people": [pick.choice(PEOPLE) for _ in range(pick.randint(1, 4))],
            "starts": f"{starts:%Y-%m-%d %H:%M}", "unit": pick.choice(("hour", "day", "week", "month")),
            "every": pick.randint(1, 5), "level": pick.randint(0, 2),
        }  # fmt: skip
        if pick.random() < 0.3:
            found["ends"] = f"{starts + timedelta(minutes=15 * pick.randint(1, 5000)):%Y-%m-%d %H:%M}"
        return {**found, "week": week, "by_shift": pick.random() < 0.4} if week else found

    def override(self) -> dict:
        kind = self.random.choice(("add", "remove", "replace"))
        other = {"instead_of": self.random.choice(PEOPLE)} if kind == "replace" and self.random.random() < 0.6 else {}
        return {"kind": kind, "person": self.random.choice(PEOPLE), **other, **self.span()}

    def policies(self) -> list[dict]:
        found = []
        for on in self.random.sample(range(-3, 4), self.random.randint(0, 3)):
            policy = self.random.choice(("normal", "person", "everyone", "nobody"))
            who = {"person": self.random.choice(PEOPLE)} if policy == "person" else {}
            found.append({"date": self.sunday + timedelta(days=on), "policy": policy, **who})
        return found

    def schedule(self) -> dict:
        shifts = self.several(lambda: {"person": self.random.choice(PEOPLE), **self.span(), "level": 1}, 3)
        return {
            "name": "Outer", "zone": self.zone, "members": self.random.sample(PEOPLE, self.random.randint(0, 3)),
            "shifts": shifts,
            "rotations": [{"name": f"R{n}", **one} for n, one in enumerate(self.several(self.rotation, 3))],
            "overrides": self.several(self.override, 8), "holidays": self.policies(),
        }  # fmt: skip

    def calendar(self) -> dict:
        special = lambda: {"kind": self.random.choice(("open", "closed")), **self.span("from", "to")}  # noqa: E731
        return {"name": "Outer", "zone": self.zone, "hours": self.week(), "special_hours": self.several(special, 3)}

    def holidays(self) -> list[dict]:
        parts = ("00:00-24:00", "13:00-24:00", "00:00-02:30", "02:15-12:00")
        return [
            {"date": self.sunday + timedelta(days=on), "name": f"Day {on}", "calendar": "Outer",
             "closed": self.random.choice(parts), "state": self.random.choice(("accepted", "accepted", "ignored"))}
            for on in self.random.sample(range(-3, 4), self.random.randint(0, 3))
        ]  # fmt: skip

    def file(self) -> dict:
        names = [{"mail": mail, "name": mail.partition("@")[0].title(), "role": "technician"} for mail in PEOPLE]
        return {
            "settings": {"site.zone": "Asia/Kathmandu"},
            "people": [{**names[0], "role": "admin"}, *names[1:-1], {**names[-1], "active": False}],
            "calendars": [self.calendar()], "schedules": [self.schedule()], "holidays": self.holidays(),
        }  # fmt: skip


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """The command line over a database of its own."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    context = build(load_config())
    upgrade(context.database)
    context.database.dispose()

    def run(*words: str, stdin: str | None = None) -> str:
        result = CliRunner().invoke(main, words, input=stdin, catch_exceptions=False)
        assert result.exit_code == 0, (words, result.output)
        return result.output

    return run


def text_of(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


def emails(people: list[dict]) -> set[str]:
    return {one["email"] for one in people}


def roster_differences(portal, site: Maker, entry: dict, start: datetime, stop: datetime) -> list:
    """Every minute of `shifts`, and a sample of `who`, that differs from the walk."""
    said: list[set[str]] = [set() for _ in range((stop - start) // MINUTE)]
    words = ("--schedule", "Outer", "--json")
    for duty in json.loads(portal("oncall", "shifts", "--from", text_of(start), "--to", text_of(stop), *words)):
        edges = [datetime.fromisoformat(duty[key]) for key in ("starts_at", "ends_at")]
        for number in range(*((edge - start) // MINUTE for edge in edges)):
            assert duty["email"] not in said[number], "named twice"
            said[number].add(duty["email"])
    expected = Roster(entry, zone=site.zone, everyone=PEOPLE, active=set(PEOPLE) - {GONE}).minutes(start, stop)
    wrong = [
        ("shifts", start + n * MINUTE, a, b) for n, (a, b) in enumerate(zip(said, expected, strict=True)) if a != b
    ]
    changes = [n for n in range(1, len(expected)) if expected[n] != expected[n - 1]] or [0]
    for number in (*site.random.sample(changes, min(3, len(changes))), site.random.randrange(len(expected))):
        at = start + number * MINUTE
        who = emails(json.loads(portal("oncall", "who", "--at", text_of(at), *words))["on_call"])
        wrong += [("who", at, who, expected[number])] if who != expected[number] else []
    return wrong


def hours_differences(portal, site: Maker, file: dict, start: datetime, stop: datetime) -> list:
    """Whether it is open, how long between two times and when so much has passed: a sample of each."""
    open_now = Shop(file["calendars"][0], file["holidays"], zone=site.zone).minutes(start, stop)
    words, wrong = ("--calendar", "Outer", "--json"), []
    changes = [n for n in range(1, len(open_now)) if open_now[n] != open_now[n - 1]] or [0]
    for number in (*site.random.sample(changes, min(3, len(changes))), site.random.randrange(len(open_now))):
        at = start + number * MINUTE
        said = json.loads(portal("hours", "open", "--at", text_of(at), *words))["open"]
        wrong += [("open", at, said, open_now[number])] if said != open_now[number] else []
        length = site.random.randrange(len(open_now) - number)
        until = text_of(at + length * MINUTE)
        said = json.loads(portal("hours", "between", "--from", text_of(at), "--to", until, *words))["minutes"]
        expected = sum(open_now[number : number + length])
        wrong += [("between", at, until, said, expected)] if said != expected else []
        if expected:
            due = json.loads(portal("hours", "add", "--from", text_of(at), "--minutes", str(expected), *words))["due"]
            last = max(n for n in range(number, number + length) if open_now[n])
            wrong += [("add", at, expected, due)] if datetime.fromisoformat(due) != start + (last + 1) * MINUTE else []
    return wrong


def differences(portal, seed: int, zone: str, sunday: date, *, days: int) -> list:
    site = Maker(seed, zone, sunday)
    file = site.file()
    text = yaml.dump(file, sort_keys=False)
    portal("config", "import", "-", stdin=text)
    assert "Nothing to change" in portal("config", "import", "-", stdin=text)
    noon = datetime.combine(sunday, time(12), tzinfo=ZoneInfo(zone)).astimezone(UTC)
    start, stop = noon - timedelta(days=days / 2), noon + timedelta(days=days / 2)
    wrong = roster_differences(portal, site, file["schedules"][0], start, stop)
    return wrong + hours_differences(portal, site, file, start, stop)


@pytest.mark.parametrize(("zone", "sunday"), WEEKS[::3])
def test_a_shop_is_right_to_the_minute_where_the_clocks_change(portal, zone, sunday):
    assert differences(portal, 1, zone, sunday, days=1) == []


@pytest.mark.more
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(SAMPLE))
@pytest.mark.parametrize(("zone", "sunday"), WEEKS)
def test_many_shops_are_right_to_the_minute_in_the_week_the_clocks_change(portal, zone, sunday, seed):
    assert differences(portal, seed, zone, sunday, days=7) == []
