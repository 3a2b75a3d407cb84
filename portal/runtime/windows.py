"""What only Windows needs."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

_CTRL_CLOSE_EVENT = 2
_CTRL_LOGOFF_EVENT = 5
_CTRL_SHUTDOWN_EVENT = 6
# Windows ends the process when the handler returns, and after five seconds in any case.
_GRACE_SECONDS = 4.8
_keep: list[Any] = []


def on_console_close(stop: Callable[[], None]) -> None:
    """Call `stop` when the window is closed, the user logs off or the machine shuts down."""
    windll: Any = ctypes.windll  # type: ignore[attr-defined]
    functype: Any = ctypes.WINFUNCTYPE  # type: ignore[attr-defined]

    @functype(ctypes.c_int, ctypes.c_uint)  # type: ignore[untyped-decorator]
    def handler(event: int) -> int:
        if event not in (_CTRL_CLOSE_EVENT, _CTRL_LOGOFF_EVENT, _CTRL_SHUTDOWN_EVENT):
            return 0
        stop()
        time.sleep(_GRACE_SECONDS)  # the main thread stops everything meanwhile and ends the process
        return 1

    _keep.append(handler)  # Windows holds only the address
    windll.kernel32.SetConsoleCtrlHandler(handler, 1)
