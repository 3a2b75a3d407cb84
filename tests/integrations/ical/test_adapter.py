"""Fetching calendars, from a server on this machine that plays the internet and the house."""

import gzip
import socket
import ssl
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.core.errors import GatewayError
from portal.integrations.ical.adapter import FetchLimits, WebCalendars
from portal.integrations.ical.addresses import is_in_house, refusal
from tests.calendar_files import GOOGLE
from tests.integrations.test_mail_certificates import Shop

# What the addresses of this machine stand for.
PLAYED = {"127.0.0.1": "93.184.215.14", "127.0.0.2": "10.0.0.5", "127.0.0.3": "169.254.169.254"}
HOSTS = {
    "public.example": ["127.0.0.1"], "other.example": ["127.0.0.1"], "inside.example": ["127.0.0.2"],
    "cloud.example": ["127.0.0.3"], "both.example": ["127.0.0.1", "127.0.0.3"], "localhost": ["127.0.0.9"],
    "2130706441": ["127.0.0.9"],
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.headers["Host"].partition(":")[0], self.path, dict(self.headers)))
        self.server.answer(self)

    def reply(self, status=200, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content_Length": len(body), **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *parts):
        pass


class Web:
    """The server, how it answers, and a fetcher that takes it for the internet."""

    def __init__(self, server):
        self.server, self.asked, self.port = server, server.asked, server.server_address[1]
        self.hosts = {name: list(found) for name, found in HOSTS.items()}

    def answers(self, answer=None, **reply):
        self.server.answer = answer or (lambda one: one.reply(**reply))

    def fetch(self, host="public.example", path="/cal.ics?key=secret", *, etag="", **limits):
        url = host if "://" in host else f"http://{host}:{self.port}{path}"
        return self.fetcher(**limits).fetch(url, etag=etag)

    def fetcher(self, **limits):
        return WebCalendars(
            FetchLimits(**{"step": 2, "hop": 5, **limits}),
            resolve=self.resolve,
            judge=lambda address: refusal(PLAYED.get(address, address)),
            is_inside=lambda address: is_in_house(PLAYED.get(address, address)),
        )

    def resolve(self, host, port):
        if host not in self.hosts:
            raise socket.gaierror("no such name")
        found = self.hosts[host]
        return found.pop(0) if isinstance(found[0], list) else found

    def refused(self, *where, **how):
        with pytest.raises(GatewayError) as caught:
            self.fetch(*where, **how)
        assert "secret" not in caught.value.message
        return caught.value


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def web(server):
    server.asked = []
    return Web(server)


def test_a_calendar_is_fetched_whole_with_its_mark(web):
    web.answers(body=GOOGLE, ETag='"v1"', Content_Type="text/html")  # what it says it is does not count
    found = web.fetch()
    assert (found.data, found.etag) == (GOOGLE, '"v1"')
    host, path, headers = web.asked[0]
    assert (host, path) == ("public.example", "/cal.ics?key=secret")
    assert headers["Accept-Encoding"] == "identity" and "If-None-Match" not in headers


@pytest.mark.parametrize(
    ("mark", "header"),
    [('"v1"', "If-None-Match"), ('W/"v1"', "If-None-Match"), ("Sat, 21 Nov 2026 02:10:00 GMT", "If-Modified-Since")],
)
def test_what_we_have_already_is_not_sent_again(web, mark, header):
    web.answers(status=304)
    found = web.fetch(etag=mark)
    assert (found.data, found.etag) == (None, mark)
    assert web.asked[0][2][header] == mark


def test_a_server_without_etag_is_asked_by_date_and_a_mark_that_fits_nowhere_is_left(web):
    web.answers(body=b"x", Last_Modified="Sat, 21 Nov 2026 02:10:00 GMT")
    assert web.fetch().etag == "Sat, 21 Nov 2026 02:10:00 GMT"
    web.answers(body=b"x", ETag='"' + "x" * 300 + '"')
    assert web.fetch().etag == ""


def test_packed_answers_are_unpacked(web):
    web.answers(body=gzip.compress(GOOGLE), Content_Encoding="gzip")
    assert web.fetch().data == GOOGLE


def moves(status, *steps):
    """Answers with a redirect for each step, then the calendar."""
    left = list(steps)
    return lambda one: one.reply(status, Location=left.pop(0)) if left else one.reply(body=GOOGLE)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_also_to_another_host(web, status):
    web.answers(moves(status, "/moved.ics", f"http://other.example:{web.port}/x.ics", "y.ics?z=1"))
    assert web.fetch().data == GOOGLE
    assert [(host, path) for host, path, _ in web.asked] == [
        ("public.example", "/cal.ics?key=secret"), ("public.example", "/moved.ics"), ("other.example", "/x.ics"),
        ("other.example", "/y.ics?z=1"),
    ]  # fmt: skip


def test_five_redirects_are_enough(web):
    web.answers(moves(302, *["/again"] * 5))
    assert web.fetch().data == GOOGLE
    web.answers(moves(302, *["/again"] * 6))
    assert web.refused().message == "public.example redirects again and again."


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (
            "http://inside.example:{port}/admin",
            "inside.example was redirected to, and is an address within our own network",
        ),
        ("http://10.0.0.5/", "10.0.0.5 was redirected to, and is an address within our own network"),
        ("http://cloud.example/latest/meta-data", "an address of the machine's own network"),
        ("http://169.254.169.254/latest/meta-data", "an address of the machine's own network"),
        ("http://[::1]/", "this machine itself"),
        ("//localhost/", "this machine itself"),
        ("http://both.example/", "an address of the machine's own network"),
        ("http://2130706441/", "this machine itself"),  # a number is an address, too
        ("file:///etc/passwd", "must begin with https:// or http://"),
        ("gopher://public.example/", "must begin with https:// or http://"),
        ("http://user:pw@public.example/", "with a password in it"),
        ("", "redirects to nowhere"),
    ],
)
def test_a_redirect_to_a_place_of_our_own_is_refused_before_anything_is_asked_there(web, location, words):
    for number in ("10.0.0.5", "169.254.169.254", "::1"):
        web.hosts[number] = [number]
    web.answers(status=302, Location=location.format(port=web.port))
    error = web.refused(path="/")
    assert words in error.message and error.permanent
    assert [host for host, _, _ in web.asked] == ["public.example"]


