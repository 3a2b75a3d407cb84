import pytest

from portal.core.errors import DomainError
from portal.services.restarts import (
    ask_restart,
    find_restart,
    last_restart,
    newest_restart_id,
    note_restart,
    settle_restarts,
)
from tests.services.runtime_world import NOW, make_world, read, write


@pytest.fixture
def world(tmp_path):
    world = make_world(tmp_path)
    yield world
    world.database.dispose()


def ask(world):
    return write(world, ask_restart, actor="Alice")


def test_nobody_asked_yet(world):
    assert newest_restart_id(world) == 0
    assert read(world, last_restart) is None


def test_a_request_says_who_asked_and_waits(world):
    number = ask(world)
    state = read(world, find_restart, number)
    assert (state.state, state.asked_by, state.asked_at, state.is_over) == ("asked", "Alice", NOW, False)
    assert newest_restart_id(world) == number
    assert read(world, last_restart) == state


def test_a_second_request_while_one_is_under_way_is_the_same(world):
    first = ask(world)
    note_restart(world, first, state="running", text="The old processes are stopping.")
    assert ask(world) == first


@pytest.mark.parametrize("state", ["done", "failed"])
def test_after_its_end_another_may_be_asked_for(world, state):
    first = ask(world)
    note_restart(world, first, state=state, text="")
    assert read(world, find_restart, first).is_over
    assert read(world, find_restart, first).finished_at == NOW
    assert ask(world) > first


def test_what_the_supervisor_reports_is_shown(world):
    number = ask(world)
    note_restart(world, number, state="running", text="The new processes are loading.")
    state = read(world, find_restart, number)
    assert (state.state, state.text, state.finished_at) == ("running", "The new processes are loading.", None)


def test_a_fresh_start_obeys_all_earlier_requests(world):
    number = ask(world)
    assert settle_restarts(world) == number
    assert read(world, find_restart, number).state == "done"
    assert settle_restarts(world) == number


def test_a_request_nobody_made_is_refused(world):
    with pytest.raises(DomainError, match="no such restart"):
        read(world, find_restart, 77)


def test_what_is_over_stays_over_when_it_is_reported_again(world):
    number = ask(world)
    note_restart(world, number, state="done", text="")
    world.clock.move(60)
    note_restart(world, number, state="done", text="")
    note_restart(world, number, state="running", text="late")
    assert read(world, find_restart, number).state == "done"
    assert read(world, find_restart, number).finished_at == NOW
