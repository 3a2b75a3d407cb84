"""Lock, run file, listener, fleet, log: the parts the supervisor is made of."""

import io
import logging
import os
import socket
import subprocess
import sys

import pytest
import structlog

from portal.runtime import fleet as fleet_module
from portal.runtime import listener, logfile
from portal.runtime.fleet import Fleet, back_off
from portal.runtime.lockfile import AlreadyRunningError, DataFolderLock
from portal.runtime.logfile import LogFile
from portal.runtime.logs import mask_numbers, set_up_logging
from portal.runtime.runfile import RunFile, RunningProcess, is_alive, read_run_file, remove_run_file, write_run_file


def test_the_lock_is_given_once_and_again_after_release(tmp_path):
    first, second = DataFolderLock(tmp_path / "new"), DataFolderLock(tmp_path / "new")
    first.acquire()
    with pytest.raises(AlreadyRunningError, match="already running on the data folder"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_run_file_comes_back_as_it_was(tmp_path):
    run = RunFile(7, "http://x", "2026", "/tmp/q", [RunningProcess("web-1", 8, "2026", 2)])
    write_run_file(tmp_path, run)
    assert read_run_file(tmp_path) == run
    remove_run_file(tmp_path)
    assert read_run_file(tmp_path) is None
    remove_run_file(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1, "processes": [{"x": 1}]}'])
def test_a_broken_run_file_counts_as_none(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    assert read_run_file(tmp_path) is None


def test_a_process_is_alive_until_it_ends():
    assert is_alive(os.getpid())
    assert not is_alive(0)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not is_alive(child.pid)


def test_a_name_that_is_no_address_is_refused_with_one_sentence():
    with pytest.raises(listener.AddressError, match=r"NIGHTDESK_HOST 192\.0\.2\.77 cannot be listened on"):
        listener.listen_on("192.0.2.77", 0)


def test_a_port_that_becomes_free_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(listener.AddressError, match=f"Port {port} is in use"):
            listener.listen_on("127.0.0.1", port, wait=0.2)
    listener.listen_on("127.0.0.1", port).close()


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")],
)
def test_the_address_is_one_that_can_be_opened_here(host, address):
    with listener.listen_on(host, 0) as sock:
        assert listener.address_of(sock).startswith(address)


def test_a_socket_handed_over_is_the_same_socket():
    with listener.listen_on("127.0.0.1", 0) as sock:
        handed = listener.hand_over(sock, pid=os.getpid())
        other = listener.take_over({**handed, "fd": os.dup(handed["fd"])})
        assert other.getsockname() == sock.getsockname()
        other.close()


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0.1), (1, 0.1), (2, 0.5), (7, 30), (100, 30)])
def test_the_wait_before_a_new_start_grows_to_half_a_minute(failures, seconds):
    assert back_off(failures) == seconds


class FakeChild:
    def __init__(self, role):
        self.role, self.is_warm, self.told = role, False, []

    def tell(self, do, **details):
        self.told.append((do, details))


class FakeTime:
    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(fleet_module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return FakeTime(monkeypatch)


@pytest.fixture
def fleet(clock):
    return Fleet(["web-1", "worker"], FakeChild)


def test_nobody_begins_before_the_release_and_the_late_begin_at_once(fleet):
    early, late = fleet.children
    early.is_warm = True
    fleet.start(early)
    assert early.told == []
    fleet.release(lambda child: {"for": child.role})
    assert early.told == [("go", {"for": "web-1"})]
    assert late.told == []
    late.is_warm = True
    fleet.start(late)
    assert late.told == [("go", {"for": "worker"})]


def test_who_is_added_to_a_released_fleet_begins_when_warm(fleet):
    fleet.release(lambda child: {})
    fleet.add(["late"])
    late = fleet.children[-1]
    assert late.told == []
    late.is_warm = True
    fleet.start(late)
    assert late.told == [("go", {})]


def test_the_dead_are_replaced_when_due_and_not_before(fleet, clock):
    slot = next(iter(fleet))
    wait = fleet.bury(slot)
    assert fleet.has_lost_one
    assert fleet.next_due() == clock.now + wait
    assert not fleet.revive()
    clock.now += wait
    assert fleet.revive()
    assert slot.restarts == 1
    assert not fleet.has_lost_one
    assert fleet.next_due() is None


def test_who_dies_again_and_again_waits_longer_and_who_lived_a_minute_starts_afresh(fleet, clock):
    slot = next(iter(fleet))
    waits = []
    for lived in (0, 0, 0, 61, 0):
        clock.now += lived
        waits.append(fleet.bury(slot))
        clock.now += waits[-1]
        fleet.revive()
    assert waits == [0.1, 0.5, 1.0, 0.1, 0.5]


def test_the_log_rotates_and_keeps_five(tmp_path, monkeypatch):
    monkeypatch.setattr(logfile, "MAX_BYTES", 200)
    log = LogFile(tmp_path)
    for number in range(100):
        log.note(f"line {number}")
    log.close()
    assert sorted(path.name for path in log.path.parent.iterdir()) == [
        "nightdesk.log",
        *(f"nightdesk.log.{n}" for n in range(1, 6)),
    ]
    assert "line 99" in log.path.read_text()


def test_errors_are_shown_on_the_console_too(tmp_path, capsys):
    log = LogFile(tmp_path)
    log.note("all is well")
    log.note("the roof burns", level="error")
    log.close()
    console = capsys.readouterr().err
    assert "roof" in console and "well" not in console
    assert "roof" in log.path.read_text() and "well" in log.path.read_text()


@pytest.fixture
def out():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logging("info", role="worker-urgent", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    logging.raiseExceptions = True


def test_a_log_line_has_role_source_event_and_bound_values(out):
    with structlog.contextvars.bound_contextvars(kind="notify"):
        structlog.get_logger("portal.x").info("sent", notification=7)
        logging.getLogger("portal.y").warning("late by %d", 3)
    first, second = out.getvalue().splitlines()
    assert " info worker-urgent portal.x: sent " in first
    assert {"notification=7", "kind=notify"} <= set(first.split())
    assert second.endswith("warning worker-urgent portal.y: late by 3 kind=notify")


def test_a_traceback_follows_its_line(out):
    try:
        raise ValueError("no")
    except ValueError:
        structlog.get_logger("portal.x").exception("failed")
    assert "ValueError: no" in out.getvalue().splitlines()[-1]


def test_libraries_that_log_bodies_are_kept_quiet(out):
    logging.getLogger("twilio.http_client").info("Body=secret")
    assert out.getvalue() == ""


def test_a_phone_number_in_a_log_line_is_masked(out):
    logging.getLogger("portal.x").warning("no such number: %s", "+49 170 1234567")
    assert "1234567" not in out.getvalue()
    assert "+…67" in out.getvalue()


@pytest.mark.parametrize("text", ["2026-11-21T02:10:00+00:00", "1+1", "id 1234567890", "+5 s"])
def test_what_is_no_phone_number_is_left_alone(text):
    assert mask_numbers(text) == text
