"""`portal oncall`, as a person and a program type it."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from portal.cli import main
from portal.config import load_config
from portal.models import OverrideRow, RotationRow, ScheduleRow, SettingRow, ShiftRow
from portal.models.schema import upgrade
from portal.wiring import build
from tests.services.paging_world import BOB, CAROL, NOW, add_people


def wall(text):
    return datetime.fromisoformat(text)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Bob and Carol take turns of a day in Berlin, Alice's evening of the 24th is Bob's; Paris has one shift."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    context = build(load_config())
    upgrade(context.database)
    add_people(context.database)
    with context.database.unit_of_work() as uow:
        add = uow.session.add
        add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
        add(RotationRow(people=[BOB, CAROL], starts=wall("2026-10-20T08:00"), unit="day"))
        add(OverrideRow(kind="add", user_id=CAROL, starts=wall("2026-10-24T20:00"), ends=wall("2026-10-25T02:30"),
                        created_at=NOW))  # fmt: skip
        add(ScheduleRow(id=7, name="Paris", zone="Europe/Paris", members=[], changed_at=NOW))
        uow.session.flush()
        add(ShiftRow(schedule_id=7, user_id=CAROL, starts=wall("2026-10-01T00:00"), ends=wall("2026-12-01T00:00")))
    yield context
    context.database.dispose()


def portal(*words, code=0):
    result = CliRunner().invoke(main, ("oncall", *words))
    assert result.exit_code == code, result.output
    return result.output


def test_who_is_on_call_since_and_until_when_and_why(home):
    answer = json.loads(portal("who", "--at", "2026-10-24T21:00", "--json"))
    assert answer == {
        "schedule": "On call", "zone": "Europe/Berlin",
        "at": "2026-10-24T19:00:00Z", "at_local": "2026-10-24T21:00:00+02:00",
        "on_call": [
            {"email": "bob@acme.example", "name": "Bob", "since": "2026-10-24T06:00:00Z",
             "until": "2026-10-25T07:00:00Z", "since_local": "2026-10-24T08:00:00+02:00",
             "until_local": "2026-10-25T08:00:00+01:00", "because": "rotation"},
            {"email": "carol@acme.example", "name": "Carol", "since": "2026-10-24T18:00:00Z",
             "until": "2026-10-25T01:30:00Z", "since_local": "2026-10-24T20:00:00+02:00",
             "until_local": "2026-10-25T02:30:00+01:00", "because": "override"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("at", "people"),
    [
        ("2026-10-25T01:29:59Z", ["Bob", "Carol"]),  # both runs of the doubled half hour are Carol's
        ("2026-10-25T01:30Z", ["Bob"]),
        ("2026-10-25T02:29", ["Bob", "Carol"]),
        ("2026-10-25T08:00", ["Carol"]),
        ("2026-10-19T12:00+02:00", []),
    ],
)
def test_who_answers_to_the_minute(home, at, people):
    assert [one["name"] for one in json.loads(portal("who", "--at", at, "--json"))["on_call"]] == people


def test_who_is_on_call_now_when_no_time_is_given(home):
    before = datetime.now(UTC).replace(microsecond=0)
    answer = json.loads(portal("who", "--json"))
    assert before <= datetime.fromisoformat(answer["at"]) <= datetime.now(UTC)


@pytest.mark.parametrize("name", ["Paris", " pARIS", "7"])
def test_a_schedule_is_named_in_any_case_or_by_number(home, name):
    answer = json.loads(portal("who", "--at", "2026-11-01T00:00Z", "--schedule", name, "--json"))
    assert (answer["schedule"], answer["zone"]) == ("Paris", "Europe/Paris")
    assert [(one["since"], one["until"]) for one in answer["on_call"]] == [
        ("2026-09-30T22:00:00Z", "2026-11-30T23:00:00Z")
    ]


def test_shifts_are_listed_in_order_and_cut_to_what_was_asked_for(home):
    listed = json.loads(portal("shifts", "--from", "2026-10-24T20:30", "--to", "2026-10-25T09:00", "--json"))
    assert [(one["name"], one["starts_at"], one["ends_at"], one["because"]) for one in listed] == [
        ("Carol", "2026-10-24T18:30:00Z", "2026-10-25T01:30:00Z", "override"),
        ("Bob", "2026-10-24T18:30:00Z", "2026-10-25T07:00:00Z", "rotation"),
        ("Carol", "2026-10-25T07:00:00Z", "2026-10-25T08:00:00Z", "rotation"),
    ]
    assert (listed[1]["starts_local"], listed[1]["ends_local"]) == (
        "2026-10-24T20:30:00+02:00",
        "2026-10-25T08:00:00+01:00",
    )
    assert json.loads(portal("shifts", "--from", "2026-10-24", "--to", "2026-10-24", "--json")) == []


def test_people_read_lines(home):
    assert "2026-10-24 20:00 - 2026-10-25 02:30  Carol <carol@acme.example>  (override)" in portal(
        "who", "--at", "2026-10-24T21:00"
    )
    assert "Nobody is on call." in portal("who", "--at", "2026-10-01")
    assert portal("shifts", "--from", "2026-10-20", "--to", "2026-10-22").count("\n") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("who", "--at", "soon"), "'soon' is not a time."),
        (
            ("who", "--at", "2026-10-01", "--schedule", "Rome"),
            "There is no schedule 'Rome'. There are: On call, Paris.",
        ),
        (("shifts", "--from", "2026-10-02", "--to", "2026-10-01"), "--to lies before --from."),
        (("shifts", "--from", "2026-10-02", "--to", "2096-10-01"), "at most ten years"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(home, words, sentence):
    said = portal(*words, code=1)
    assert sentence in said and "Traceback" not in said and said.count("\n") == 1


def test_the_help_says_whose_clock_is_meant(home):
    for command in ("who", "shifts"):
        assert "the clock on the wall shows in the schedule's zone" in " ".join(portal(command, "--help").split())


FILE = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:night@a.example
SUMMARY:Night
DTSTART;TZID=Europe/Berlin:20261023T220000
DTEND;TZID=Europe/Berlin:20261024T060000
RRULE:FREQ=DAILY;COUNT=3
EXDATE;TZID=Europe/Berlin:20261024T220000
ATTENDEE:mailto:Alice@acme.example
END:VEVENT
BEGIN:VEVENT
UID:who@a.example
SUMMARY:Somebody
DTSTART:20261101T100000Z
DTEND:20261101T110000Z
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_file_becomes_shifts_once(home, tmp_path):
    file = tmp_path / "nights.ics"
    file.write_text(FILE)
    said = portal("import", str(file), "--dry-run")
    assert said.startswith("This would change: Shifts: 2 added.")
    assert portal("import", str(file)).startswith("Shifts: 2 added.")
    again = portal("import", str(file))
    assert "Shifts: 0 added, 2 already there." in again
    assert "“Somebody” on 1 November 2026 at 11:00 names nobody who works here." in again
    night = json.loads(portal("who", "--at", "2026-10-26T05:59", "--json"))["on_call"]
    assert ("Alice", "shift") in [(one["name"], one["because"]) for one in night]
    assert json.loads(portal("import", str(file), "--schedule", "paris", "--json"))["added"] == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("hello", "This is not a calendar file: BEGIN:VCALENDAR is missing."),
        (FILE.replace("mailto:Alice@", "mailto:Mallory@"), "invites mallory@acme.example, and nobody here is that."),
    ],
)
def test_a_file_of_which_nothing_can_be_used_fails(home, tmp_path, content, sentence):
    file = tmp_path / "x.ics"
    file.write_text(content)
    assert sentence in portal("import", str(file), code=1)


def test_a_file_that_is_not_there_or_is_a_folder_is_one_sentence(home, tmp_path):
    assert portal("import", str(tmp_path / "x.ics"), code=1).endswith(
        "x.ics cannot be read: No such file or directory.\n"
    )
    assert portal("import", str(tmp_path), code=1).endswith("cannot be read: Is a directory.\n")


def test_a_huge_file_is_refused_and_not_read(home, tmp_path):
    file = tmp_path / "huge.ics"
    with file.open("wb") as out:
        out.truncate(50_000_000)
    assert portal("import", str(file), code=1) == "The file is larger than 5 MB, which no calendar needs.\n"
