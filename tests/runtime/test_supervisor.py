"""The supervisor from outside, with children that do next to nothing."""

import http.client
import os
import signal
import socket
import threading
import time

import pytest

from portal.runtime.runfile import is_alive, read_run_file
from tests.runtime.running import eventually, start_fake

pytestmark = pytest.mark.skipif(os.name == "nt", reason="speaks in POSIX signals")

ROLES = ("web-1", "worker-urgent", "worker-outside")


@pytest.fixture
def start(tmp_path):
    runs = []

    def begin(name="data", **options):
        runs.append(start_fake(tmp_path / name, **options))
        return runs[-1]

    yield begin
    for run in runs:
        run.stop()


@pytest.fixture
def site(start):
    run = start()
    run.wait_until_up()
    # The first page is served before the workers have loaded: these tests want all three.
    eventually(lambda: run.log.count("queue at") == 2, what="both workers")
    return run


def test_it_prints_one_line_with_the_address_and_the_setup_link(site):
    address = site.run_file.address
    assert site.said == f"Nightdesk runs at {address} - set it up here: {address}/setup?token=T\n"


def test_the_run_file_names_every_process_and_is_private(site):
    assert [process.role for process in site.run_file.processes] == list(ROLES)
    assert (site.data_dir / "run.json").stat().st_mode & 0o777 == 0o600


def test_a_second_instance_on_the_same_folder_is_refused_with_one_sentence(site, start):
    second = start()
    assert second.process.wait(timeout=20) == 1
    assert "Nightdesk is already running on the data folder" in second.said
    assert "Traceback" not in second.said
    assert site.get() == str(site.pid_of("web-1"))


def test_a_port_in_use_is_refused_with_one_sentence(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = start(port=port)
        assert run.process.wait(timeout=20) == 1
        assert f"Port {port} is in use by another program." in run.said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_everything_and_leaves_no_process(site, number):
    pids = site.all_pids()
    assert site.stop(number) == 0
    assert not [pid for pid in pids if is_alive(pid)]
    assert read_run_file(site.data_dir) is None
    assert "Traceback" not in site.said + site.log


def test_a_child_that_does_not_stop_is_ended_after_five_seconds(site):
    (site.data_dir / "stubborn").touch()
    pids, begun = site.all_pids(), time.monotonic()
    assert site.stop() == 0
    assert 4 < time.monotonic() - begun < 8
    assert not [pid for pid in pids if is_alive(pid)]


@pytest.mark.parametrize("role", ROLES)
def test_what_is_killed_is_started_again(site, role):
    pid = site.pid_of(role)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: site.pid_of(role) not in (0, pid), what="a new process")
    assert [process.restarts for process in site.run_file.processes if process.role == role] == [1]
    assert site.get() == str(site.pid_of("web-1"))


def test_children_end_when_their_supervisor_is_killed_and_the_next_start_works(site, start):
    pids = site.all_pids()
    port = site.port
    site.process.kill()
    site.process.wait()
    second = start(port=port)
    second.wait_until_up()
    assert not [pid for pid in pids if is_alive(pid)]
    assert second.get() == str(second.pid_of("web-1"))


def test_a_failed_migration_stops_the_start_with_its_sentence(start, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "break-prepare").touch()
    run = start()
    assert run.process.wait(timeout=20) == 1
    assert run.said == "The key file does not fit.\n"


