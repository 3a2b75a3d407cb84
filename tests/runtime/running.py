"""Starts a supervisor as people do, and looks at it from outside."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from portal.runtime.runfile import RunFile, is_alive, read_run_file

ROOT = Path(__file__).resolve().parents[2]


def eventually(is_so: Callable[[], object], *, seconds: float = 60.0, what: str = "it") -> object:
    """Wait for something another process does."""
    give_up = time.monotonic() + seconds
    while not (result := is_so()):
        if time.monotonic() > give_up:
            raise AssertionError(f"{what} did not happen in {seconds} s")
        time.sleep(0.02)
    return result


class Running:
    """One supervisor process and what it wrote to the console."""

    def __init__(self, data_dir: Path, argv: list[str], env: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.console = data_dir.parent / f"{data_dir.name}.console.{time.monotonic_ns()}"
        with self.console.open("wb") as out:
            self.process = subprocess.Popen(
                argv, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env={**os.environ, **(env or {})}
            )

    @property
    def said(self) -> str:
        return self.console.read_text()

    @property
    def log(self) -> str:
        return (self.data_dir / "log" / "nightdesk.log").read_text()

    @property
    def run_file(self) -> RunFile | None:
        run = read_run_file(self.data_dir)
        return run if run and run.pid == self.process.pid else None

    def pid_of(self, role: str) -> int:
        """0 while there is none."""
        run = self.run_file
        return next((p.pid for p in run.processes if p.role == role and is_alive(p.pid)), 0) if run else 0

    def all_pids(self) -> list[int]:
        run = self.run_file
        assert run
        return [run.pid, *(process.pid for process in run.processes)]

    def wait_until_up(self) -> None:
        eventually(lambda: "Nightdesk runs at" in self.said or self.process.poll() is not None, what="the start")
        assert self.process.poll() is None, self.said

    @property
    def port(self) -> int:
        run = self.run_file
        assert run
        return int(run.address.rsplit(":", 1)[1])

    def get(self, path: str = "/") -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=20)


def start_fake(data_dir: Path, *, port: int = 0, queue: bool = False) -> Running:
    data_dir.mkdir(exist_ok=True)
    kind = "queue" if queue else "none"
    return Running(data_dir, [sys.executable, "-m", "tests.runtime.fake_fleet", str(data_dir), str(port), kind])
