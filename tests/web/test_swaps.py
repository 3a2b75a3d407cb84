"""A colleague is asked, and answers signed in or by the link in the mail."""

import re
from datetime import datetime

import pytest

from portal.core.shifts import Shift
from portal.models import MailboxRow, OutgoingMail, OverrideRow, Phone, SettingRow, ShiftRow, Swap
from portal.services.audit import Change
from portal.services.shifts import add_shift
from tests.services.ticket_world import ALICE, BOB
from tests.web.conftest import NOW

PAGE, NEW = "/oncall/swaps", "/oncall/swaps/new"
CAROL = 3
# NOW is Saturday 21 November 2026, 02:10 UTC; the site's zone is UTC.
BACK = f"{CAROL}/2026-11-28T18:00:00/2026-11-29T08:00:00"
TYPED = {
    "to_id": str(CAROL), "starts_on": "2026-11-27", "starts_at": "18:00", "ends_on": "2026-11-28", "ends_at": "08:00",
    "back": BACK, "note": "Concert",
}  # fmt: skip
GIVEN, TAKEN = "Fri 27 Nov 18:00 to Sat 28 Nov 08:00", "Sat 28 Nov 18:00 to Sun 29 Nov 08:00"


@pytest.fixture
def nights(web):
    """Bob has the night of Friday the 27th and tonight, Carol that of Saturday; a mailbox sends, and we are live."""
    with web.database.unit_of_work() as uow:
        for person, day in ((BOB, 20), (BOB, 27), (CAROL, 28)):
            shift = Shift(0, person, datetime(2026, 11, day, 18), datetime(2026, 11, day + 1, 8))
            add_shift(uow, shift, change=Change(ALICE, NOW))
        uow.session.add(SettingRow(key="site.live", value="true"))
        box = {"kind": "imap", "address": "help@a.example", "next_at": NOW, "options": {"smtp": {"host": "x"}}}
        uow.session.add(MailboxRow(name="help", **box))
        uow.session.add(Phone(user_id=CAROL, number="+4915122222222"))
    return web


def ask(web, name="bob", status=303, query="", **changes):
    return web.as_(name).post(NEW + query, {**TYPED, **changes}, status=status)


def link(web) -> str:
    with web.database.read_session() as session:
        mail = session.query(OutgoingMail).filter_by(event="swap").first()
        return re.search(r"https://help\.acme\.example(/swap/\S+)", mail.text)[1]


def swaps(web):
    with web.database.read_session() as session:
        return [(row.from_id, row.to_id, row.state, row.answered_how) for row in session.query(Swap).order_by(Swap.id)]


def overrides(web):
    with web.database.read_session() as session:
        return [(row.user_id, row.instead_of_id) for row in session.query(OverrideRow).order_by(OverrideRow.id)]


# Asking


def test_a_whole_duty_is_one_click_from_the_list_and_the_colleagues_duties_are_offered(nights):
    bob = nights.as_("bob")
    page = bob.get(PAGE)
    running, coming = page.one("#duties").select("li")
    assert (running.select_one("a").text, coming.select_one("a").text) == (
        "Ask for a part Fri 20 Nov 18:00 to Sat 21 Nov 08:00",
        f"Ask a colleague {GIVEN}",
    )
    form = bob.get(coming.select_one("a")["href"])
    assert (form.one("#starts_on")["value"], form.one("#ends_at")["value"]) == ("2026-11-27", "08:00")
    assert [option["value"] for option in form.soup.select("#back option")] == ["", BACK]
    assert [option.text for option in form.soup.select("#to_id option")] == ["Alice (no phone yet)", "Carol"]
    asked = bob.follow(bob.post(NEW, TYPED, status=303))
    assert "Carol is asked." in asked.text
    assert f"S1 You ask Carol to take {GIVEN} for {TAKEN} Concert" in asked.one("#waiting").get_text(" ", strip=True)
    assert f"{GIVEN} Asked Ask a colleague" in asked.one("#duties").get_text(" ", strip=True)


def test_the_form_opens_in_the_dialog_too(nights):
    assert nights.as_("bob").get(NEW, htmx=True).one("form")["hx-target"] == "#dialog-body"


def test_what_cannot_be_asked_is_refused_and_nothing_typed_is_lost(nights):
    bob = nights.as_("bob")
    for changes, words in (
        ({"starts_at": "17:00", "back": ""}, "Bob is not on call for all of Fri 27 Nov 17:00"),
        ({"ends_on": "2026-11-26"}, "ends before it starts"),
        ({"to_id": str(ALICE)}, "not a duty of the colleague you ask"),
        ({"back": "nonsense"}, "Choose a duty from the list"),
        ({"back": f"{CAROL}/2026-11-28T18:00:00/2026-11-28T18:00:00"}, "Choose a duty from the list"),
        ({"back": f"{CAROL}/2026-11-28T18:00:00/2026-11-29T09:00:00"}, "Carol is not on call for all of"),
        ({"to_id": str(BOB)}, "Colleague"),
        ({"starts_on": ""}, "Give the day it starts."),
    ):
        page = bob.post(NEW, {**TYPED, **changes}, status=422)
        assert words in page.text and page.one(".notice-bad")
        assert page.one("#note")["value"] == "Concert"
    assert swaps(nights) == []


