"""The listening socket: bound once by the supervisor, handed down to the web processes, open across restarts."""

from __future__ import annotations

import base64
import errno
import socket
import sys
import time
from typing import Any

# Connections the kernel keeps for us while no web process accepts.
BACKLOG = 1024
_RETRY_SECONDS = 0.1


class AddressError(Exception):
    """The address cannot be listened on. The text is for the person who started us."""


def listen_on(host: str, port: int, *, wait: float = 0.0) -> socket.socket:
    """Bind and listen. Raises AddressError.

    Args:
        host: a name or address.
        port: 0 picks a free one.
        wait: seconds to wait for a port in use: after a crash the last web process may still be letting go.
    """
    give_up = time.monotonic() + wait
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < give_up:
                time.sleep(_RETRY_SECONDS)
                continue
            raise AddressError(_explain(host, port, error)) from error


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":  # SO_REUSEADDR would let any program there take the port over
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. Stop it, or choose another port with NIGHTDESK_PORT."
    if error.errno == errno.EACCES and sys.platform == "win32":  # what an exclusive port in use says there
        return f"Port {port} is in use or reserved. Choose another port with NIGHTDESK_PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user. Choose one above 1023 with NIGHTDESK_PORT."
    return f"NIGHTDESK_HOST {host} cannot be listened on: {error.strerror or error}."


def address_of(sock: socket.socket) -> str:
    """`http://host:port` as somebody on this machine would open it."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def hand_over(sock: socket.socket, *, pid: int) -> dict[str, Any]:
    """What the child with this pid needs to open the same socket; on POSIX it must have been given the descriptor."""
    if sys.platform == "win32":
        return {"share": base64.b64encode(sock.share(pid)).decode()}
    return {"fd": sock.fileno()}


def take_over(handed: dict[str, Any]) -> socket.socket:
    """The child's side of `hand_over`."""
    if sys.platform == "win32":
        return socket.fromshare(base64.b64decode(handed["share"]))
    return socket.socket(fileno=handed["fd"])
