import pytest

from portal.models import Queue, ScheduleRow
from portal.models.versions import load_site_state

SERVERS = 2
NETWORK = {"name": "Network", "zone": "America/New_York", "calendar_id": "0", "members": ["2"], "queues": ["2"]}


def names(web) -> list[str]:
    with web.database.read_session() as session:
        return [row.name for row in session.query(ScheduleRow).order_by(ScheduleRow.id)]


def seen_of(page) -> dict[str, str]:
    return {"seen": page.one("#schedule-form [name=seen]")["value"]}


def test_a_schedule_is_added_and_listed_with_what_rings_it(web):
    alice = web.as_("alice")
    page = alice.follow(alice.post("/oncall/schedules/new", NETWORK, status=303))
    assert "The schedule is added." in page.text
    assert page.one(".schedule-choice [aria-current]").text == "Network"
    rows = [" ".join(row.get_text(" ").split()) for row in alice.get("/oncall/schedules").soup.select("tbody tr")]
    assert rows == [
        "On call UTC (the site's) the site's hours all who can be on call all other queues Edit On call",
        "Network America/New_York the site's hours Bob Servers Edit Network Remove Network",
    ]


def test_a_schedule_is_changed_and_the_later_of_two_is_told(web):
    alice = web.as_("alice")
    alice.post("/oncall/schedules/new", NETWORK, status=303)
    form = alice.get("/oncall/schedules/2/edit")
    assert form.one("#members input[checked]")["value"] == "2"
    changed = NETWORK | {"name": "Net", "queues": []} | seen_of(form)
    alice.post("/oncall/schedules/2/edit", changed, status=303)
    assert names(web) == ["On call", "Net"]
    page = alice.post("/oncall/schedules/2/edit", changed, status=422)
    assert "Somebody else changed this schedule meanwhile." in page.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": ""}, "Give the schedule a name."),
        ({"name": "ON CALL"}, "There is a schedule of this name already."),
        ({"zone": "Mars/Base"}, "is no time zone"),
        ({"calendar_id": "9"}, "Not a valid choice"),
    ],
)
def test_a_schedule_that_makes_no_sense_gets_a_sentence(web, change, sentence):
    page = web.as_("alice").post("/oncall/schedules/new", NETWORK | change, status=422)
    assert sentence in page.text
    assert names(web) == ["On call"]


def test_a_schedule_that_rings_for_queues_is_removed_only_when_told_so(web):
    alice = web.as_("alice")
    alice.post("/oncall/schedules/new", NETWORK, status=303)
    assert "It rings for Servers." in alice.get("/oncall/schedules/2/remove").text
    assert "Servers would ring" in alice.post("/oncall/schedules/2/remove", status=422).text
    alice.post("/oncall/schedules/2/remove", {"despite": "y"}, status=303)
    assert names(web) == ["On call"]
    with web.database.read_session() as session:
        assert session.get(Queue, SERVERS).schedule_id is None
        assert list(load_site_state(session).schedules) == [1]


def test_the_sites_own_schedule_stays(web):
    assert "It stays." in web.as_("alice").post("/oncall/schedules/1/remove", status=422).text


@pytest.mark.parametrize("path", ["new", "1/edit", "1/remove"])
def test_only_those_who_lead_change_schedules(web, path):
    web.as_("bob").get(f"/oncall/schedules/{path}", status=403)
    web.as_("bob").post(f"/oncall/schedules/{path}", NETWORK, status=403)
    assert not web.as_("vera").get("/oncall/schedules").soup.select("#schedules .button")
    web.as_("alice").get("/oncall/schedules/9/edit", status=404)
