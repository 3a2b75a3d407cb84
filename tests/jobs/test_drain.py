import threading

import pytest
from structlog.testing import capture_logs

from portal.jobs import drain as module
from portal.jobs.drain import Drainer, drain, install
from portal.models.database import DatabaseBusyError


class Recorder:
    """A queue that remembers, and a step that works off a list: numbers are items, exceptions are raised."""

    def __init__(self, *items):
        self.items, self.done, self.woken = list(items), [], []

    def wake(self, kind):
        self.woken.append(kind)

    def is_empty(self, kind):
        return True

    def step(self):
        if not self.items:
            return False
        item = self.items.pop(0)
        if isinstance(item, BaseException):
            raise item
        self.done.append(item)
        return True


def drainer_of(recorder, stopping=None):
    return Drainer({"notify": recorder.step}, queue=recorder, stopping=stopping or threading.Event())


def test_a_drain_goes_on_until_nothing_is_left():
    work = Recorder(1, 2, 3)
    assert drainer_of(work).drain("notify") is False
    assert work.done == [1, 2, 3]
    assert work.woken == []


def test_after_five_seconds_it_asks_for_another_drain(monkeypatch):
    seconds = iter(range(0, 100, 2))
    monkeypatch.setattr(module.time, "monotonic", lambda: next(seconds))
    work = Recorder(*range(50))
    assert drainer_of(work).drain("notify") is True
    assert work.done == [0, 1]
    assert work.woken == ["notify"]


def test_an_item_that_fails_does_not_hold_up_the_next_and_is_logged_with_its_traceback():
    work = Recorder(1, ValueError("no"), 2)
    with capture_logs() as logs:
        drainer_of(work).drain("notify")
    assert work.done == [1, 2]
    assert [(entry["event"], entry["exc_info"]) for entry in logs] == [("an item failed", True)]


def test_when_everything_fails_the_drain_gives_up_and_leaves_it_to_the_ticker():
    work = Recorder(*[ValueError("no")] * 10)
    with capture_logs():
        assert drainer_of(work).drain("notify") is False
    assert len(work.items) == 7


def test_a_busy_database_is_no_failure_of_an_item():
    work = Recorder(DatabaseBusyError("busy"), 1)
    with capture_logs() as logs:
        drainer_of(work).drain("notify")
    assert work.done == []
    assert [entry["log_level"] for entry in logs] == ["warning"]


def test_a_stop_lets_the_item_in_hand_finish_and_begins_no_other():
    work, stopping = Recorder(1, 2, 3), threading.Event()

    def step():
        stopping.set()
        return work.step()

    Drainer({"notify": step}, queue=work, stopping=stopping).drain("notify")
    assert work.done == [1]
    assert work.woken == []


def test_a_kind_without_a_step_is_an_error_of_ours():
    with pytest.raises(KeyError):
        drainer_of(Recorder()).drain("no such kind")


def test_what_rq_calls_reaches_the_installed_drainer(monkeypatch):
    monkeypatch.setattr(module, "_drainer", None)
    with pytest.raises(RuntimeError, match="no drainer is installed"):
        drain("notify")
    work = Recorder(1)
    install(drainer_of(work))
    drain("notify")
    assert work.done == [1]


def test_a_job_from_before_an_update_is_dropped(monkeypatch):
    monkeypatch.setattr(module, "_drainer", drainer_of(Recorder()))
    with capture_logs() as logs:
        drain("a kind of yesterday")
    assert logs[0]["event"] == "unknown kind of work"
