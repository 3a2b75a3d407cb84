"""One Nightdesk on one data folder. The lock is the operating system's, so that it dies with its owner."""

from __future__ import annotations

import os
import sys
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another supervisor holds the data folder."""


class DataFolderLock:
    """Held from `acquire()` until `release()` or the end of the process, however it ends."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "lock"
        self._fd: int | None = None

    def acquire(self) -> None:
        """Raises AlreadyRunningError with one sentence when somebody else has it."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails and keys lie there
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(fd)
        except OSError as error:
            os.close(fd)
            raise AlreadyRunningError(
                f"Nightdesk is already running on the data folder {self._path.parent}. "
                "Stop it first, or choose another folder with NIGHTDESK_DATA_DIR."
            ) from error
        self._fd = fd

    def release(self) -> None:
        """Let go of the folder. The file stays: taking it away would let two others lock two files."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
