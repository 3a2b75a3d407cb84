"""`portal hours`, as a person and a program type it."""

import json
from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner

from portal.cli import main
from portal.config import load_config
from portal.core.calendars import WEEKDAYS, parse_week
from portal.models import SettingRow
from portal.models.schema import upgrade
from portal.services.audit import Change
from portal.services.calendar_edit import add_calendar
from portal.services.calendars import save_week
from portal.services.holidays import add_holiday
from portal.wiring import build

CHANGE = Change(None, datetime(2026, 11, 20, tzinfo=UTC))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The site in Berlin: Monday to Friday 8-18, Christmas closed. New York: daily 9-18. Always: round the clock."""
    folder = tmp_path_factory.mktemp("hours")
    context = build(load_config({"NIGHTDESK_DATA_DIR": str(folder), "NIGHTDESK_QUEUE": "polled"}))
    upgrade(context.database)
    with context.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
        uow.session.flush()
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")), change=CHANGE)
        add_holiday(uow, date(2026, 12, 25), "Christmas Day", change=CHANGE)
        for name, zone, week in (("New York", "America/New_York", "9-18"), ("Always", "", "0-24")):
            added = add_calendar(uow, name, zone=zone, change=CHANGE)
            save_week(uow, parse_week(dict.fromkeys(WEEKDAYS, week)), calendar_id=added, change=CHANGE)
        add_calendar(uow, "Never", change=CHANGE)
    context.database.dispose()
    return folder


@pytest.fixture
def home(folder, monkeypatch):
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(folder))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")


def portal(*words, code=0):
    result = CliRunner().invoke(main, ("hours", *words))
    assert result.exit_code == code, result.output
    return result.output


def asked(*words):
    return json.loads(portal(*words, "--json"))


def test_adding_answers_in_utc_and_on_the_clock_of_the_calendar(home):
    assert asked("add", "--calendar", "new york", "--from", "2007-01-01T22:00Z", "--minutes", "120") == {
        "calendar": "New York", "zone": "America/New_York",
        "from": "2007-01-01T22:00:00Z", "from_local": "2007-01-01T17:00:00-05:00", "minutes": 120,
        "due": "2007-01-02T15:00:00Z", "due_local": "2007-01-02T10:00:00-05:00",
    }  # fmt: skip


def test_a_time_without_an_offset_is_on_the_clock_of_the_calendar(home):
    answer = asked("add", "--from", "2026-11-23T17:00", "--minutes", "240")
    assert (answer["calendar"], answer["from"], answer["due_local"]) == (
        "Business hours", "2026-11-23T16:00:00Z", "2026-11-24T11:00:00+01:00",
    )  # fmt: skip
    assert portal("add", "--from", "2026-11-23T17:00", "--minutes", "240") == "Tue 2026-11-24 11:00 CET\n"


def test_negative_minutes_are_subtracted(home):
    answer = asked("add", "--from", "2026-11-24T11:00", "--minutes", "-240")
    assert (answer["minutes"], answer["due_local"]) == (-240, "2026-11-23T17:00:00+01:00")


def test_a_calendar_is_found_by_its_number_and_half_minutes_count(home):
    answer = asked("add", "--calendar", "2", "--from", "2026-11-24T12:00", "--minutes", "1.5")
    assert (answer["calendar"], answer["minutes"], answer["due_local"]) == (
        "New York", 1.5, "2026-11-24T12:01:30-05:00",
    )  # fmt: skip


def test_the_time_between_is_counted(home):
    answer = asked("between", "--from", "2026-12-24T17:00", "--to", "2026-12-28T09:00")
    assert (answer["minutes"], answer["to"]) == (120, "2026-12-28T08:00:00Z")
    assert portal("between", "--from", "2026-12-24T17:00", "--to", "2026-12-28T09:00") == "120 minutes\n"
    doubled = asked("between", "--calendar", "always", "--from", "2026-10-25T02:00", "--to", "2026-10-25T03:00")
    assert doubled["minutes"] == 120
    within = asked("between", "--calendar", "always", "--from", "2026-10-25T02:00", "--to", "2026-10-25T02:30")
    assert within["minutes"] == 90


def test_open_or_not_until_when_and_why(home):
    assert asked("open", "--at", "2026-11-23T17:59") == {
        "calendar": "Business hours", "zone": "Europe/Berlin",
        "at": "2026-11-23T16:59:00Z", "at_local": "2026-11-23T17:59:00+01:00", "open": True,
        "until": "2026-11-23T17:00:00Z", "until_local": "2026-11-23T18:00:00+01:00",
        "next_opening": "2026-11-23T16:59:00Z", "next_opening_local": "2026-11-23T17:59:00+01:00", "holiday": None,
    }  # fmt: skip
    closed = asked("open", "--at", "2026-12-25T12:00")
    assert (closed["open"], closed["until"], closed["next_opening_local"], closed["holiday"]) == (
        False, None, "2026-12-28T08:00:00+01:00", "Christmas Day",
    )  # fmt: skip
    never = asked("open", "--calendar", "never", "--at", "2026-11-23")
    assert (never["open"], never["next_opening"], never["next_opening_local"]) == (False, None, None)


@pytest.mark.parametrize(
    ("calendar", "at", "words"),
    [
        ("", "2026-11-23T17:59", "Open, until Mon 2026-11-23 18:00 CET."),
        ("", "2026-11-23T18:00", "Closed. Opens Tue 2026-11-24 08:00 CET."),
        ("", "2026-12-25T12:00", "Closed (Christmas Day). Opens Mon 2026-12-28 08:00 CET."),
        ("Always", "2026-12-25T12:00", "Open, round the clock."),
        ("Never", "2026-12-25T12:00", "Closed, and does not open within ten years."),
    ],
)
def test_the_answer_for_people_is_a_sentence(home, calendar, at, words):
    assert portal("open", "--calendar", calendar, "--at", at) == f"{words}\n"


def test_without_a_time_it_is_now(home):
    assert abs(datetime.fromisoformat(asked("open")["at"]) - datetime.now(UTC)).total_seconds() < 60


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("open", "--at", "soon"), "'soon' is not a time. Write it like 2026-11-21T18:00 or 2026-11-21T18:00Z."),
        (("open", "--at", "3026-11-21"), "The year must lie between 2000 and 2199."),
        (("open", "--calendar", "Moon"), "There is no calendar “Moon”. There are: Business hours, Always, "),
        (("add", "--minutes", "many"), "“many” is not an amount of minutes. Give a number like 120"),
        (("add", "--minutes", "nan"), "“nan” is not an amount of minutes."),
        (("add", "--minutes", "1e9"), "“1e9” is not an amount of minutes."),
        (("add", "--minutes", "5", "--calendar", "never"), "These business hours are open too rarely"),
        (("between", "--from", "2026-11-22", "--to", "2026-11-21"), "--to lies before --from."),
    ],
)
def test_what_makes_no_sense_is_one_sentence(home, words, sentence):
    output = portal(*words, code=1)
    assert output.startswith(sentence) and output.count("\n") == 1


def test_the_help_says_what_a_time_without_an_offset_means(home):
    for command in ("add", "between", "open"):
        assert "what the clock on the wall shows in the calendar's zone" in " ".join(portal(command, "--help").split())


def test_a_database_that_was_never_made_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path))
    output = portal("open", code=1)
    assert output == "The database is not of this version. Start Nightdesk once, or run: portal db upgrade\n"
