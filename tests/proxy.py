"""A TCP proxy on loopback that breaks connections on purpose."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class CutProxy:
    """Passes bytes both ways; `cut_after(n)` closes the next connections when the server has said n bytes."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._left: int | None = None
        self._open: list[socket.socket] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, size: int | None, *, times: int = 1) -> None:
        """From the next connection on; None passes everything again."""
        self._left, self._times = size, times

    def close(self) -> None:
        """Close the listener and everything open."""
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            budget, self._times = (self._left, self._times - 1) if self._left is not None else (None, 0)
            if budget is not None and self._times <= 0:
                self._left = None
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, budget), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, budget: int | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if budget is not None:
                    data, budget = data[:budget], budget - len(data)
                target.sendall(data)
                if budget is not None and budget <= 0:
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def cut_proxy(target: int) -> Iterator[CutProxy]:
    """A proxy in front of a port, closed at the end."""
    proxy = CutProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
