"""`run.json` in the data folder: what runs now, for `portal status` and for the next start after a crash."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_TRIES = 10


@dataclass(frozen=True)
class RunningProcess:
    """One process of ours. `restarts` counts how often it had to be started again after it died."""

    role: str
    pid: int
    started_at: str
    restarts: int = 0


@dataclass(frozen=True)
class RunFile:
    """`queue_socket` is where our own Valkey listens, empty when there is none."""

    pid: int
    address: str
    started_at: str
    queue_socket: str = ""
    processes: list[RunningProcess] = field(default_factory=list)


def write_run_file(data_dir: Path, run: RunFile) -> None:
    """Written by rename; readable by its owner only. Left out when somebody keeps the old one open on Windows."""
    fresh = data_dir / f"run.json.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(run), file)
    for _ in range(_TRIES):
        try:
            fresh.replace(data_dir / "run.json")
        except PermissionError:
            time.sleep(0.02)
        else:
            return


def read_run_file(data_dir: Path) -> RunFile | None:
    """What the last supervisor wrote. None: nothing, or nothing readable. It may have died since: ask `is_alive`."""
    try:
        data: dict[str, Any] = json.loads((data_dir / "run.json").read_text())
        processes = [RunningProcess(**process) for process in data.pop("processes")]
        return RunFile(**data, processes=processes)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remove_run_file(data_dir: Path) -> None:
    """After a clean stop nothing runs and nothing needs clearing up."""
    (data_dir / "run.json").unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    """Whether a process has this number. On Windows, where asking is not free of side effects, never."""
    if sys.platform == "win32" or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Ended, but not yet collected: in a container without an init that stays so for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
