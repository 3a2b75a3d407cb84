"""Exceptions are seen as a roster before they are saved, listed, taken back and undone."""

from datetime import datetime

import pytest

from portal.core.roster import Override, OverrideKind
from portal.core.shifts import Shift
from portal.models import OverrideRow, ScheduleRow
from portal.services.audit import Change
from portal.services.overrides import write_override
from portal.services.shifts import add_shift
from tests.services.ticket_world import ALICE, BOB
from tests.web.conftest import NOW

PAGE, NEW = "/oncall/overrides", "/oncall/overrides/new"
CHANGE = Change(ALICE, NOW)
CAROL = 3
# NOW is Saturday 21 November 2026, 02:10 UTC; the site's zone is UTC.
TYPED = {
    "kind": "replace", "person_id": str(CAROL), "instead_of": str(BOB), "starts_on": "2026-11-21", "starts_at": "18:00",
    "ends_on": "2026-11-22", "ends_at": "08:00", "note": "Concert",
}  # fmt: skip


@pytest.fixture
def roster(web):
    """Bob has the nights of Friday and Saturday."""
    with web.database.unit_of_work() as uow:
        for day in (20, 21):
            add_shift(uow, Shift(0, BOB, datetime(2026, 11, day, 18), datetime(2026, 11, day + 1, 8)), change=CHANGE)
    return web


def given(web, person_id=CAROL, kind=OverrideKind.REPLACE, day=21, hour=18):
    override = Override(0, kind, datetime(2026, 11, day, hour), datetime(2026, 11, 22, 8), person_id,
                        BOB if kind is OverrideKind.REPLACE else None)  # fmt: skip
    with web.database.unit_of_work() as uow:
        return write_override(uow, override, change=CHANGE, schedule_id=1)


def stored(web):
    with web.database.read_session() as session:
        return [(row.kind, row.user_id, row.instead_of_id, row.note) for row in session.query(OverrideRow)]


def table(page):
    return [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in page.soup.select("tbody tr")]


def show(browser, **changes):
    """What comes of the form, as the page then holds it."""
    page = browser.post(NEW, {**TYPED, **changes, "do": "show"}, status=200)
    form = page.one("#override-form")
    held = {one["name"]: one.get("value", "") for one in form.select("input") if one.get("type") != "radio"}
    return page, {**TYPED, **changes, **held, "do": "save"}


def test_the_roster_is_shown_first_and_then_saved_as_it_was_shown(roster):
    alice = roster.as_("alice")
    page, form = show(alice)
    assert ["Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00", "Bob", "Carol"] in table(page)
    assert "Nothing is saved yet." in page.text and stored(roster) == []
    listed = alice.follow(alice.post(NEW, form, status=303))
    assert stored(roster) == [("replace", CAROL, BOB, "Concert")]
    assert "The exception is saved" in listed.text
    assert table(listed)[0][:4] == [
        "Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00",
        "Carol instead of Bob",
        "Concert",
        "Alice",
    ]
    bar = roster.as_("vera").get("/oncall?on=2026-11-21").soup.select_one("[role=table]")
    assert "Carol" in bar.text


def test_by_htmx_the_same_form_comes_as_a_partial(roster):
    page = roster.as_("alice").post(NEW, {**TYPED, "do": "show"}, htmx=True, status=200)
    assert not page.soup.select("html") and page.one("#override #roster-preview")


def test_a_gap_it_would_make_is_said_in_red(roster):
    page, _ = show(roster.as_("alice"), kind="remove", person_id=str(BOB))
    assert "Nobody would be on call, while the shop is closed: Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00" in page.text
    assert page.one("tbody .badge-bad").get_text(strip=True) == "Nobody"


def test_what_changes_nothing_begins_now_or_overlaps_is_said(roster):
    given(roster)
    page, form = show(roster.as_("alice"), kind="add", instead_of="0", starts_at="01:00", note="")
    assert "It begins now, at 02:10" in page.text and form["starts_at"] == "02:10"
    assert "the one made later wins, and that is this new one: Carol instead of Bob, Sat 21 Nov, 18:00" in page.text
    page, _ = show(roster.as_("alice"), instead_of=str(ALICE))
    assert "This changes nothing." in page.text


def test_the_later_of_two_people_is_told_and_shown_the_new_roster(roster):
    alice = roster.as_("alice")
    _, form = show(alice)
    given(roster, ALICE)
    page = alice.post(NEW, form, status=422)
    assert "The roster has changed since you looked." in page.one("form .notice-bad").text
    assert ["Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00", "Alice", "the same"] in table(page)
    assert len(stored(roster)) == 1


def test_save_without_a_look_or_after_another_choice_shows_the_roster_first(roster):
    alice = roster.as_("alice")
    assert alice.post(NEW, {**TYPED, "do": "save"}, status=422).one("#roster-preview")
    _, form = show(alice)
    page = alice.post(NEW, {**form, "person_id": str(ALICE)}, status=422)
    assert "This is what the roster would be." in page.text and stored(roster) == []


