"""A mail to one of our own that is about no ticket."""

import pytest

from portal.models import MailboxRow, OutgoingMail, User
from portal.services.mail_out import WATCH_MODE, why_stopped
from portal.services.staff_mail import StaffMail, add_staff_mail
from tests.services.paging_world import BOB, NOW, rows
from tests.services.swap_world import given_nights

MAIL = StaffMail("swap", "swap:1:ask", "Can you?", "Hello Bob\n")


@pytest.fixture
def post(world):
    given_nights(world)
    return world


def add(world, mail=MAIL):
    with world.database.unit_of_work() as uow:
        return add_staff_mail(world.context, uow, uow.session.get_one(User, BOB), mail)


def test_it_is_written_once_and_says_that_no_robot_need_answer(post):
    assert add(post) and not add(post)
    (mail,) = rows(post.database, OutgoingMail)
    assert (mail.to, mail.state, mail.is_automatic, mail.due_at) == (["bob@acme.example"], "pending", True, NOW)
    assert mail.message_id.startswith("<nd.swap.") and mail.message_id.endswith("@acme.example>")


def test_watch_mode_keeps_it_here_with_the_reason(post):
    post.set(site__live=False)
    add(post)
    assert [(mail.state, mail.last_error) for mail in rows(post.database, OutgoingMail)] == [("cancelled", WATCH_MODE)]


def test_nothing_leaves_for_somebody_who_was_disabled_meanwhile(post):
    add(post)
    with post.database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = False
    with post.database.read_session() as session:
        reason = why_stopped(session, session.get_one(OutgoingMail, 1), session.get_one(MailboxRow, 1))
    assert reason == "bob@acme.example does not work here any more."


def test_without_a_mailbox_that_sends_there_is_no_mail(world):
    assert not add(world)
