"""PostgreSQL and Redis for the tests: own folders, loopback, free ports, ended by the process we started."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.programs import require_program


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], what: str) -> None:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended at once")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{what} does not answer")


def _postgres_user() -> dict[str, object]:
    """PostgreSQL refuses to run as root: then it runs as Debian's own user of that name."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a fresh server, `postgresql+psycopg://...`."""
    postgres = Path(require_program("postgres")).resolve()
    initdb = postgres.parent / "initdb"
    folder = Path(tempfile.mkdtemp(prefix="nd-pg-", dir=_memory()))
    who = _postgres_user()
    if who:
        os.chown(folder, int(str(who["user"])), int(str(who["group"])))
    env = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": env, "cwd": folder}
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "nightdesk", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True, **quiet, **who
    )
    port = free_port()
    settings = ("fsync=off", "listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}")
    options = [part for setting in (*settings, "max_connections=200") for part in ("-c", setting)]
    process = subprocess.Popen([postgres, "-D", data, *options], **quiet, **who)
    try:
        _wait(port, process, "postgres")
        yield f"postgresql+psycopg://nightdesk@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGINT)  # whoever is still connected is not waited for
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _memory() -> str | None:
    """A folder in memory with room to spare, or None: thousands of databases are made and dropped."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > 4 * 2**30 else None


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of a fresh server, `redis://...`."""
    program = require_program("redis-server")
    folder = Path(tempfile.mkdtemp(prefix="nd-redis-"))
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(port, process, "redis-server")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
