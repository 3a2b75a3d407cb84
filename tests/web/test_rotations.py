from datetime import datetime

import pytest

from portal.core.calendars import WEEKDAYS, parse_week
from portal.models import RotationRow, User
from portal.services.audit import Change
from portal.services.calendars import save_week
from tests.services.ticket_world import ALICE, BOB
from tests.web.conftest import NOW

CAROL = 3
# NOW is Saturday 21 November 2026, 02:10 UTC; the site's zone is UTC.
WEEKLY = {
    "name": "Nights",
    "people-0": str(BOB),
    "people-1": str(CAROL),
    "people-2": "0",
    "every": "1",
    "unit": "week",
    "starts_on": "2026-11-23",
    "starts_at": "09:00",
    "begins": "hand_off",
    "times": "always",
    "by_shift": "",
    "level": "0",
}


def rows(web) -> list[tuple]:
    with web.database.read_session() as session:
        found = session.query(RotationRow).order_by(RotationRow.id)
        return [(row.people, f"{row.starts:%m-%d %H:%M}", row.ends and f"{row.ends:%m-%d %H:%M}") for row in found]


def typed(page) -> dict[str, str]:
    """What the form shows, as a browser would send it."""
    form, values = page.one("#rotation-form"), {}
    for control in form.select("input[name], select[name]"):
        if control.name == "select":
            chosen = control.select_one("option[selected]") or control.select_one("option")
            values[control["name"]] = chosen["value"]
        elif control.get("type") != "radio" or control.has_attr("checked"):
            values[control["name"]] = control.get("value", "")
    return values


def given_rotation(web, **changes) -> None:
    alice = web.as_("alice")
    page = alice.post("/oncall/rotations/new", WEEKLY | changes, status=200)
    alice.post("/oncall/rotations/new", typed(page) | {"step": "save"}, status=303)


def test_a_rotation_is_saved_after_eight_weeks_were_looked_at(web):
    alice = web.as_("alice")
    form = alice.get("/oncall/rotations/new")
    assert form.one("#starts_on")["value"] == "2026-11-23"
    assert not form.soup.select("#preview, button[value=save]")
    page = alice.post("/oncall/rotations/new", WEEKLY | {"step": "preview"}, status=200)
    assert len(page.soup.select("#preview .lanes")) == 8
    assert page.soup.select(".shift.is-new")
    assert page.one("#preview-changes").text.split()[:4] == ["Bob", "is", "on", "call"]
    assert rows(web) == []
    page = alice.follow(alice.post("/oncall/rotations/new", typed(page) | {"step": "save"}, status=303))
    assert "The rotation is saved." in page.text
    assert rows(web) == [([BOB, CAROL], "11-23 09:00", None)]
    assert "every week on Monday at 09:00" in page.text
    assert "Bob, Mon 23 Nov, 09:00" in page.text


def test_only_what_was_looked_at_is_saved(web):
    alice = web.as_("alice")
    page = alice.post("/oncall/rotations/new", WEEKLY, status=200)
    page = alice.post("/oncall/rotations/new", typed(page) | {"unit": "day", "step": "save"}, status=422)
    assert "This is not what you looked at" in page.text
    assert rows(web) == []
    given_rotation(web)
    again = alice.post("/oncall/rotations/new", typed(page) | {"step": "save"}, status=422)
    assert "somebody else changed the schedule meanwhile" in again.text
    alice.post("/oncall/rotations/new", typed(again) | {"step": "save"}, status=303)
    assert len(rows(web)) == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"people-0": "0", "people-1": "0"}, "Nobody takes turns here. Add at least one person."),
        ({"unit": "fortnight"}, "Not a valid choice"),
        ({"ends_on": "2026-11-22", "ends_at": "09:00"}, "The rotation ends before it starts."),
        ({"every": "0"}, "Between 1 and 366."),
        ({"name": ""}, "Give it a name."),
        ({"starts_on": ""}, "Give the day of the first hand-off."),
        ({"times": "own"}, "Give at least one period of the week"),
        ({"times": "own", "mon": "9-8-7"}, "is not a period"),
        ({"by_shift": "1"}, "Turns by shift need the periods"),
        ({"people-0": "99"}, "Not a valid choice"),
        ({"starts_on": "9000-01-01"}, "The year must lie"),
        ({"level": "1000"}, "Between -100 and 100."),
    ],
)
def test_a_rotation_that_makes_no_sense_gets_a_sentence_and_keeps_what_was_typed(web, change, sentence):
    page = web.as_("alice").post("/oncall/rotations/new", WEEKLY | change | {"step": "save"}, status=422)
    assert sentence in page.text
    assert page.one("#starts_at")["value"] == "09:00"
    assert rows(web) == []


def test_more_places_keep_what_was_typed(web):
    page = web.as_("alice").post("/oncall/rotations/new", WEEKLY | {"step": "more"}, status=200)
    values = typed(page)
    assert [values[f"people-{number}"] for number in range(5)] == [str(BOB), str(CAROL), "0", "0", "0"]
    assert values["name"] == "Nights"


