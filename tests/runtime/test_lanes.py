"""Lanes on a real Valkey and without one."""

import os
import signal
import threading

import pytest
import redis

from portal.integrations.rq.adapter import PolledJobQueue, RqJobQueue
from portal.jobs import drain as drain_module
from portal.jobs.drain import Drainer
from portal.runtime.lanes import Lanes
from portal.runtime.rq_lane import listen_with_rq
from portal.runtime.valkey import Valkey
from tests.runtime.running import eventually

POSIX = pytest.mark.skipif(os.name == "nt", reason="no Valkey there")


class Work:
    """Items per kind, done one at a time; `calls` counts drains."""

    def __init__(self):
        self.lock, self.left, self.done, self.calls = threading.Lock(), {}, [], 0

    def step(self, kind):
        with self.lock:
            self.calls += 1
            if not self.left.get(kind):
                return False
            self.left[kind] -= 1
            self.done.append(kind)
            return True


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def stopping():
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def valkey(tmp_path):
    server = Valkey(tmp_path / "valkey", on_exit=lambda: None)
    server.start()
    yield server
    server.stop()


def make_drainer(work, queue, stopping):
    steps = {
        kind: (lambda kind=kind: work.step(kind)) for kind in ("triage", "notify", "mail_out", "chores", "mail_fetch")
    }
    for kind in ("pages", "texts", "urgent_chores", "mail_intake"):
        steps[kind] = lambda: False
    return Drainer(steps, queue=queue, stopping=stopping)


def start_lanes(role, work, stopping, *, accounts=1, drain=None):
    drainer = make_drainer(work, PolledJobQueue(), stopping)
    lanes = Lanes(role, drain=drain or drainer.drain, listen=None, stopping=stopping)
    lanes.ensure(accounts=accounts)
    return lanes


@pytest.fixture
def rq(valkey, work, stopping, monkeypatch):
    queue = RqJobQueue(valkey.url)
    drainer = make_drainer(work, queue, stopping)
    monkeypatch.setattr(drain_module, "_drainer", drainer)
    lanes = Lanes("urgent", drain=drainer.drain, listen=listen_with_rq(valkey.url), stopping=stopping)
    lanes.ensure(accounts=0)
    yield queue
    stopping.set()
    assert lanes.join(5)


def test_polled_lanes_find_work_by_themselves(work, stopping):
    start_lanes("urgent", work, stopping)
    work.left["notify"] = 3
    eventually(lambda: work.done == ["notify"] * 3, seconds=5)


def test_a_nudged_lane_looks_at_once(work, stopping, monkeypatch):
    monkeypatch.setattr("portal.runtime.lanes.POLL_SECONDS", 60)
    lanes = start_lanes("urgent", work, stopping)
    eventually(lambda: work.calls >= 2)
    work.left["notify"] = 1
    lanes.nudge("notify")
    lanes.nudge("mail_fetch")  # another worker's
    eventually(lambda: work.done == ["notify"], seconds=5)
    stopping.set()
    for kind in ("triage", "pages", "notify", "texts", "urgent_chores"):
        lanes.nudge(kind)
    assert lanes.join(5)


def test_lanes_end_when_told_and_finish_what_they_have_in_hand(work, stopping):
    begun, gate = threading.Event(), threading.Event()

    def drain(kind):
        begun.set()
        gate.wait(10)
        work.done.append(kind)
        return False

    lanes = start_lanes("urgent", work, stopping, drain=drain)
    assert begun.wait(5)
    stopping.set()
    assert not lanes.join(0.05)
    gate.set()
    assert lanes.join(5)
    assert sorted(work.done) == ["notify", "pages", "texts", "triage", "urgent_chores"]


def test_a_new_mailbox_gets_a_lane_while_the_worker_runs(work, stopping):
    gate = threading.Event()
    busy = []

    def drain(kind):
        if kind == "mail_fetch":
            busy.append(threading.get_ident())
            gate.wait(10)
        return False

    lanes = start_lanes("outside", work, stopping, accounts=1, drain=drain)
    eventually(lambda: len(busy) == 1)
    lanes.ensure(accounts=1)
    lanes.ensure(accounts=3)
    eventually(lambda: len(busy) == 3)
    stopping.set()
    gate.set()
    assert lanes.join(5)
    assert len(set(busy)) == 3


@POSIX
def test_a_wake_up_through_rq_is_answered_at_once_and_leaves_nothing_in_redis(rq, valkey, work):
    work.left["notify"] = 2
    rq.wake("notify")
    eventually(lambda: work.done == ["notify"] * 2, seconds=5)
    client = redis.Redis.from_url(valkey.url)
    eventually(lambda: not client.keys("rq:job:*"), what="the end of the job")
    assert rq.is_empty("notify")


@POSIX
def test_two_hundred_wake_ups_are_all_answered(rq, work):
    for _ in range(200):
        work.left["triage"] = work.left.get("triage", 0) + 1
        rq.wake("triage")
    eventually(lambda: len(work.done) == 200)
    eventually(lambda: rq.is_empty("triage"))


@POSIX
def test_while_redis_is_away_the_lanes_look_for_themselves_and_then_listen_again(rq, valkey, work, caplog):
    pid = valkey.pid
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: valkey._process.poll() is not None)
    work.left["notify"] = 1
    eventually(lambda: work.done == ["notify"], seconds=10)
    valkey.start()
    work.left["triage"] = 1
    rq.wake("triage")
    eventually(lambda: "triage" in work.done, seconds=10)
    # RQ itself may complain, depending on what it was doing when Redis died; we have nothing to add to that.
    assert [r for r in caplog.records if r.levelname == "ERROR" and not r.name.startswith("rq.")] == []


@POSIX
def test_a_lane_for_two_kinds_answers_both(valkey, work, stopping, monkeypatch):
    queue = RqJobQueue(valkey.url)
    drainer = make_drainer(work, queue, stopping)
    monkeypatch.setattr(drain_module, "_drainer", drainer)
    lanes = Lanes("outside", drain=drainer.drain, listen=listen_with_rq(valkey.url), stopping=stopping)
    lanes.ensure(accounts=1)
    for kind in ("mail_out", "chores", "mail_fetch"):
        work.left[kind] = 1
        queue.wake(kind)
    eventually(lambda: sorted(work.done) == ["chores", "mail_fetch", "mail_out"], seconds=5)
    stopping.set()
    assert lanes.join(5)


@POSIX
def test_idle_lanes_stop_within_two_seconds_and_sign_off(rq, valkey, stopping):
    client = redis.Redis.from_url(valkey.url)
    eventually(lambda: client.scard("rq:workers") == 5)
    stopping.set()
    eventually(lambda: client.scard("rq:workers") == 0, seconds=3)


@POSIX
def test_a_worker_that_was_killed_does_not_block_the_next(valkey, work, stopping, monkeypatch):
    """No fixed job ids: whatever a dead worker left in the registries, a new wake-up is a new job."""
    queue = RqJobQueue(valkey.url)
    client = redis.Redis.from_url(valkey.url)
    queue.wake("notify")
    client.lmove("rq:queue:nightdesk-notify", "rq:queue:nightdesk-notify:intermediate", "LEFT", "RIGHT")
    drainer = make_drainer(work, queue, stopping)
    monkeypatch.setattr(drain_module, "_drainer", drainer)
    lanes = Lanes("urgent", drain=drainer.drain, listen=listen_with_rq(valkey.url), stopping=stopping)
    lanes.ensure(accounts=0)
    work.left["notify"] = 1
    queue.wake("notify")
    eventually(lambda: work.done == ["notify"], seconds=5)
    stopping.set()
    assert lanes.join(5)
