"""A small IMAP server that tells the truth unless it is told to lie, hang, or hang up."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

CRLF = b"\r\n"
_NIGHT = datetime(2025, 12, 25, 2, 10, tzinfo=UTC)


class ScriptedImap:
    """One mailbox with `mails` by uid, in INBOX or another `folder`; None: whatever it is called. Everything else is a
    fault that a test switches on.

    `hang_up_after`: commands after which the connection ends (`{"FETCH"}`); `poison`: uids at whose FETCH it ends;
    `refused`: uids whose FETCH is answered NO; `headless`: those whose header is refused too; `sizeless`: those whose
    size cannot be said; `dateless`: nor their date. `dates`: INTERNALDATE by uid, where it is another. `answer`: called
    with (command line) before the usual answer, what it returns is sent instead; without a $TAG the connection ends
    with it.
    """

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.folder: str | None = "INBOX"
        self.uidvalidity, self.uidnext = 7, 0
        self.says_uidnext = True
        self.hang_up_after: set[str] = set()
        self.poison: set[int] = set()
        self.refused: set[int] = set()
        self.headless: set[int] = set()
        self.sizeless: set[int] = set()
        self.dateless: set[int] = set()
        self.dates: dict[int, datetime] = {}
        self.answer: Callable[[str], bytes | None] = lambda command: None
        self.silent = False
        self.capabilities = "IMAP4rev1"
        self.token = ""
        self.commands: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def next_uid(self) -> int:
        """The number that the next mail gets."""
        return max(self.uidnext, max(self.mails, default=0) + 1)

    def close(self) -> None:
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
            self._open.append(client)
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, client.makefile("rb") as lines:
            if self.silent:
                lines.read()
                return
            client.sendall(b"* OK ready" + CRLF)
            for line in lines:
                tag, _, command = line.decode().strip().partition(" ")
                self.commands.append(command)
                name = command.upper().removeprefix("UID ").split(" ")[0]
                data = self.answer(command)
                if data is None:
                    data = self._usual(tag, name, command, client, lines)
                # Before the answer: afterwards the test goes on. An answer without an end is the last.
                is_last = name in self.hang_up_after or b"$TAG" not in data
                client.sendall(data.replace(b"$TAG", tag.encode()))
                if is_last:
                    return

    def _usual(self, tag: str, name: str, command: str, client: socket.socket, lines) -> bytes:
        if name == "CAPABILITY":
            return f"* CAPABILITY {self.capabilities}\r\n$TAG OK done\r\n".encode()
        if name == "AUTHENTICATE":
            return self._authenticate(client, lines)
        if name == "EXAMINE":
            if self.folder is not None and f'"{self.folder}"' not in command:
                return b"$TAG NO [NONEXISTENT] Mailbox doesn't exist\r\n"
            return (
                f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.uidvalidity}]\r\n"
                + (f"* OK [UIDNEXT {self.next_uid()}]\r\n" if self.says_uidnext else "")
                + "$TAG OK [READ-ONLY]\r\n"
            ).encode()
        if name == "SEARCH":
            first = int(found.group(1)) if (found := re.search(r"UID (\d+):", command)) else 1
            uids = [uid for uid in sorted(self.mails) if uid >= first] or sorted(self.mails)[-1:]
            return b"* SEARCH " + " ".join(map(str, uids)).encode() + CRLF + b"$TAG OK done\r\n"
        if name == "FETCH":
            return self._fetch(command)
        return b"$TAG OK done\r\n"

    def _authenticate(self, client: socket.socket, lines) -> bytes:
        client.sendall(b"+ \r\n")
        said = base64.b64decode(lines.readline()).decode()
        if f"auth=Bearer {self.token}\x01" in said and self.token:
            return b"$TAG OK welcome\r\n"
        client.sendall(b"+ " + base64.b64encode(b'{"status":"400","schemes":"bearer"}') + CRLF)
        assert lines.readline() == CRLF, "the challenge must be answered by nothing"
        return b"$TAG NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"

    def _fetch(self, command: str) -> bytes:
        asked = [int(uid) for uid in command.split(" ")[2].split(",") if int(uid) in self.mails]
        is_whole, out = "BODY.PEEK[]" in command, b""
        for uid in asked:
            raw = self.mails[uid]
            if "INTERNALDATE" in command:
                if uid in (self.sizeless if "RFC822.SIZE" in command else self.dateless):
                    return out + b"$TAG NO [SERVERBUG] Internal error occurred\r\n"
                date = f"{self.dates.get(uid, _NIGHT):%d-%b-%Y %H:%M:%S %z}"
                size = f"RFC822.SIZE {len(raw)} " if "RFC822.SIZE" in command else ""
                out += f'* {uid} FETCH (UID {uid} {size}INTERNALDATE "{date}")\r\n'.encode()
                continue
            if uid in self.headless or (is_whole and uid in self.refused):
                return out + b"$TAG NO [SERVERBUG] cannot read this message\r\n"
            data = raw if is_whole else raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            item = "BODY[]" if is_whole else "BODY[HEADER]"
            out += f"* {uid} FETCH (UID {uid} {item} {{{len(data)}}}\r\n".encode()
            if is_whole and uid in self.poison:
                raise OSError("the server dies of this mail")
            out += data + b")\r\n"
        return out + b"$TAG OK done\r\n"


@contextmanager
def scripted_imap() -> Iterator[ScriptedImap]:
    """A server of its own, closed at the end."""
    server = ScriptedImap()
    try:
        yield server
    finally:
        server.close()