def test_a_start_goes_on_when_somebody_kills_the_preparation_of_the_database(start, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kill-prepare").touch()
    run = start()
    run.wait_until_up()
    assert (run.data_dir / "prepared").read_text() == "xx" and "was killed" in run.log


def test_children_that_die_while_loading_are_tried_again_and_the_console_says_where_to_look(start, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "break-load").touch()
    run = start()
    assert run.process.wait(timeout=20) == 1
    assert "The database could not be prepared. The log says why" in run.said
    assert "cannot load" in run.log


# --- the restart -----------------------------------------------------------------------------------------------------


def notes(run):
    path = run.data_dir / "notes"
    return path.read_text().splitlines() if path.exists() else []


def ask_restart(run, number=1):
    (run.data_dir / "restart").write_text(str(number))
    eventually(lambda: any(f"{number} done" in n or f"{number} failed" in n for n in notes(run)), what="the restart")


def test_a_restart_replaces_web_and_workers_and_migrates_in_between(site):
    before = {role: site.pid_of(role) for role in ROLES}
    ask_restart(site)
    after = {role: site.pid_of(role) for role in ROLES}
    assert not set(before.values()) & set(after.values())
    assert not [pid for pid in before.values() if is_alive(pid)]
    assert (site.data_dir / "prepared").read_text() == "xx"
    assert notes(site)[-1] == "1 done"
    assert site.get() == str(after["web-1"])


def test_one_request_is_obeyed_once(site):
    ask_restart(site)
    pid = site.pid_of("web-1")
    ask_restart(site, 2)
    assert site.pid_of("web-1") != pid
    # Each note goes to both workers, so that it is not lost with one: the same line may stand there twice.
    assert list(dict.fromkeys(line for line in notes(site) if line.endswith("done"))) == ["1 done", "2 done"]


def test_new_code_that_does_not_load_leaves_the_old_processes_alone(site):
    before = [site.pid_of(role) for role in ROLES]
    (site.data_dir / "break-load").touch()
    ask_restart(site)
    assert [site.pid_of(role) for role in ROLES] == before
    assert notes(site)[-1].startswith("1 failed The new processes do not start, so the old ones go on.")
    assert site.get() == str(site.pid_of("web-1"))


def test_a_failed_migration_is_reported_and_the_pages_come_back(site):
    (site.data_dir / "break-prepare").touch()
    ask_restart(site)
    assert notes(site)[-1] == "1 failed The key file does not fit."
    assert site.get() == str(site.pid_of("web-1"))


def test_a_restart_under_steady_load_drops_no_connection(site):
    answers, errors, done = [], [], threading.Event()

    def visit(keep_alive):
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=15)
        while not done.is_set():
            try:
                connection.request("GET", "/", headers={} if keep_alive else {"Connection": "close"})
                answers.append(connection.getresponse().read())
            except (OSError, http.client.HTTPException) as error:
                errors.append(repr(error))
                connection.close()
        connection.close()

    visitors = [threading.Thread(target=visit, args=(n % 2 == 0,)) for n in range(6)]
    for visitor in visitors:
        visitor.start()
    try:
        for number in (1, 2, 3):
            ask_restart(site, number)
    finally:
        done.set()
        for visitor in visitors:
            visitor.join()
    assert errors == []
    assert len(set(answers)) == 4


def test_a_request_begun_before_the_restart_is_answered(site):
    (site.data_dir / "slow").write_text("1.5")
    old, answers = site.pid_of("web-1"), []
    visitor = threading.Thread(target=lambda: answers.append(site.get()))
    visitor.start()
    eventually(lambda: threading.active_count() > 1)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=15)
    connection.request("GET", "/")
    ask_restart(site)
    assert connection.getresponse().read() == str(old).encode()
    visitor.join()
    assert answers == [str(old)]


# --- the embedded queue ----------------------------------------------------------------------------------------------


@pytest.fixture
def queue_site(start):
    run = start(queue=True)
    run.wait_until_up()
    return run


def test_workers_are_told_where_the_embedded_queue_is(queue_site):
    told = f"queue at unix://{queue_site.run_file.queue_socket}"
    eventually(lambda: told in queue_site.log, what="the line in the log")


def test_the_queue_is_started_again_on_the_same_socket(queue_site):
    pid, path = queue_site.pid_of("queue"), queue_site.run_file.queue_socket
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: queue_site.pid_of("queue") not in (0, pid), what="a new queue")
    assert queue_site.run_file.queue_socket == path


def test_the_queue_of_a_killed_supervisor_is_ended_by_the_next_start(queue_site, start):
    pid = queue_site.pid_of("queue")
    queue_site.process.kill()
    queue_site.process.wait()
    assert is_alive(pid)
    second = start(queue=True)
    second.wait_until_up()
    assert not is_alive(pid)
    assert second.pid_of("queue")


def test_a_stop_ends_the_queue_and_takes_its_folder_away(queue_site):
    pid, path = queue_site.pid_of("queue"), queue_site.run_file.queue_socket
    queue_site.stop()
    assert not is_alive(pid)
    assert not os.path.exists(os.path.dirname(path))
