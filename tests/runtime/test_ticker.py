import threading

from structlog.testing import capture_logs

from portal.models.database import DatabaseBusyError
from portal.runtime import ticker as module
from portal.runtime.ticker import Ticker


class Queue:
    def __init__(self, waiting=()):
        self.waiting, self.woken = set(waiting), []

    def wake(self, kind):
        self.woken.append(kind)

    def is_empty(self, kind):
        return kind not in self.waiting


def ticker(queue, due, *, elected=True):
    return Ticker(is_elected=lambda: elected, count_due=lambda: due, queue=queue)


def test_what_is_due_is_woken_and_the_rest_left_alone():
    queue = Queue()
    ticker(queue, {"triage": 2, "notify": 0}).tick()
    assert queue.woken == ["triage"]


def test_no_wake_up_is_sent_on_top_of_one_that_waits():
    queue = Queue(waiting=["triage"])
    ticker(queue, {"triage": 2, "notify": 1}).tick()
    assert queue.woken == ["notify"]


def test_three_due_mailboxes_wake_three_lanes():
    queue = Queue()
    ticker(queue, {"mail_fetch": 3}).tick()
    assert queue.woken == ["mail_fetch"] * 3


def test_who_is_not_elected_wakes_nobody():
    queue = Queue()
    ticker(queue, {"triage": 2}, elected=False).tick()
    assert queue.woken == []


def test_a_failing_tick_is_logged_and_the_next_one_comes(monkeypatch):
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    queue, stopping, answers = Queue(), threading.Event(), [ValueError("no"), DatabaseBusyError("busy"), {"triage": 1}]

    def count_due():
        answer = answers.pop(0)
        if not answers:
            stopping.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    with capture_logs() as logs:
        Ticker(is_elected=lambda: True, count_due=count_due, queue=queue).run(stopping)
    assert queue.woken == ["triage"]
    assert [entry["log_level"] for entry in logs] == ["error", "warning"]
