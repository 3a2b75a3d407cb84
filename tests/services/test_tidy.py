from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.models import FormPost, OneTimeLink, SignInAttempt, Ticket
from portal.services.tidy import tidy
from tests.services.runtime_world import NOW, make_world
from tests.services.ticket_world import ALICE, ticket_values


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    with world.database.unit_of_work() as uow:
        uow.session.add(Ticket(**ticket_values(1)))
        uow.session.flush()
        for days in (0, 1, 3, 8, 40):
            at = NOW - timedelta(days=days)
            link = {"user_id": ALICE, "purpose": "invite", "token_hash": f"h{days}"}
            uow.session.add(SignInAttempt(subject="mallory", at=at))
            uow.session.add(FormPost(key=f"k{days}", ticket_id=1, at=at))
            uow.session.add(OneTimeLink(**link, expires_at=at))
    yield world
    world.database.dispose()


def left(world):
    with world.database.read_session() as session:
        return [
            session.scalar(select(func.count()).select_from(model)) for model in (SignInAttempt, FormPost, OneTimeLink)
        ]


def test_what_is_old_goes_and_the_rest_stays(world):
    assert tidy(world) == "6 old rows removed."
    assert left(world) == [2, 3, 4]
    assert tidy(world) == "0 old rows removed."
