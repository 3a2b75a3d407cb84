"""Data folders, databases and servers for the runs of tests/chaos."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from portal.config import Config
from portal.models import Queue
from portal.models.schema import upgrade
from portal.services import lexicon, people
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.mailboxes import MailboxForm, Server, save_mailbox
from portal.services.settings import save_settings
from portal.wiring import build
from tests.chaos.driver import Result, Spec
from tests.databases import copy_of_postgresql
from tests.dovecot import Dovecot, running_dovecot
from tests.servers import postgresql
from tests.smtp_sink import running_smtp_sink

ROOT = Path(__file__).resolve().parents[2]
_number = count(1)
KINDS = ["mail_fetch", "mail_intake", "triage"]


@dataclass(frozen=True)
class Inbox:
    """A mailbox of its own at a real server; the password is "secret"."""

    server: Dovecot
    user: str

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def maildir(self) -> str:
        return str(self.server.root / "mail" / self.user)


class Site:
    """A set-up Nightdesk without processes: Alice, two queues, the words of triage, one mailbox."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        self.context: Context = build(Config(data_dir=folder, database_url=database, queue="polled"))
        self.url = self.context.database.url.render_as_string(hide_password=False)
        upgrade(self.context.database)

    def fill(self, *, inbox: Inbox | None = None, smtp_port: int = 25, is_live: bool = False) -> None:
        """Without an inbox there is a mailbox that is not read."""
        change = Change(None, self.context.clock.now())
        with self.context.database.unit_of_work() as uow:
            people.add_person(uow, people.Profile("alice@shop.example", "Alice", "admin", ()), change=change)
            uow.session.add_all([Queue(name="Desktop", position=1), Queue(name="Servers", position=0)])
            lexicon.seed_triage(uow, change=change)
            save_settings(uow, {"site.live": is_live}, change=change, box=self.context.box)
            imap = Server("127.0.0.1", inbox.port if inbox else 143, "plain", inbox.user if inbox else "help", "secret")
            smtp = Server("127.0.0.1", smtp_port, "plain")
            form = MailboxForm("Help", "help@shop.example", imap, smtp, is_enabled=inbox is not None)
            save_mailbox(uow, form, box=self.context.box, change=change).next_at = change.at.replace(year=2000)

    def rows(self, model: Any) -> list[Any]:
        """Every row, by id."""
        with self.context.database.read_session() as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def run(self, run: str, *, seconds: float, spec: Spec, **options: Any) -> Result:
        """Start the driver, wait for its end, and fail on an error it met or one that the program logged."""
        self.context.database.dispose()
        (self.folder / "spec.json").write_text(json.dumps({**asdict(spec), "run": run, "options": options}))
        command = [sys.executable, "-m", "tests.chaos.driver", str(self.folder)]
        log = self.folder / "driver.log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
            try:
                process.wait(seconds)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        wait_for_the_end(process.pid)
        words = log.read_text(errors="replace")
        assert (self.folder / "result.json").exists(), words[-4000:]
        result = Result(**json.loads((self.folder / "result.json").read_text()))
        result.seen, result.killed = Counter(result.seen), Counter(result.killed)
        assert not result.error, f"{result.error}\n{words[-4000:]}"
        assert "[error" not in words and "Traceback" not in words, words[-4000:]
        return result


def wait_for_the_end(session: int) -> None:
    """Whatever a killed worker had started ends by itself."""
    give_up = time.monotonic() + 20
    while left := [pid for pid in psutil.pids() if _session_of(pid) == session]:
        assert time.monotonic() < give_up, f"processes outlive the worker that started them: {left}"
        time.sleep(0.05)


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@pytest.fixture
def inbox(dovecot: Dovecot) -> Inbox:
    """help@ with nothing in it."""
    fresh = Inbox(dovecot, f"help{next(_number)}")
    dovecot.create_user(fresh.user, "secret")
    return fresh


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """`open_site()` on SQLite, `open_site(server)` on a new database of that PostgreSQL server."""
    sites = []

    def make(server: str = "") -> Site:
        site = Site(tmp_path, copy_of_postgresql(server) if server else "")
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.context.database.dispose()


@pytest.fixture
def sink():
    with running_smtp_sink() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server of our own, or the one the run brings."""
    given = os.environ.get("NIGHTDESK_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with postgresql() as url:
        yield url


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[Result, str], None]:
    """Print one line about a run, also where pytest is quiet."""

    def line(result: Result, what: str) -> None:
        at_random = result.deaths - result.killed.total()
        with capsys.disabled():
            print(
                f"\n{what}: killed {result.deaths} times, at {len(result.killed)} of {len(result.seen)} distinct steps "
                f"and {at_random} times at any moment, in {result.seconds:.0f} s"
            )

    return line