def test_an_in_house_calendar_is_fetched_where_the_administrator_named_it(web):
    web.answers(moves(302, "/moved.ics", f"http://inside.example:{web.port}/x.ics"))
    assert web.fetch("inside.example").data == GOOGLE
    web.answers(moves(302, f"http://public.example:{web.port}/", f"http://inside.example:{web.port}/x.ics"))
    assert web.fetch("inside.example").data == GOOGLE  # back to where the administrator sent us
    assert web.refused("cloud.example").code == "address"
    assert web.refused("localhost").message == "localhost leads to this machine itself: not fetched."


def test_a_name_that_moves_into_the_house_is_not_followed_there(web):
    web.hosts["public.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    web.answers(moves(302, "/again"))
    assert "within our own network" in web.refused().message
    assert len(web.asked) == 1


def test_a_name_that_leads_to_both_worlds_sends_us_only_to_the_outer(web, monkeypatch):
    web.hosts["public.example"] = [["127.0.0.1", "127.0.0.2"], ["127.0.0.2"]]
    web.answers(moves(302, "/reboot"))
    assert "within our own network" in web.refused().message
    web.hosts["public.example"] = [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]]
    web.answers(moves(302, "/again"))
    monkeypatch.setattr(socket, "create_connection", partial(_only, socket.create_connection, "127.0.0.1"))
    assert web.fetch().data == GOOGLE


def test_the_address_that_was_judged_is_the_one_connected_to(web, monkeypatch):
    asked = []
    real = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda place, timeout: asked.append(place[0]) or real(place, timeout)
    )
    web.answers(body=GOOGLE)
    web.fetch()
    assert asked == ["127.0.0.1"]


def _only(real, address, place, timeout):
    if place[0] != address:
        raise ConnectionRefusedError
    return real(place, timeout)


def test_the_next_address_is_tried_when_one_does_not_answer(web, monkeypatch):
    web.hosts["public.example"] = ["127.255.255.254", "127.0.0.1"]
    web.answers(body=GOOGLE)
    with monkeypatch.context() as patch:
        patch.setitem(PLAYED, "127.255.255.254", "93.184.215.15")
        patch.setattr(socket, "create_connection", partial(_only, socket.create_connection, "127.0.0.1"))
        assert web.fetch().data == GOOGLE


@pytest.mark.parametrize(
    ("status", "permanent", "words"),
    [
        (401, True, "asks for a password"), (403, True, "refuses us"), (404, True, "has nothing there"),
        (410, True, "has nothing there any more"), (418, True, "answers with the error 418"),
        (429, False, "error 429"), (408, False, "error 408"), (500, False, "error 500"), (503, False, "error 503"),
    ],
)  # fmt: skip
def test_a_refusal_says_whether_trying_again_may_help(web, status, permanent, words):
    web.answers(status=status, body=b"secret", Retry_After="120")
    error = web.refused()
    assert (error.permanent, error.retry_after, error.code) == (permanent, 120.0, str(status))
    assert words in error.message


