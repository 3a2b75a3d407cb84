"""Each form counts once, and nobody sends too many."""

import pytest

from portal.core.uploads import Upload
from portal.models import Ticket
from portal.services.form_posts import MOST, WINDOW, TooManyPostsError, find_earlier_post, note_post, once_key
from tests.services.form_world import send
from tests.services.paging_world import NOW, add_ticket

PHOTO = Upload("a.png", "image/png", b"x")


@pytest.mark.parametrize("other", [("k2", "a", "b"), ("k1", "ab", ""), ("k1", "a", "c")])
def test_forms_differ_by_key_and_words(other):
    assert once_key("k1", "a", "b") != once_key(*other)


def test_forms_differ_by_their_files():
    assert len({once_key("k"), once_key("k", files=[PHOTO]), once_key("k", files=[Upload("a.png", "", b"y")])}) == 3


def test_an_odd_character_breaks_nothing():
    assert len(once_key("k", "\ud83d")) == 64


def test_a_post_that_was_noted_is_found(world):
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        assert find_earlier_post(uow, "key", sender="192.0.2.7", now=NOW) is None
        note_post(uow, uow.session.get_one(Ticket, ticket_id), "key", sender="192.0.2.7", now=NOW)
        assert find_earlier_post(uow, "key", sender="192.0.2.9", now=NOW) == ticket_id


def test_the_throttle_counts_the_last_ten_minutes(world):
    for n in range(MOST):
        send(world, key=str(n))
    with world.database.unit_of_work() as uow:
        with pytest.raises(TooManyPostsError, match="ten minutes"):
            find_earlier_post(uow, "new", sender="192.0.2.7", now=NOW)
        assert find_earlier_post(uow, "new", sender="192.0.2.7", now=NOW + WINDOW) is None
