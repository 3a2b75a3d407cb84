"""The machine's clock. Tests move product time through a file, so that every process sees the same."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from portal.core.leases import ClockWatch


class SystemClock:
    """`now()` is machine time plus the seconds in `data_dir/clock`, read only when `testing` (decisions.md 1 and 2)."""

    def __init__(self, data_dir: Path, *, testing: bool = False) -> None:
        self._path = data_dir / "clock" if testing else None
        self._stamp: tuple[int, int, int] | None = None
        self._offset = timedelta()
        self._lock = threading.Lock()
        self._watch = ClockWatch(datetime.now(UTC), time.monotonic())

    def now(self) -> datetime:
        """Product time, movable by tests."""
        if self._path is None:
            return datetime.now(UTC)
        return datetime.now(UTC) + self._read_offset(self._path)

    def lease_now(self) -> datetime:
        """Machine time, never moved."""
        return datetime.now(UTC)

    def may_take_over(self) -> bool:
        """False for one lease length after the machine's clock jumped: expired leases may belong to the living."""
        with self._lock:
            self._watch = self._watch.look(datetime.now(UTC), monotonic=time.monotonic())
            return self._watch.may_take_over

    def _read_offset(self, path: Path) -> timedelta:
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp != self._stamp:
                self._offset, self._stamp = timedelta(seconds=float(path.read_text())), stamp
        except FileNotFoundError:
            return timedelta()
        return self._offset


def move_clock(data_dir: Path, *, seconds: float) -> None:
    """Set how far product time is ahead. Written by rename, so that no process reads half a number."""
    data_dir.mkdir(parents=True, exist_ok=True)
    fresh = data_dir / f"clock.{os.getpid()}"
    fresh.write_text(f"{seconds}\n")
    fresh.replace(data_dir / "clock")
