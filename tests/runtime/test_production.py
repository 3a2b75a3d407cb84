"""run_production.py as people start it: the real pages, the real workers, a real restart."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from portal.runtime.runfile import is_alive
from tests.runtime.running import ROOT, Running, eventually
from tests.servers import postgresql, redis_server

pytestmark = pytest.mark.skipif(os.name == "nt", reason="speaks in POSIX signals")

PASSWORD = "correct horse battery"
ROLES = ("web-1", "worker-urgent", "worker-outside")


def settings(data_dir, **changes):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTDESK_")}
    return {**kept, "NIGHTDESK_DATA_DIR": str(data_dir), "NIGHTDESK_PORT": "0", "NIGHTDESK_ENV": "testing", **changes}


def errors_in(log):
    return [line for line in log.splitlines() if " error " in line[:60] or line.startswith("Traceback")]


class Site:
    """A started Nightdesk, and Alice at her browser."""

    def __init__(self, data_dir, **changes):
        data_dir.mkdir(exist_ok=True)
        self.env = settings(data_dir, **changes)
        self.run = Running(data_dir, [sys.executable, str(ROOT / "run_production.py")], self.env)
        self.run.wait_until_up()
        self.browser = requests.Session()
        self.browser.trust_env = False

    @property
    def address(self):
        return self.run.run_file.address

    def portal(self, *arguments):
        command = [str(Path(sys.executable).with_name("portal")), *arguments]
        return subprocess.run(command, env=self.env, check=True, capture_output=True, text=True).stdout

    def status(self):
        return json.loads(self.portal("status", "--json"))

    def get(self, path):
        return self.browser.get(self.address + path, timeout=15)

    def post(self, path, form_at=None, **fields):
        """Fill the form that posts to this path, as a browser would."""
        soup = BeautifulSoup(self.get(form_at or path).text, "html.parser")
        token = soup.select_one('input[name="csrf_token"]')["value"]
        return self.browser.post(self.address + path, data={"csrf_token": token, **fields}, timeout=15)

    def sign_in(self):
        link = self.portal("user", "add", "alice@a.example", "--name", "Alice", "--role", "admin").strip()
        path = "/link/" + link.rsplit("/", 1)[1]
        answer = self.post(path, password=PASSWORD, again=PASSWORD, repeat=PASSWORD, confirm=PASSWORD)
        assert answer.ok, answer.text
        if self.get("/system").url.endswith("/system") is False:
            assert self.post("/login", email="alice@a.example", password=PASSWORD).ok


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("production") / "data")
    site.sign_in()
    yield site
    site.run.stop()


def test_the_pages_are_served_and_the_console_shows_the_setup_link(site):
    assert site.get("/healthz").json() == {"status": "ok"}
    token = site.run.said.split("token=")[1].strip()
    assert f"set it up here: {site.address}/setup?token={token}" in site.run.said


def test_status_names_every_process_and_nothing_waits(site):
    found = site.status()
    assert {process["role"] for process in found["processes"]} == {"supervisor", "queue", *ROLES}
    assert all(is_alive(process["pid"]) for process in found["processes"])
    assert found["schema"]
    assert (found["unexplained_mails"], found["open_pages"]) == (0, 0)
    eventually(lambda: not any(site.status()["due"].values()), what="the end of the first chores")


def test_a_scheduled_job_that_is_asked_for_runs_in_the_worker(site):
    answer = site.post("/jobs/tidy/run", form_at="/jobs")
    assert answer.ok
    eventually(lambda: "old rows removed." in site.get("/jobs/tidy").text, what="the run")


@pytest.mark.parametrize("role", ["worker-urgent", "worker-outside", "web-1", "queue"])
def test_work_goes_on_after_any_process_was_killed(site, role):
    pid = site.run.pid_of(role)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: site.run.pid_of(role) not in (0, pid), what="a new process")
    runs = site.get("/jobs/tidy").text.count("old row")
    assert site.post("/jobs/tidy/run", form_at="/jobs").ok
    eventually(lambda: site.get("/jobs/tidy").text.count("old row") > runs, what="the run", seconds=30)


def test_a_web_restart_drops_nobody_and_is_back_within_five_seconds(site):
    before = {role: site.run.pid_of(role) for role in ROLES}
    errors, longest, done = [], [0.0], threading.Event()

    def visit():
        with requests.Session() as visitor:
            visitor.trust_env = False
            while not done.is_set():
                begun = time.monotonic()
                try:
                    assert visitor.get(site.address + "/healthz", timeout=15).ok
                except (requests.RequestException, AssertionError) as error:
                    errors.append(repr(error))
                longest[0] = max(longest[0], time.monotonic() - begun)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    try:
        answer = site.post("/system/restart")
        assert "/system/restart/" in answer.url
        eventually(lambda: "Nightdesk has restarted." in site.browser.get(answer.url, timeout=15).text, what="the end")
    finally:
        done.set()
        for visitor in visitors:
            visitor.join()
    assert errors == []
    assert longest[0] < 5
    after = {role: site.run.pid_of(role) for role in ROLES}
    assert not set(before.values()) & set(after.values())
    assert {process["role"] for process in site.status()["processes"]} == {"supervisor", "queue", *ROLES}


def test_the_log_holds_no_error_of_all_this(site):
    assert errors_in(site.run.log) == []


def test_the_site_is_set_up_now_so_a_second_start_prints_no_link(tmp_path):
    data = tmp_path / "data"
    first = Site(data)
    try:
        first.portal("user", "add", "alice@a.example", "--name", "Alice", "--role", "admin")
    finally:
        first.run.stop()
    second = Site(data)
    try:
        assert "setup" not in second.run.said
        assert not (data / "setup-token").exists()
    finally:
        assert second.run.stop() == 0


def test_another_key_is_refused_with_one_sentence(tmp_path):
    data = tmp_path / "data"
    Site(data).run.stop()
    (data / "secret.key").unlink()
    refused = Running(data, [sys.executable, str(ROOT / "run_production.py")], settings(data))
    assert refused.process.wait(timeout=30) == 1
    assert refused.said.startswith("The key file does not fit this database.")
    assert refused.said.count("\n") == 1


def test_a_wrong_setting_is_refused_with_one_sentence(tmp_path):
    env = settings(tmp_path / "data", NIGHTDESK_QUEUE="carrier pigeon")
    refused = Running(tmp_path / "data", [sys.executable, str(ROOT / "run_production.py")], env)
    assert refused.process.wait(timeout=30) == 1
    assert refused.said == "NIGHTDESK_QUEUE must be one of rq, polled.\n"


@pytest.mark.more
def test_polled_mode_does_the_same_without_any_queue(tmp_path):
    site = Site(tmp_path / "data", NIGHTDESK_QUEUE="polled")
    try:
        site.sign_in()
        assert {process["role"] for process in site.status()["processes"]} == {"supervisor", *ROLES}
        assert site.post("/jobs/tidy/run", form_at="/jobs").ok
        eventually(lambda: "old rows removed." in site.get("/jobs/tidy").text, what="the run")
        assert "/system/restart/" in site.post("/system/restart").url
        eventually(lambda: "done" in site.run.log and "restart 1: done" in site.run.log, what="the restart")
    finally:
        site.run.stop()


@pytest.mark.more
def test_postgresql_and_a_redis_of_ones_own_do_the_same(tmp_path):
    with postgresql() as database, redis_server() as queue:
        site = Site(tmp_path / "data", NIGHTDESK_DATABASE_URL=database, NIGHTDESK_REDIS_URL=queue)
        try:
            site.sign_in()
            assert {process["role"] for process in site.status()["processes"]} == {"supervisor", *ROLES}
            assert site.post("/jobs/tidy/run", form_at="/jobs").ok
            eventually(lambda: "old rows removed." in site.get("/jobs/tidy").text, what="the run")
            answer = site.post("/system/restart")
            eventually(lambda: "Nightdesk has restarted." in site.browser.get(answer.url, timeout=15).text, what="it")
            assert errors_in(site.run.log) == []
        finally:
            site.run.stop()
