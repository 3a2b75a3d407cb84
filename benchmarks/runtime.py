"""Start, memory, web restart and stop of the whole program: `python -m benchmarks.runtime [SECONDS_BEFORE_MEMORY]`.

Memory is the proportional set size of all processes together (`/proc/PID/smaps_rollup`), so Linux only. Goals: second
start 4 s, memory 300 MB five minutes after the start (so pass 300), page back 5 s after a restart with no lost request.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests
from bs4 import BeautifulSoup

from portal.config import Config
from portal.runtime.runfile import RunFile, read_run_file
from portal.services.audit import Change
from portal.services.mailboxes import MailboxForm, Server, save_mailbox
from portal.wiring import build
from tests.dovecot import Dovecot, running_dovecot

ROOT = Path(__file__).resolve().parents[1]


class Program:
    """One run of run_production.py on a data folder."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTDESK_")}
        self.data_dir = data_dir
        command = [sys.executable, str(ROOT / "run_production.py"), *options]
        begun = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env={**kept, "NIGHTDESK_DATA_DIR": str(data_dir), "NIGHTDESK_PORT": "0"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        requests.get(self.address + "/healthz", timeout=10).raise_for_status()
        self.start_seconds = time.monotonic() - begun

    @property
    def run(self) -> RunFile:
        run = read_run_file(self.data_dir)
        assert run, "the program does not run"
        return run

    @property
    def address(self) -> str:
        return self.run.address

    def memory_by_role(self) -> dict[str, float]:
        """Proportional set size in MB."""
        pids = {"supervisor": self.process.pid, **{process.role: process.pid for process in self.run.processes}}
        return {role: _pss(pid) / 1024 for role, pid in pids.items()}

    def stop(self) -> float:
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.monotonic() - begun


def _pss(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found.group(1)) if found else 0


class Visitors:
    """A steady load of kept-alive and fresh connections, and the longest anybody waited."""

    def __init__(self, address: str, *, count: int = 4) -> None:
        self.errors: list[str] = []
        self.longest = 0.0
        self.answers = 0
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._visit, args=(address, n % 2 == 0)) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def _visit(self, address: str, keep_alive: bool) -> None:
        session = requests.Session()
        session.trust_env = False
        while not self._done.wait(0.05):
            begun = time.monotonic()
            headers = {} if keep_alive else {"Connection": "close"}
            try:
                session.get(address + "/healthz", headers=headers, timeout=20).raise_for_status()
                self.answers += 1
            except requests.RequestException as error:
                self.errors.append(repr(error))
            self.longest = max(self.longest, time.monotonic() - begun)

    def end(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


def add_mailbox(data_dir: Path, dovecot: Dovecot) -> None:
    """One IMAP mailbox, read every 20 seconds."""
    dovecot.create_user("help", "secret")
    context = build(Config(data_dir=data_dir))
    imap = Server("127.0.0.1", dovecot.port, "plain", "help", "secret")
    form = MailboxForm("Bench", "help@acme.example", imap, Server("", 587, "starttls"))
    with context.database.unit_of_work() as uow:
        save_mailbox(uow, form, box=context.box, change=Change(None, context.clock.now()))
    context.database.dispose()


def sign_in(program: Program) -> requests.Session:
    """As the demo's Alice."""
    session = requests.Session()
    session.trust_env = False
    password = program.line.strip().rsplit(" ", 1)[1]
    _post(session, program.address + "/login", email="alice@demo.example", password=password)
    return session


def _post(session: requests.Session, url: str, **fields: str) -> requests.Response:
    token = BeautifulSoup(session.get(url, timeout=20).text, "html.parser").select_one('input[name="csrf_token"]')
    answer = session.post(url, data={"csrf_token": token["value"], **fields}, timeout=20)
    answer.raise_for_status()
    return answer


def restart(program: Program) -> tuple[float, Visitors]:
    """Press the button; seconds from the press to the page that says it is done."""
    session = sign_in(program)
    visitors = Visitors(program.address)
    try:
        begun = time.monotonic()
        where = _post(session, program.address + "/system/restart").url
        while "Nightdesk has restarted." not in session.get(where, timeout=20).text:
            assert time.monotonic() < begun + 60, "the restart does not end"
            time.sleep(0.05)
        return time.monotonic() - begun, visitors
    finally:
        visitors.end()


def main() -> None:
    wait = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder, running_dovecot() as dovecot:
        data = Path(folder) / "data"
        first = Program(data, "--demo")
        print(f"first start            {first.start_seconds:6.2f} s")
        print(f"stop                   {first.stop():6.2f} s")
        add_mailbox(data, dovecot)
        second = Program(data, "--demo")
        print(f"second start           {second.start_seconds:6.2f} s   (goal 4)")
        seconds, visitors = restart(second)
        print(f"restart, press to done {seconds:6.2f} s")
        print(f"longest wait for page  {visitors.longest:6.2f} s   (goal 5), {visitors.answers} answers")
        print(f"lost requests          {len(visitors.errors):6d}     (goal 0) {visitors.errors[:3] or ''}")
        time.sleep(wait)
        memory = second.memory_by_role()
        print(f"memory after {wait:.0f} s{sum(memory.values()):15.0f} MB  (goal 300) {_rounded(memory)}")
        second.stop()


def _rounded(memory: dict[str, float]) -> str:
    return ", ".join(f"{role} {size:.0f}" for role, size in memory.items())


if __name__ == "__main__":
    main()
