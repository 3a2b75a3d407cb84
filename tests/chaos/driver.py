"""Runs the workers of a mail run and starts each again when it was killed: `python -m tests.chaos.driver FOLDER`.

FOLDER holds `spec.json` (see Spec) and gets `result.json`. A process of its own, because it forks: it has loaded the
program once and compiled its statements, and each child is a fresh process in a few milliseconds. Nothing is connected
before the fork.
"""

from __future__ import annotations

import gc
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Dialect, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import configure_mappers

from portal.config import Config
from portal.core.wordlists import load_english
from portal.jobs.steps import WORK
from portal.services.context import Context
from portal.services.mail_files import import_mails
from portal.wiring import build
from tests.chaos.killing import FINISHING, MAX_DEATHS_IN_A_ROW, Board, Killer, Plan
from tests.chaos.post import write_post
from tests.databases import copy_of_postgresql

TURN_SECONDS = 60
LEASE_SECONDS = 200.0  # longer than any lease of the mail services
PAST = timedelta(days=60)  # product time begins there: Dovecot takes no mail from a time to come


@dataclass(frozen=True)
class Spec:
    """What a run does.

    Args:
        database: the SQLAlchemy URL.
        kinds: the kinds of work each worker does in turn (core/work.py).
        schedule, of: see Plan.
        at_random: of so many children in a hundred, the driver kills one at any moment, not only between steps.
    """

    database: str
    kinds: list[str]
    schedule: list[int]
    of: int = 1
    workers: int = 1
    at_random: int = 5


@dataclass
class Result:
    """What happened. `seen` and `killed` count how often a step was met and ended a process."""

    seen: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    deaths: int = 0
    seconds: float = 0.0
    error: str = ""


class BoardClock:
    """Real time, some weeks ago, moved on by the driver: what died gives up its leases sooner."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def now(self) -> datetime:
        return self.lease_now() - PAST

    def lease_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._board.seconds)

    def may_take_over(self) -> bool:
        return True


class Driver:
    """One run: `drain` works until nothing is left."""

    def __init__(self, folder: Path, spec: Spec) -> None:
        self.folder = folder
        self.spec = spec
        self.board = Board()
        self.result = Result()
        self._dice = random.Random(11)
        self._seen = os.open(folder / "seen", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self._hear, self._tell = os.pipe()
        os.set_blocking(self._hear, False)

    def drain(self, *, armed: bool = True) -> None:
        """Start every worker, and again whoever died, until each says that nothing is left."""
        alive = {self._start(armed=armed) for _ in range(self.spec.workers)}
        while alive:
            pid, status = os.wait()
            if pid not in alive:
                continue  # a helper of a child that was killed
            alive.remove(pid)
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                self._note_death()
                self.board.move(LEASE_SECONDS)
                alive.add(self._start(armed=armed))
            elif status != 0:
                raise RuntimeError(f"a worker ended with status {status}; its words are in the log")

    def _start(self, *, armed: bool) -> int:
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            if armed and self._dice.randrange(100) < self.spec.at_random:
                self._kill_later(pid)
            return pid
        try:
            signal.alarm(TURN_SECONDS)  # a worker that hangs ends as an error
            work(self._killer() if armed else None, open_context(self.folder, self.spec, self.board), self)
        except BaseException:  # noqa: BLE001 - a fork must never go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def _killer(self) -> Killer:
        plan = Plan(self.spec.schedule, self.spec.of)
        return Killer(self.board, plan=plan, tell=self._tell, seen=self._seen)

    def _kill_later(self, pid: int) -> None:
        """At any moment: in the middle of a commit, of a parse, of an answer."""
        time.sleep(self._dice.random() * 0.15)
        if self.board.deaths_in_a_row < MAX_DEATHS_IN_A_ROW:
            self.board.deaths_in_a_row += 1
            os.kill(pid, signal.SIGKILL)  # never somebody else: the child has not been waited for yet

    def _note_death(self) -> None:
        self.result.deaths += 1
        with suppress(BlockingIOError):
            self.result.killed.update(os.read(self._hear, 2**16).decode().split("\n"))


def open_context(folder: Path, spec: Spec, board: Board) -> Context:
    """The program's own wiring, with the board's clock and the statements that are compiled already."""
    context = build(Config(data_dir=folder, database_url=spec.database, queue="polled"))
    for role in ("reader", "writer"):
        _share_statements(role, getattr(context.database, role))
    return replace(context, clock=BoardClock(board))


_compiled: dict[str, tuple[Dialect, dict[object, object]]] = {}


def _share_statements(role: str, engine: Engine) -> None:
    """Compiling was more than half of what a child did in its short life."""
    engine.dialect, cache = _compiled.setdefault(role, (engine.dialect, {}))
    engine.update_execution_options(compiled_cache=cache)


def warm_up(folder: Path, spec: Spec, board: Board) -> None:
    """Do what the workers will do once, on a copy of the database and with mails from files; nothing is sent."""
    configure_mappers()
    context = open_context(folder, replace(spec, database=_copy_of(spec.database, folder)), board)
    post = folder / "warm_up"
    post.mkdir()
    for letter in write_post(12):
        (post / f"{letter.number}.eml").write_bytes(letter.raw)
    if "mail_intake" in spec.kinds:
        import_mails(context, [post], may_page=True)
    for kind in spec.kinds:
        while kind != "mail_out" and WORK[kind].step(context):
            continue
    context.database.dispose()


def _copy_of(database: str, folder: Path) -> str:
    url = make_url(database)
    if url.database and url.get_backend_name() == "sqlite":
        copy = folder / "warm_up.sqlite3"
        copy.write_bytes(Path(url.database).read_bytes())
        return f"sqlite:///{copy}"
    server = url.set(database="postgres").render_as_string(hide_password=False)
    return copy_of_postgresql(server, str(url.database))


def work(killer: Killer | None, context: Context, driver: Driver) -> None:
    """A worker's life: one step of each kind in turn, until none finds anything to do."""
    if killer is not None:
        killer.watch_database(context.database.reader, context.database.writer)
        killer.watch_imap()
        killer.watch_smtp()
    is_busy = True
    while is_busy:
        is_busy = False
        for kind in driver.spec.kinds:
            is_busy = _step(context, kind, driver.board, killer) or is_busy


def _step(context: Context, kind: str, board: Board, killer: Killer | None) -> bool:
    if killer is not None:
        killer.kind = kind
    has_worked = WORK[kind].step(context)
    if has_worked and kind in FINISHING:
        board.deaths_in_a_row = 0
    return has_worked


def main(folder: Path) -> int:
    """0 when the run came to its end; the result says how."""
    from tests.chaos import runs

    load_english()
    spec = json.loads((folder / "spec.json").read_text())
    run = getattr(runs, spec.pop("run"))
    options = spec.pop("options")
    driver = Driver(folder, Spec(**spec))
    began = time.monotonic()
    warm_up(folder, driver.spec, driver.board)
    gc.collect()
    gc.freeze()  # a collection in a child must not copy all the memory it shares
    try:
        run(driver, **options)
    except Exception:  # noqa: BLE001 - whatever went wrong is told to the test
        driver.result.error = traceback.format_exc()
    driver.result.seconds = time.monotonic() - began
    driver.result.seen = Counter((folder / "seen").read_text().split("\n"))
    for names in (driver.result.seen, driver.result.killed):
        names.pop("", None)
    (folder / "result.json").write_text(json.dumps(vars(driver.result)))
    return bool(driver.result.error)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
