"""The process that reads large mails for `mail_reader.py`: mails on its standard input, answers on its output.

It ends when its input ends, or when nothing came for as many seconds as its argument says.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from typing import IO

from portal.services.mail_reader import ReadMail, read_frame, read_here, write_frame


class Idleness:
    """Ends the process when no mail came for a while. The main thread cannot: it waits for its input."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_busy = False
        self._since = time.monotonic()
        self._lock = threading.Lock()

    def is_over(self) -> bool:
        """Whether it has been idle for too long."""
        with self._lock:
            return not self._is_busy and time.monotonic() - self._since > self._seconds

    def mark(self, *, busy: bool) -> None:
        """A mail has come, or has been answered."""
        with self._lock:
            self._is_busy, self._since = busy, time.monotonic()

    def watch(self) -> None:
        """Runs in a thread of its own."""
        while not self.is_over():
            time.sleep(min(1.0, self._seconds / 4))
        os._exit(0)


def serve(source: IO[bytes], sink: IO[bytes], idleness: Idleness) -> None:
    """Answer mails until the input ends."""
    while (raw := read_frame(source)) is not None:
        idleness.mark(busy=True)
        answer = _answer(raw)
        del raw
        write_frame(sink, answer)
        del answer
        idleness.mark(busy=False)


def _answer(raw: bytes) -> bytes:
    found: ReadMail | str
    try:
        found = read_here(raw)
    except Exception:  # noqa: BLE001 - it goes to the parent, which logs it with the mail's number
        found = traceback.format_exc()
    return pickle.dumps(found, protocol=pickle.HIGHEST_PROTOCOL)


def main() -> None:
    """Keep standard output for the answers alone."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    idleness = Idleness(float(sys.argv[1]))
    threading.Thread(target=idleness.watch, daemon=True).start()
    serve(sys.stdin.buffer, sink, idleness)


if __name__ == "__main__":
    main()