def test_a_manager_asks_on_behalf_and_nobody_else_does(nights):
    alice = nights.as_("alice")
    page = alice.get(f"{PAGE}?person={BOB}")
    assert "Duties of Bob" in page.text
    url = page.one("#duties").select("li a")[1]["href"]
    assert f"person={BOB}" in url and "Ask for Bob" in alice.get(url).text
    alice.follow(ask(nights, "alice", query=f"?person={BOB}"))
    assert swaps(nights) == [(BOB, CAROL, "asked", "")]
    for path in (f"{PAGE}?person={CAROL}", f"{NEW}?person={CAROL}"):
        nights.as_("bob").get(path, status=403)
    alice.get(f"{NEW}?person=99999999999999999999", status=404)
    nights.as_("vera").get(PAGE, status=403)
    nights.anonymous().get(PAGE, status=303)


# Answering, signed in


@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        ("yes", "accepted", f"You are on call {GIVEN}. Bob takes {TAKEN}. Bob is told."),
        ("no", "declined", f"Bob is told that you cannot take {GIVEN}."),
    ],
)
def test_the_person_asked_answers_on_the_page(nights, said, state, words):
    ask(nights)
    carol = nights.as_("carol")
    assert f"Bob asks you to take {GIVEN}" in carol.get(PAGE).one("#asked").get_text(" ", strip=True)
    page = carol.follow(carol.post(f"{PAGE}/1/answer", {"answer": said}, status=303))
    assert words in page.text and not page.soup.select("#asked")
    assert swaps(nights) == [(BOB, CAROL, state, "page")]
    assert overrides(nights) == ([(CAROL, BOB), (BOB, CAROL)] if said == "yes" else [])
    again = carol.follow(carol.post(f"{PAGE}/1/answer", {"answer": "yes"}, status=303))
    assert "already." in again.text


def test_nobody_else_answers_and_only_the_asker_or_a_manager_withdraws(nights):
    ask(nights)
    bob = nights.as_("bob")
    assert "not asked for this swap" in bob.follow(bob.post(f"{PAGE}/1/answer", {"answer": "yes"}, status=303)).text
    bob.post(f"{PAGE}/1/answer", {"answer": "perhaps"}, status=400)
    page = bob.follow(bob.post(f"{PAGE}/1/withdraw", status=303))
    assert "The request is withdrawn." in page.text and "Withdrawn" in page.one("#ended").text
    assert "withdrawn meanwhile" in bob.follow(bob.post(f"{PAGE}/1/withdraw", status=303)).text
    assert swaps(nights) == [(BOB, CAROL, "withdrawn", "page")]


# Answering by the link


def test_the_link_shows_one_request_and_only_a_press_counts(nights):
    ask(nights)
    anybody, path = nights.anonymous(), link(nights)
    for _ in range(2):  # a mail program looks first
        page = anybody.get(path)
    assert f"On call {GIVEN} In return Bob takes yours of {TAKEN} Bob writes Concert" in page.text
    assert page.response.headers["Cache-Control"] == "no-store"
    assert page.response.headers["X-Robots-Tag"] == "noindex"
    assert not page.soup.select("nav") and "Alice" not in page.text
    assert swaps(nights) == [(BOB, CAROL, "asked", "")]
    done = anybody.follow(anybody.post(path, {"answer": "yes"}, status=303))
    assert f"You are on call {GIVEN}" in done.text and "answered with yes already" in done.text
    assert swaps(nights) == [(BOB, CAROL, "accepted", "link")]


def test_a_used_link_says_no_more_than_that_and_counts_no_more(nights):
    ask(nights)
    anybody, path = nights.anonymous(), link(nights)
    anybody.post(path, {"answer": "no"}, status=303)
    for page in (nights.anonymous().get(path), anybody.post(path, {"answer": "yes"}, status=200)):
        assert "There is nothing to answer any more" in page.text
        assert "Bob" not in page.one("main").text and "27 Nov" not in page.one("main").text
        assert not page.soup.select("main form")
    assert overrides(nights) == []


def test_a_wrong_link_gets_a_friendly_page(nights):
    ask(nights)
    for token in ("a" * 32, "x", "A" * 5000):
        assert "This link leads nowhere" in nights.anonymous().get(f"/swap/{token}", status=404).text
        nights.anonymous().post(f"/swap/{token}", {"answer": "yes"}, status=404)
    assert swaps(nights) == [(BOB, CAROL, "asked", "")]


def test_a_yes_that_the_roster_does_not_allow_any_more_is_refused_with_the_reason(nights):
    ask(nights)
    with nights.database.unit_of_work() as uow:
        uow.session.query(ShiftRow).filter_by(starts=datetime(2026, 11, 27, 18)).delete()
    page = nights.anonymous().post(link(nights), {"answer": "yes"}, status=409)
    assert f"Bob is not on call for all of {GIVEN}." in page.one(".notice-warn").text
    nights.anonymous().post(link(nights), {"answer": "perhaps"}, status=200)
    assert overrides(nights) == []


def test_when_it_has_begun_the_link_says_so(nights):
    ask(nights)
    nights.clock.pass_by(days=7)
    assert "has begun" in nights.anonymous().get(link(nights)).text


def test_a_press_from_a_session_that_ended_is_asked_for_once_more(nights):
    ask(nights)
    nights.app.config["WTF_CSRF_ENABLED"] = True
    page = nights.anonymous().post(link(nights), {"answer": "yes"}, status=400)
    assert "Please press once more." in page.text and page.soup.select("main form")
    nights.as_("bob").post(f"{PAGE}/1/withdraw", status=400)
    assert swaps(nights) == [(BOB, CAROL, "asked", "")]