def test_what_makes_no_sense_is_refused_and_nothing_typed_is_lost(roster):
    alice = roster.as_("alice")
    for changes, words in (
        ({"ends_on": "2026-11-21", "ends_at": "17:00"}, "It ends before it starts."),
        ({"starts_on": "2026-11-19", "ends_on": "2026-11-20"}, "This time is over."),
        ({"starts_on": ""}, "Give the day it starts."),
        ({"person_id": "99"}, "Who"),
        ({"instead_of": str(CAROL)}, "two different people"),
        ({"note": "x" * 201}, "at most 200"),
    ):
        for do in ("show", "save"):
            page = alice.post(NEW, {**TYPED, **changes, "do": do}, status=422)
            assert page.one("[role=alert]").text.count(words) == 1
            assert page.one("#note")["value"] == changes.get("note", "Concert")
    assert stored(roster) == []


def test_the_form_opens_at_a_time_and_for_a_person_that_was_pointed_at(roster):
    url = f"{NEW}?starts=2026-11-25T20:00&ends=2026-11-25T22:00&kind=remove&person={BOB}"
    page = roster.as_("alice").get(url)
    assert (page.one("#starts_on")["value"], page.one("#ends_at")["value"]) == ("2026-11-25", "22:00")
    assert page.one("[name=kind][checked]")["value"] == "remove"
    assert page.one("#person_id option[selected]").text.startswith("Bob")
    night = roster.as_("alice").get(f"{NEW}?starts=soon")
    assert (night.one("#starts_at")["value"], night.one("#ends_on")["value"]) == ("18:00", "2026-11-22")


# Taking back, undo


def test_one_is_taken_back_behind_a_question_that_shows_the_roster(roster):
    override_id = given(roster)
    alice = roster.as_("alice")
    listed = alice.get(PAGE)
    ask = alice.get(listed.one("tbody a.button")["href"])
    assert ["Sat 21 Nov, 18:00 to Sun 22 Nov, 08:00", "Carol", "Bob"] in table(ask)
    seen = ask.one("[name=seen]")["value"]
    page = alice.follow(alice.post(f"{PAGE}/{override_id}/remove", {"seen": seen}, status=303))
    assert "taken back" in page.text and "No exceptions to come" in page.text


def test_taking_back_what_was_not_shown_shows_it_first(roster):
    override_id = given(roster)
    page = roster.as_("alice").post(f"{PAGE}/{override_id}/remove", {"seen": "x"}, status=422)
    assert "The roster has changed since you looked." in page.text and len(stored(roster)) == 1


def test_one_that_has_begun_ends_now_and_is_listed_as_past(roster):
    override_id = given(roster, kind=OverrideKind.ADD, day=20)
    alice = roster.as_("alice")
    ask = alice.get(f"{PAGE}/{override_id}/remove")
    assert "It has begun, so it ends now" in ask.text
    alice.post(f"{PAGE}/{override_id}/remove", {"seen": ask.one("[name=seen]")["value"]}, status=303)
    past = alice.get(PAGE)
    assert "Past exceptions of the last three months (1)" in past.text
    assert "Fri 20 Nov, 18:00 to Sat 21 Nov, 02:10" in past.one("details table").text


def test_the_last_change_is_undone_by_one_press_and_only_the_last(roster):
    alice = roster.as_("alice")
    _, form = show(alice)
    listed = alice.follow(alice.post(NEW, form, status=303))
    assert "Alice added an exception for Carol" in listed.one("#last-change").text
    event = {"event": listed.one("#last-change [name=event]")["value"]}
    undone = alice.follow(alice.post(f"{PAGE}/undo", event, status=303))
    assert "Undone." in undone.text and stored(roster) == []
    again = alice.follow(alice.post(f"{PAGE}/undo", event, status=303))
    assert "cannot be undone any more" in again.text


# Who may, and where


def test_who_may_see_and_who_may_change(roster):
    override_id = given(roster)
    vera, carol = roster.as_("vera"), roster.as_("carol")
    page = vera.get(PAGE)
    assert "Carol instead of Bob" in page.text
    assert not page.soup.select("main form") and not page.soup.select("main a.button-primary")
    for path in (NEW, f"{PAGE}/{override_id}/remove"):
        carol.get(path)
        roster.as_("bob").get(path, status=403)
        vera.post(path, status=403)
        roster.anonymous().get(path, status=303)
    carol.get(f"{PAGE}/99/remove", status=404)
    carol.get(f"{PAGE}?schedule=99", status=404)


def test_every_schedule_has_its_own(roster):
    with roster.database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=7, name="Network", changed_at=NOW))
    given(roster)
    alice = roster.as_("alice")
    page = alice.get(f"{PAGE}?schedule=7")
    assert "No exceptions to come" in page.text
    assert page.one("main a.button-primary[href*=new]")["href"] == f"{NEW}?schedule=7"
    assert page.one(".schedule-choice [aria-current]").text == "Network"
