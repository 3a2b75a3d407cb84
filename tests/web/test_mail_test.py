"""The button for a test mail, with and without JavaScript."""

from portal.models import Check
from tests.web.conftest import NOW
from tests.web.test_mailboxes import add


def finish(web, *, is_ok: bool, result: str) -> None:
    with web.database.unit_of_work() as uow:
        check = uow.session.query(Check).one()
        check.state, check.is_ok, check.result, check.done_at = "done", is_ok, result, NOW


def test_the_page_asks_a_worker_and_shows_the_answer(web) -> None:
    alice = web.as_("alice")
    add(alice)
    form = alice.get("/mailboxes/1").one("#mailbox-test-mail form")
    assert form["action"] == "/mailboxes/1/test-mail" and form["method"] == "post"
    page = alice.follow(alice.post(form["action"], status=303))
    assert "Sending a test mail to alice@a.example" in page.one("#mailbox-test-mail").text
    assert page.one("#mailbox-test-mail")["hx-trigger"] == "every 1s" and "checks" in web.queue.woken
    finish(web, is_ok=False, result="550 no such sender")
    part = alice.get("/mailboxes/1/test-mail", htmx=True)
    assert "The test mail was not sent. 550 no such sender" in part.text
    assert not part.one("#mailbox-test-mail").get("hx-trigger") and not part.soup.select("h1")
    assert alice.get("/mailboxes/1/test-mail", status=303)


def test_only_admins_and_only_for_a_mailbox_that_is(web) -> None:
    web.as_("bob").post("/mailboxes/1/test-mail", status=403)
    web.as_("alice").post("/mailboxes/9/test-mail", status=404)
    web.as_("alice").get("/mailboxes/9/test-mail", status=404)
