"""The one rotating log file. Its only writer is the supervisor, so that rotation never tears two processes apart."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from datetime import UTC, datetime
from pathlib import Path

MAX_BYTES = 5_000_000
KEEP = 5


class LogFile:
    """`data_dir/log/nightdesk.log` and its five predecessors. A full disk loses lines, never the supervisor."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "log" / "nightdesk.log"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        logging.raiseExceptions = False
        self._handler = logging.handlers.RotatingFileHandler(
            self.path, maxBytes=MAX_BYTES, backupCount=KEEP, encoding="utf-8", errors="replace"
        )

    def write(self, line: str) -> None:
        """One line as a child wrote it. Errors also go to the console, where somebody may be watching the start."""
        self._handler.handle(logging.LogRecord("", logging.INFO, "", 0, line, None, None))
        if " error " in line[:60] or " critical " in line[:60]:
            with contextlib.suppress(OSError, ValueError):  # a console that was closed must not stop the log
                sys.stderr.write(line + "\n")

    def note(self, message: str, *, level: str = "info") -> None:
        """A line of the supervisor's own, in the form the children use."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.write(f"{stamp} {level} supervisor: {message}")

    def close(self) -> None:
        self._handler.close()