def test_nights_and_weekends_are_the_hours_the_shop_is_closed(web):
    with web.database.unit_of_work() as uow:
        save_week(uow, parse_week(dict.fromkeys(WEEKDAYS[:5], "8-18")), change=Change(None, NOW))
    given_rotation(web, times="closed")
    page = web.as_("alice").get("/oncall/rotations")
    assert "Fri 18:00-24:00; Sat 00:00-24:00" in page.text
    assert typed(web.as_("alice").get("/oncall/rotations/1/edit"))["times"] == "own"


def test_a_change_proposes_whoever_is_next_and_leaves_the_past(web):
    given_rotation(web)
    web.clock.pass_by(days=4)  # Wednesday 25th: Bob's week, Carol is next
    alice = web.as_("alice")
    values = typed(alice.get("/oncall/rotations/1/edit"))
    assert (values["people-0"], values["people-1"], values["starts_on"]) == (str(CAROL), str(BOB), "2026-11-30")
    page = alice.post("/oncall/rotations/1/edit", values | {"people-2": str(ALICE)}, status=200)
    alice.post("/oncall/rotations/1/edit", typed(page) | {"step": "save"}, status=303)
    assert rows(web) == [
        ([BOB, CAROL], "11-23 09:00", "11-30 09:00"),
        ([CAROL, BOB, ALICE], "11-30 09:00", None),
    ]


def test_two_turns_in_a_row_and_people_who_fall_out_are_told(web):
    given_rotation(web)
    web.clock.pass_by(days=4)
    alice = web.as_("alice")
    values = typed(alice.get("/oncall/rotations/1/edit")) | {"people-0": str(BOB), "people-1": str(ALICE)}
    page = alice.post("/oncall/rotations/1/edit", values, status=200)
    assert "Bob would be on call for more than one turn in a row." in page.text
    assert "Carol takes no turns here any more." in page.text
    assert page.soup.select(".shift.is-gone")


def test_a_disabled_person_in_a_rotation_is_told(web):
    given_rotation(web)
    with web.database.unit_of_work() as uow:
        uow.session.get(User, BOB).is_active = False
    alice = web.as_("alice")
    page = alice.post("/oncall/rotations/1/edit", typed(alice.get("/oncall/rotations/1/edit")), status=200)
    assert "Bob is disabled: these turns fall to the next in order." in page.text


def test_a_rotation_ends_after_a_look_at_what_follows(web):
    given_rotation(web)
    web.clock.pass_by(days=4)
    alice = web.as_("alice")
    ends = {"ends_on": "2026-11-27", "ends_at": "12:00"}
    page = alice.post("/oncall/rotations/1/end", ends, status=200)
    assert "is no longer on call" in page.one("#preview-changes").text
    assert (
        "This time has been" in alice.post("/oncall/rotations/1/end", ends | {"ends_on": "2026-11-20"}, status=422).text
    )
    alice.post("/oncall/rotations/1/end", typed(page) | {"step": "save"}, status=303)
    assert rows(web) == [([BOB, CAROL], "11-23 09:00", "11-27 12:00")]
    web.clock.pass_by(days=4)
    assert "Rotations that are over (1)" in alice.get("/oncall/rotations").text


def test_a_rotation_that_has_not_begun_is_removed_after_a_question(web):
    given_rotation(web)
    alice = web.as_("alice")
    assert "nobody was on call by it yet" in alice.get("/oncall/rotations/1/remove").text
    assert "The rotation is removed." in alice.follow(alice.post("/oncall/rotations/1/remove", status=303)).text
    assert rows(web) == []
    alice.get("/oncall/rotations/1/edit", status=404)


@pytest.mark.parametrize("path", ["new", "1/edit", "1/end", "1/remove"])
def test_only_those_who_lead_change_rotations(web, path):
    given_rotation(web)
    web.as_("bob").get(f"/oncall/rotations/{path}", status=403)
    web.as_("bob").post(f"/oncall/rotations/{path}", WEEKLY, status=403)
    page = web.as_("vera").get("/oncall/rotations")
    assert "Nights" in page.text
    assert not page.soup.select("#main a[href*='/rotations/']")


def test_turns_are_said_in_words(web):
    with web.database.unit_of_work() as uow:
        for unit, every, by_shift in (("hour", 12, False), ("day", 1, False), ("month", 2, False), ("week", 2, True)):
            week = {"mon": ["18:00-08:00"]} if by_shift else None
            uow.session.add(
                RotationRow(
                    name=unit, people=[BOB], starts=datetime(2026, 11, 2, 9), unit=unit, every=every, week=week,
                    by_shift=by_shift,
                )
            )  # fmt: skip
    text = web.as_("vera").get("/oncall/rotations").text
    for words in (
        "every 12 hours counted from 09:00",
        "every day at 09:00",
        "every 2 months on day 2 at 09:00",
        "every 2 shifts another person",
        "Mon 18:00-08:00",
    ):
        assert words in text