def test_what_is_too_large_is_not_read(web):
    sent = []

    def pour(one):
        one.reply(Content_Length=None, Connection="close")
        try:
            for _ in range(10_000):
                one.wfile.write(b"x" * 10_000)
                sent.append(1)
        except OSError:
            one.close_connection = True

    web.answers(pour)
    error = web.refused(size=100_000)
    assert (error.message, error.permanent) == ("The calendar of public.example is larger than 0.1 MB.", True)
    assert len(sent) < 10_000
    web.answers(body=gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
    assert web.refused(size=100_000).code == "size"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"body": b"short", "Content_Length": 99, "Connection": "close"}, "broke off in the middle"),
        ({"body": gzip.compress(GOOGLE)[:-20], "Content_Encoding": "gzip"}, "broke off in the middle"),
        ({"body": b"no gzip", "Content_Encoding": "gzip"}, "is damaged"),
        ({"body": b"x", "Content_Encoding": "br"}, "packed in a way we did not ask for"),
        ({"body": b"x", "Content_Length": "many"}, "cannot be read: ValueError"),
    ],
)
def test_a_damaged_answer_is_never_taken_for_a_calendar(web, reply, words):
    def answer(one):
        one.reply(**reply)
        one.close_connection = True

    web.answers(answer)
    assert words in web.refused().message


def test_a_server_that_speaks_ever_so_slowly_is_left(web):
    def drip(one):
        one.close_connection = True
        one.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(200):
            one.wfile.write(b"x")
            if threading.Event().wait(0.01):
                return

    web.answers(drip)
    began = time.monotonic()
    error = web.refused(hop=0.2)
    assert (error.message, error.permanent) == ("public.example does not answer in time.", False)
    assert time.monotonic() - began < 1.5


def test_a_silent_server_and_one_that_is_not_there_may_be_asked_again(web):
    web.answers(lambda one: threading.Event().wait(0.3))
    assert web.refused(step=0.1).message == "public.example does not answer in time."
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = web.refused(f"http://public.example:{port}/")
    assert error.message == "public.example cannot be read: ConnectionRefusedError." and not error.permanent
    error = web.refused("nowhere.example")
    assert error.message == "The address of nowhere.example cannot be found." and not error.permanent


def test_garbage_instead_of_http_is_a_sentence(web):
    web.answers(lambda one: one.wfile.write(b"\x00\xffgarbage\r\n\r\n") and setattr(one, "close_connection", True))
    assert web.refused().message == "public.example cannot be read: BadStatusLine."


@pytest.mark.parametrize(
    "url", ["", "calendar", "ftp://public.example/", "http://", "http://a b/", "http://x:99999/", "http://\u00ad/"]
)
def test_what_is_no_address_of_the_web_is_refused(web, url):
    with pytest.raises(GatewayError) as caught:
        web.fetcher().fetch(url)
    assert caught.value.permanent and caught.value.code == "address"


def test_webcal_is_https_and_encryption_is_not_given_up(web, monkeypatch):
    asked = []
    fetcher = web.fetcher()

    def ask(target, addresses, etag):
        asked.append(target.url)
        return f"http://public.example:{web.port}/"

    monkeypatch.setattr(fetcher, "_ask", ask)
    with pytest.raises(GatewayError, match="to an address without encryption"):
        fetcher.fetch("webcal://public.example/a b.ics".replace(" ", "\u00fc"))
    assert asked == ["https://public.example/a%C3%BCb.ics"]


@pytest.mark.parametrize(
    ("address", "words"),
    [("127.0.0.1", ""), ("127.0.0.2", "The certificate of 127.0.0.1 is not valid: IP address mismatch")],
)
def test_the_certificate_must_be_of_the_name_that_was_asked_for(web, tmp_path, address, words):
    shop = Shop(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shop.certificate(address=address))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.answer = [], lambda one: one.reply(body=GOOGLE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    fetcher = WebCalendars(
        FetchLimits(step=2, hop=5), judge=lambda address: "", tls=ssl.create_default_context(cafile=shop.ca_file)
    )
    try:
        url = f"https://127.0.0.1:{server.server_address[1]}/x.ics"
        if not words:
            assert fetcher.fetch(url).data == GOOGLE
            return
        with pytest.raises(GatewayError, match=words) as caught:
            fetcher.fetch(url)
        assert (caught.value.code, caught.value.permanent) == ("certificate", True)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
