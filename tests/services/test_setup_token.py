import os

import pytest
from sqlalchemy import delete

from portal.models import User
from portal.services.setup_token import end_setup, ensure_setup_token, has_admin, is_setup_token
from tests.services.runtime_world import NOW, make_world


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(User))
    yield world
    world.database.dispose()


def add_user(world, role):
    with world.database.unit_of_work() as uow:
        uow.session.add(User(email=f"{role}@a.example", name=role, role=role, created_at=NOW))


def test_the_token_is_made_once_and_lies_in_a_private_file(world, tmp_path):
    token = ensure_setup_token(world, tmp_path)
    assert ensure_setup_token(world, tmp_path) == token
    assert (tmp_path / "setup-token").read_text() == token + "\n"
    assert len(token) == 32
    if os.name == "posix":
        assert (tmp_path / "setup-token").stat().st_mode & 0o777 == 0o600


def test_only_the_token_opens_the_door(world, tmp_path):
    token = ensure_setup_token(world, tmp_path)
    assert is_setup_token(tmp_path, token)
    assert is_setup_token(tmp_path, f" {token.upper()}\n")
    for wrong in ("", token[:-1], token + "x", "ä" * 32):
        assert not is_setup_token(tmp_path, wrong)


@pytest.mark.parametrize("role", ["technician", "viewer", "manager"])
def test_other_people_do_not_end_the_setup(world, tmp_path, role):
    add_user(world, role)
    assert ensure_setup_token(world, tmp_path)


def test_with_an_administrator_there_is_no_token_any_more(world, tmp_path):
    token = ensure_setup_token(world, tmp_path)
    add_user(world, "admin")
    assert ensure_setup_token(world, tmp_path) is None
    assert not (tmp_path / "setup-token").exists()
    assert not is_setup_token(tmp_path, token)
    assert not is_setup_token(tmp_path, "")
    with world.database.read_session() as session:
        assert has_admin(session)


def test_ending_the_setup_twice_is_fine(tmp_path):
    end_setup(tmp_path)
    end_setup(tmp_path)
