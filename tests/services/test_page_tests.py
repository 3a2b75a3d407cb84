"""The last test page, as pages watch it."""

import pytest

from portal.models import Notification, Page
from portal.services.page_tests import load_test_page
from tests.services.ticket_world import BOB, NOW


def look(database):
    with database.read_session() as session:
        return load_test_page(session)


def add(database, state, *, page_state="open", at=None, error=""):
    with database.unit_of_work() as uow:
        page = Page(kind="test", user_id=BOB, state=page_state, opened_at=NOW, acknowledged_at=at)
        uow.session.add(page)
        uow.session.flush()
        if state:
            uow.session.add(
                Notification(
                    dedupe_key=f"k{page.id}", page_id=page.id, user_id=BOB, kind="page", number="+15550101",
                    text="Test", state=state, last_error=error, created_at=NOW,
                )
            )  # fmt: skip


def test_without_one_there_is_nothing_to_watch(database):
    assert look(database) is None


@pytest.mark.parametrize(
    ("state", "is_over"),
    [("pending", False), ("sending", False), ("accepted", False), ("delivered", False),
     ("undelivered", True), ("failed", True), ("cancelled", True), ("", True)],
)  # fmt: skip
def test_it_is_watched_until_nothing_more_can_come(database, state, is_over):
    add(database, state, error="why")
    view = look(database)
    assert (view.name, view.state, view.is_over) == ("Bob", state, is_over)
    assert view.words and view.reason == ("why" if state else "")


def test_the_newest_counts_and_an_answer_ends_it(database):
    add(database, "failed")
    add(database, "delivered", page_state="acknowledged", at=NOW)
    view = look(database)
    assert (view.answered_at, view.is_over, view.number) == (NOW, True, "+15550101")


def test_one_that_ran_out_of_time_is_over(database):
    add(database, "delivered", page_state="expired")
    assert look(database).is_over
