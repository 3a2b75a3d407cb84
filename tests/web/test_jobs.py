import pytest
from sqlalchemy import select

from portal.core.schedule import JOBS
from portal.models import AuditEvent
from portal.services.jobs import claim_job, finish_job, sync_jobs
from portal.web.state import context as app_context


@pytest.fixture
def context(web):
    with web.app.app_context():
        return app_context()


@pytest.fixture(autouse=True)
def _rows(context):
    sync_jobs(context)


def row_of(page, title):
    return next(row for row in page.soup.select("#jobs tbody tr") if title in row.get_text())


def run_one(context, kind="chores", *, error=""):
    claimed = claim_job(context, kind, owner="w1")
    finish_job(context, claimed, result="3 old rows removed.", error=error)
    return claimed.name


def tidy_form(**changes):
    return {"is_enabled": "y", "number": "2", "unit": "day", **changes}


def test_the_page_lists_every_job_with_what_it_is_for(web):
    page = web.as_("alice").get("/jobs")
    assert len(page.soup.select("#jobs tbody tr")) == len(JOBS)
    row = row_of(page, "Tidy up").get_text(" ")
    assert "Not run yet" in row and "1 day" in row and "never" in row


def test_the_list_alone_is_given_to_htmx(web):
    page = web.as_("alice").get("/jobs", htmx=True)
    assert page.one("#jobs")
    assert not page.soup.select("html")


def test_a_run_shows_its_result_and_a_failed_one_its_error(web, context):
    name = run_one(context)
    assert "3 old rows removed." in web.as_("alice").get(f"/jobs/{name}").one("#job-runs").get_text()
    failed = run_one(context, error="The disk is full.")
    text = web.as_("alice").get(f"/jobs/{failed}").one("#job-runs").get_text(" ")
    assert "The disk is full." in text and "Failed" in text


def test_while_a_job_runs_the_pages_ask_again_and_then_stop(web, context):
    alice = web.as_("alice")
    claimed = claim_job(context, "chores", owner="w1")
    assert alice.get("/jobs").one("#jobs")["hx-trigger"] == "every 2s"
    assert alice.get(f"/jobs/{claimed.name}", htmx=True).one("#job-runs")["hx-trigger"] == "every 2s"
    finish_job(context, claimed)
    assert not alice.get("/jobs").one("#jobs").has_attr("hx-trigger")
    assert not alice.get(f"/jobs/{claimed.name}", htmx=True).one("#job-runs").has_attr("hx-trigger")


def test_run_now_wakes_the_worker_and_comes_back_to_where_one_was(web, context):
    while claim_job(context, "chores", owner="w1"):
        pass
    alice = web.as_("alice")
    page = alice.post("/jobs/tidy/run", {"next": "/jobs/tidy"}, status=303)
    assert page.response.headers["Location"] == "/jobs/tidy"
    assert "chores" in web.queue.woken
    assert "runs now" in alice.follow(page).text


def test_run_now_by_htmx_answers_with_the_list_which_looks_again(web):
    assert web.as_("alice").post("/jobs/tidy/run", htmx=True, status=200).one("#jobs")["hx-trigger"] == "every 2s"


def test_a_change_acts_at_once_and_is_audited(web):
    alice = web.as_("alice")
    page = alice.follow(alice.post("/jobs/tidy", tidy_form(), status=303))
    assert "is changed" in page.text
    assert page.one("#number")["value"] == "2"
    assert page.soup.select("#unit option[selected]")[0]["value"] == "day"
    with web.database.read_session() as session:
        assert [event.action for event in session.scalars(select(AuditEvent))] == ["job.edit"]


def test_an_unticked_box_switches_the_job_off(web):
    alice = web.as_("alice")
    form = tidy_form()
    del form["is_enabled"]
    alice.post("/jobs/tidy", form, status=303)
    assert "Off" in row_of(alice.get("/jobs"), "Tidy up").get_text()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"number": "1", "unit": "minute"}, "Choose between 1 hour and 366 days."),
        ({"number": "0"}, "Choose between 1 hour and 366 days."),
        ({"number": ""}, "Enter a whole number."),
        ({"number": "9999"}, "Choose between 1 hour and 366 days."),
        ({"unit": "fortnight"}, "Not a valid choice"),
    ],
)
def test_a_wrong_interval_is_refused_and_what_was_typed_stays(web, changes, sentence):
    page = web.as_("alice").post("/jobs/tidy", tidy_form(**changes), status=422)
    assert sentence in page.text
    assert page.one("#number").get("value", "") == tidy_form(**changes)["number"]


def test_an_unknown_job_is_not_found(web):
    alice = web.as_("alice")
    alice.get("/jobs/format_disk", status=404)
    alice.post("/jobs/format_disk", tidy_form(), status=404)
    alice.post("/jobs/format_disk/run", status=404)


def test_a_manager_looks_and_does_not_touch(web):
    carol = web.as_("carol")
    for path in ("/jobs", "/jobs/tidy"):
        assert not carol.get(path).soup.select('main form[method="post"]')
    carol.post("/jobs/tidy", tidy_form(), status=403)
    carol.post("/jobs/tidy/run", status=403)


@pytest.mark.parametrize("name", ["bob", "vera"])
def test_others_do_not_see_jobs(web, name):
    web.as_(name).get("/jobs", status=403)
    web.as_(name).get("/jobs/tidy", status=403)


def test_strangers_are_asked_to_sign_in(web):
    assert "/login" in web.anonymous().get("/jobs", status=303).response.headers["Location"]
