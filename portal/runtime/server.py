"""Waitress on a socket somebody else bound, with an end that drops nobody.

To stop: the listening socket is left alone (the supervisor keeps it open, new connections wait in the kernel for the
next web process), what was begun is answered with `Connection: close`, and kept-alive connections get a moment to send
the request that may be on its way already, since closing under it would reset it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask

# How long a kept-alive connection may stay silent before it is closed at the end.
LINGER_SECONDS = 0.5
STOP_SECONDS = 4.5


class _LastAnswer:
    """While the server stops, every answer says that the connection ends with it."""

    def build_response_header(self) -> bytes:
        if self.channel.server.stopping.is_set():  # type: ignore[attr-defined]
            self.set_close_on_finish()  # type: ignore[attr-defined]
        return super().build_response_header()  # type: ignore[misc,no-any-return]


class _Task(_LastAnswer, WSGITask):  # type: ignore[misc]
    pass


class _ErrorTask(_LastAnswer, ErrorTask):  # type: ignore[misc]
    pass


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task
    error_task_class = _ErrorTask

    @property
    def is_silent(self) -> bool:
        """Nothing begun and nothing to send. A request that has arrived in part is begun."""
        return not (self.requests or self.request or self.total_outbufs_len or self.close_when_flushed)


class Server:
    """Serves `application` on `sock` with `threads` threads until told to stop."""

    def __init__(self, application: Callable[..., Any], sock: socket.socket, *, threads: int) -> None:
        self._sockets: dict[int, Any] = {}
        self._server = create_server(
            application,
            map=self._sockets,
            sockets=[sock],
            threads=threads,
            ident="",
            # The application itself counts trusted proxies (NIGHTDESK_TRUSTED_PROXIES), under any server alike.
            clear_untrusted_proxy_headers=False,
            asyncore_use_poll=True,
        )
        self._server.channel_class = _Channel
        self._server.stopping = Event()

    def serve(self, stopping: Event) -> None:
        """Returns within five seconds after `stopping` was set, when all that was begun is answered."""
        self._server.stopping = stopping
        while not stopping.is_set():
            self._turn(0.25)
        self._server.accepting = False
        self._server.del_channel(self._sockets)
        stopped_at = time.monotonic()
        while self._open_channels(stopped_at) and time.monotonic() < stopped_at + STOP_SECONDS:
            self._turn(0.02)
        self._server.task_dispatcher.shutdown(timeout=0.1)
        wasyncore.close_all(self._sockets)
        self._server.socket.close()

    def _open_channels(self, stopped_at: float) -> bool:
        """Close the silent ones when their time is over. Whether any is left."""
        is_over = time.monotonic() > stopped_at + LINGER_SECONDS
        for channel in list(self._server.active_channels.values()):
            if is_over and channel.is_silent:
                channel.will_close = True
        return bool(self._server.active_channels)

    def _turn(self, timeout: float) -> None:
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._sockets, count=1)
