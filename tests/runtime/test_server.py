import socket
import threading

import pytest

from portal.runtime.listener import listen_on
from portal.runtime.server import Server

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Site:
    """A server in a thread, whose application waits for `gate` on /slow."""

    def __init__(self):
        self.stopping, self.gate, self.begun = threading.Event(), threading.Event(), threading.Event()
        self.socket = listen_on("127.0.0.1", 0)
        server = Server(self.application, self.socket.dup(), threads=2)
        self.thread = threading.Thread(target=server.serve, args=(self.stopping,))
        self.thread.start()

    def application(self, environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            self.begun.set()
            self.gate.wait(10)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    def connect(self):
        return socket.create_connection(self.socket.getsockname(), timeout=10)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.gate.set()
    site.stopping.set()
    site.thread.join()
    site.socket.close()


def answer(connection):
    data = b""
    while not data.endswith(b"\r\n\r\nok"):
        piece = connection.recv(4096)
        assert piece, f"closed after {data!r}"
        data += piece
    return data


def test_a_kept_alive_connection_stays_open_while_the_server_serves(site):
    with site.connect() as connection:
        for _ in range(3):
            connection.sendall(REQUEST)
            assert b"Connection: close" not in answer(connection)


def test_what_was_begun_is_answered_and_says_that_the_connection_ends(site):
    with site.connect() as connection:
        connection.sendall(REQUEST.replace(b"/ ", b"/slow ", 1))
        assert site.begun.wait(10)
        site.stopping.set()
        site.gate.set()
        assert b"Connection: close" in answer(connection)
        assert connection.recv(1) == b""


def test_a_request_on_a_kept_alive_connection_is_still_answered_at_the_end(site):
    with site.connect() as connection:
        connection.sendall(REQUEST)
        answer(connection)
        site.stopping.set()
        connection.sendall(REQUEST)
        assert b"Connection: close" in answer(connection)


def test_a_request_that_has_arrived_in_part_is_waited_for(site):
    with site.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        with site.connect() as other:
            other.sendall(REQUEST)
            answer(other)  # the first has been read by now
        site.stopping.set()
        site.thread.join(1)
        assert site.thread.is_alive()
        connection.sendall(b"cd")
        assert b"200 OK" in answer(connection)


def test_silent_connections_do_not_hold_up_the_end(site):
    with site.connect() as connection:
        connection.sendall(REQUEST)
        answer(connection)
        site.stopping.set()
        site.thread.join(3)
        assert not site.thread.is_alive()
        assert connection.recv(1) == b""


def test_a_request_without_end_is_dropped_after_five_seconds(site):
    with site.connect() as connection:
        connection.sendall(REQUEST.replace(b"/ ", b"/slow ", 1))
        assert site.begun.wait(10)
        site.stopping.set()
        site.thread.join(7)
        assert not site.thread.is_alive()


def test_connections_wait_for_the_next_server(site):
    site.stopping.set()
    site.thread.join()
    with site.connect() as connection:
        connection.sendall(REQUEST)
        again = threading.Event()
        server = Server(site.application, site.socket.dup(), threads=1)
        thread = threading.Thread(target=server.serve, args=(again,))
        thread.start()
        assert b"200 OK" in answer(connection)
        again.set()
        thread.join()


def test_the_server_does_not_say_what_it_is(site):
    with site.connect() as connection:
        connection.sendall(REQUEST)
        assert b"Server:" not in answer(connection)


def test_proxy_headers_reach_the_application_which_counts_the_proxies():
    seen = []
    sock = listen_on("127.0.0.1", 0)

    def application(environ, start_response):
        seen.append(environ.get("HTTP_X_FORWARDED_FOR"))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    stopping = threading.Event()
    thread = threading.Thread(target=Server(application, sock.dup(), threads=1).serve, args=(stopping,))
    thread.start()
    with socket.create_connection(sock.getsockname(), timeout=10) as connection:
        connection.sendall(REQUEST.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"))
        answer(connection)
    stopping.set()
    thread.join()
    sock.close()
    assert seen == ["192.0.2.1"]
