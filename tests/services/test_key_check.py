import pytest

from portal.core.errors import DomainError
from portal.integrations.system.keyfile import load_box
from portal.services.key_check import check_key
from tests.services.runtime_world import make_world


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    world.box = load_box(tmp_path / "secret.key")
    yield world
    world.database.dispose()


def test_the_first_start_notes_its_key_and_the_next_one_fits(world):
    check_key(world)
    check_key(world)


def test_another_key_is_refused_with_one_sentence_and_the_right_one_still_fits(world, tmp_path):
    check_key(world)
    right, world.box = world.box, load_box(tmp_path / "another.key")
    with pytest.raises(DomainError, match="The key file does not fit this database"):
        check_key(world)
    world.box = right
    check_key(world)
