import pytest
from sqlalchemy import select

from portal.models import AuditEvent, RestartRequest, User
from portal.runtime.runfile import RunningProcess
from portal.services.restarts import note_restart
from portal.web.state import context as app_context

PROCESSES = [
    RunningProcess("web-1", 11, "2026-11-21T02:00:00+00:00"),
    RunningProcess("worker-urgent", 12, "2026-11-21T02:00:00+00:00", 3),
]


@pytest.fixture
def supervised(web):
    web.app.config.update(CAN_RESTART=True, LOAD_PROCESSES=lambda: PROCESSES)
    return web


def note(web, number, **values):
    with web.app.app_context():
        note_restart(app_context(), number, **values)


def ask(web):
    page = web.as_("alice").post("/system/restart", status=303)
    return page.response.headers["Location"]


def test_the_page_names_every_process_and_how_often_it_had_to_be_started_again(supervised):
    rows = [row.get_text(" ", strip=True) for row in supervised.as_("alice").get("/system").soup.select("tbody tr")]
    assert rows[0].startswith("web-1 Serves the pages 11")
    assert rows[1].startswith("worker-urgent Triage and texts 12")
    assert rows[1].endswith("3")


def test_the_restart_is_asked_for_behind_a_question(supervised):
    alice = supervised.as_("alice")
    link = alice.get("/system").one('main a[href="/system/restart"]')
    assert "Restart" in link.get_text()
    form = alice.get("/system/restart").one("#confirm form")
    assert (form["method"], form["action"]) == ("post", "/system/restart")


def test_asking_makes_one_request_and_leads_to_its_state(supervised):
    first = ask(supervised)
    assert ask(supervised) == first
    with supervised.database.read_session() as session:
        assert [(row.state, row.asked_by) for row in session.scalars(select(RestartRequest))] == [("asked", "Alice")]
        assert [event.action for event in session.scalars(select(AuditEvent))] == ["system.restart"]


def test_the_state_asks_again_until_it_is_over_with_and_without_htmx(supervised):
    where, alice = ask(supervised), supervised.as_("alice")
    number = int(where.rsplit("/", 1)[1])
    note(supervised, number, state="running", text="The old processes are stopping.")
    page = alice.get(where)
    assert page.one("#restart")["hx-trigger"] == "every 1s"
    assert page.one("#restart")["hx-get"] == where
    assert page.one('noscript meta[http-equiv="refresh"]')
    assert "The old processes are stopping." in alice.get(where, htmx=True).one("#restart").get_text()
    note(supervised, number, state="done", text="")
    page = alice.get(where)
    assert not page.one("#restart").has_attr("hx-trigger")
    assert not page.soup.select('meta[http-equiv="refresh"]')
    assert "Nightdesk has restarted." in page.text


def test_a_restart_that_failed_says_why(supervised):
    where = ask(supervised)
    note(supervised, int(where.rsplit("/", 1)[1]), state="failed", text="The new processes do not start.")
    page = supervised.as_("alice").get(where)
    assert "did not work" in page.text and "The new processes do not start." in page.text
    assert "failed" in supervised.as_("alice").get("/system").one("#state").get_text()


def test_a_restart_under_way_is_seen_on_the_system_page(supervised):
    ask(supervised)
    assert supervised.as_("alice").get("/system").one("#restart")


def test_under_another_server_there_is_no_button_and_the_page_says_why(web):
    alice = web.as_("alice")
    page = alice.get("/system")
    assert not page.soup.select('main a[href="/system/restart"]')
    assert "cannot restart itself here" in page.text
    alice.get("/system/restart", status=404)
    alice.post("/system/restart", status=404)


def test_an_unknown_restart_is_not_found(supervised):
    supervised.as_("alice").get("/system/restart/77", status=404)


@pytest.mark.parametrize("name", ["bob", "carol", "vera"])
def test_only_administrators_come_here(supervised, name):
    person = supervised.as_(name)
    for path in ("/system", "/system/restart", "/system/restart/1"):
        person.get(path, status=403)
    person.post("/system/restart", status=403)


def test_health_is_public_also_before_anybody_has_set_the_site_up(web):
    assert web.anonymous().get("/healthz").response.json == {"status": "ok"}
    with web.database.unit_of_work() as uow:
        for user in uow.session.scalars(select(User)):
            user.role = "viewer"
    assert web.anonymous().get("/healthz").response.json == {"status": "ok"}


def test_health_is_red_when_the_database_is_away(web, monkeypatch):
    monkeypatch.setattr("portal.web.system.views.text", lambda sql: __import__("sqlalchemy").text("SELECT 1 FROM gone"))
    page = web.anonymous().get("/healthz", status=503)
    assert page.response.json == {"status": "the database does not answer"}
