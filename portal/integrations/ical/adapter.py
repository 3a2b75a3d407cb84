"""The CalendarFetcher port: a GET of an address that an administrator typed, and nothing more than that.

Every address is looked up and judged before it is connected to, and that very address is connected to: a name that
answers otherwise a second later leads nowhere else. Redirects are followed by hand, each judged anew. An in-house
address is fetched only where the administrator named it; a server outside cannot send us there.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin, urlsplit

from portal.core.errors import GatewayError
from portal.core.ical_lines import MAX_BYTES
from portal.core.ports import FetchedCalendar
from portal.integrations.ical.addresses import is_in_house, refusal

MAX_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_GONE = {401: "asks for a password", 403: "refuses us", 404: "has nothing there", 410: "has nothing there any more"}
_MOST_ETAG, _MOST_ADDRESSES = 200, 3
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class FetchLimits:
    """Seconds for one step of the network and for all of a hop, and how many bytes a calendar may have."""

    step: float = 10.0
    hop: float = 30.0
    size: int = MAX_BYTES


@dataclass(frozen=True)
class _Target:
    """A checked URL. `path` holds the query; it may be a secret and is never shown."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"


class _Pinned(http.client.HTTPConnection):
    """Speaks to `host` at an address that was judged. With `tls` the certificate must be of the host's name."""

    def __init__(self, target: _Target, address: str, *, tls: ssl.SSLContext | None, timeout: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self._address, self._tls = address, tls

    def connect(self) -> None:
        """Open the connection."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


class WebCalendars:
    """Fetches iCal files. Proxies of the environment are not used: behind one nobody can say where a name leads."""

    def __init__(
        self,
        limits: FetchLimits | None = None,
        *,
        resolve: Callable[[str, int], list[str]] | None = None,
        judge: Callable[[str], str] = refusal,
        is_inside: Callable[[str], bool] = is_in_house,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._limits = limits or FetchLimits()
        self._resolve = resolve or _resolve
        self._judge, self._is_inside = judge, is_inside
        self._given_tls = tls

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or ssl.create_default_context()

    def fetch(self, url: str, *, etag: str = "") -> FetchedCalendar:
        """See CalendarFetcher.fetch. `etag` may be a date of Last-Modified where the server gives nothing better.

        `code` is "address" for one we do not fetch from, "size", "certificate", or the HTTP status.
        """
        typed = target = _parse(url)
        inside_host = ""
        for hop in range(MAX_HOPS + 1):
            addresses = self._look_up(target, inside_host=inside_host, is_typed=hop == 0)
            if hop == 0 and all(map(self._is_inside, addresses)):
                inside_host = typed.host
            found = self._ask(target, addresses, etag)
            if isinstance(found, FetchedCalendar):
                return found
            target = _next(target, found)
        raise GatewayError(f"{typed.host} redirects again and again.", permanent=True)

    def _look_up(self, target: _Target, *, inside_host: str, is_typed: bool) -> list[str]:
        """The addresses of the host, all of which may be connected to."""
        try:
            addresses = self._resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise GatewayError(f"The address of {target.host} cannot be found.") from error
        why = next(filter(None, map(self._judge, addresses)), "")
        if not is_typed and target.host != inside_host:
            # Of a name that leads to both worlds only what lies outside.
            addresses = [address for address in addresses if not self._is_inside(address)]
            why = why or ("" if addresses else "an address within our own network")
        if why:
            by = "leads to" if is_typed else "was redirected to, and is"
            raise GatewayError(f"{target.host} {by} {why}: not fetched.", permanent=True, code="address")
        return addresses

    def _ask(self, target: _Target, addresses: list[str], etag: str) -> FetchedCalendar | str:
        """The file, or where the server sends us instead."""
        try:
            with self._connection(target, addresses) as connection:
                connection.request("GET", target.path, headers=_headers(target, etag))
                with connection.getresponse() as response:
                    if response.status in _REDIRECTS:
                        return response.headers.get("Location", "")
                    _refuse_failure(target, response)
                    if response.status == 304:
                        return FetchedCalendar(None, etag)
                    return FetchedCalendar(self._read(target, response), _mark(response))
        except ssl.SSLCertVerificationError as error:
            text = f"The certificate of {target.host} is not valid: {error.verify_message}."
            raise GatewayError(text, permanent=True, code="certificate") from error
        except TimeoutError as error:
            raise GatewayError(f"{target.host} does not answer in time.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise GatewayError(f"{target.host} cannot be read: {type(error).__name__}.") from error

    @contextmanager
    def _connection(self, target: _Target, addresses: list[str]) -> Iterator[_Pinned]:
        """An open connection that is cut when its time is over, however slowly the other side speaks."""
        connection = self._open(target, addresses)
        sock, over = connection.sock, threading.Event()  # http.client forgets the socket before the last byte is read

        def cut() -> None:
            over.set()
            _shut(sock)

        timer = threading.Timer(self._limits.hop, cut)
        timer.daemon = True
        timer.start()
        try:
            yield connection
            if over.is_set():  # what was read stops somewhere
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            if over.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
            connection.close()

    def _open(self, target: _Target, addresses: list[str]) -> _Pinned:
        tls = self._tls if target.scheme == "https" else None
        for number, address in enumerate(addresses[:_MOST_ADDRESSES], start=1):
            connection = _Pinned(target, address, tls=tls, timeout=self._limits.step)
            try:
                connection.connect()
            except OSError:
                connection.close()
                if number == min(len(addresses), _MOST_ADDRESSES):
                    raise
            else:
                return connection
        raise OSError("no address")

    def _read(self, target: _Target, response: http.client.HTTPResponse) -> bytes:
        """The body, never more of it in memory than it may have."""
        coding = response.headers.get("Content-Encoding", "identity").lower()
        if coding not in ("identity", "gzip"):
            raise GatewayError(f"{target.host} sends it packed in a way we did not ask for.", permanent=True)
        unpack = zlib.decompressobj(31) if coding == "gzip" else None
        announced, came = response.headers.get("Content-Length"), 0
        data = bytearray()
        while came <= self._limits.size and len(data) <= self._limits.size:
            chunk = response.read(_CHUNK)
            if not chunk:
                break
            came += len(chunk)
            try:
                data += unpack.decompress(chunk, self._limits.size + 1 - len(data)) if unpack else chunk
            except zlib.error as error:
                raise GatewayError(f"What {target.host} sends is damaged.") from error
        else:
            text = f"The calendar of {target.host} is larger than {self._limits.size / 1_000_000:g} MB."
            raise GatewayError(text, permanent=True, code="size")
        if (announced is not None and came != int(announced)) or (unpack is not None and not unpack.eof):
            raise GatewayError(f"{target.host} broke off in the middle.")
        return bytes(data)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in found))


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it is closed already
        return


def _parse(url: str) -> _Target:
    """Raises GatewayError with a sentence for an address that is none of the web."""
    text = url.strip()
    if text.lower().startswith("webcal"):
        text = "https" + text[text.find(":") :]
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except (ValueError, UnicodeError):
        raise GatewayError("This is not an address of the web.", permanent=True, code="address") from None
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
        raise GatewayError("The address must begin with https:// or http://.", permanent=True, code="address")
    if parts.username is not None:
        raise GatewayError("An address with a password in it is not fetched.", permanent=True, code="address")
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    return _Target(parts.scheme, host, port, _ascii(f"{path}{query}"))


def _ascii(path: str) -> str:
    return "".join(one if one.isascii() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in path)


def _next(target: _Target, location: str) -> _Target:
    if not location:
        raise GatewayError(f"{target.host} redirects to nowhere.", permanent=True)
    following = _parse(urljoin(target.url, location))
    if (target.scheme, following.scheme) == ("https", "http"):
        raise GatewayError(f"{target.host} redirects to an address without encryption.", permanent=True, code="address")
    return following


def _headers(target: _Target, etag: str) -> dict[str, str]:
    headers = {
        "Host": target.netloc, "Accept": "text/calendar, */*;q=0.5", "Accept-Encoding": "identity",
        "User-Agent": "Nightdesk", "Connection": "close",
    }  # fmt: skip
    if etag:
        headers["If-None-Match" if etag.startswith(('"', 'W/"')) else "If-Modified-Since"] = etag
    return headers


def _refuse_failure(target: _Target, response: http.client.HTTPResponse) -> None:
    status = response.status
    if status in (200, 304):
        return
    after = response.headers.get("Retry-After", "")
    words = _GONE.get(status, f"answers with the error {status}")
    raise GatewayError(
        f"{target.host} {words}.",
        permanent=status < 500 and status not in (408, 425, 429),
        retry_after=float(after) if after.isascii() and after.isdecimal() else None,
        code=str(status),
    )


def _mark(response: http.client.HTTPResponse) -> str:
    """What to send along next time."""
    for name in ("ETag", "Last-Modified"):
        mark: str = response.headers.get(name, "").strip()
        if mark and len(mark) <= _MOST_ETAG and mark.isascii() and mark.isprintable():
            return mark
    return ""
