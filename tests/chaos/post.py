"""The post of a busy week: realistic mails of many makes, each with what must become of it.

The same number always gives the same mails. Exactly one mail in the set makes each ticket; around the tickets lie the
mails that must make none: replies, the same mail again, out-of-office answers.
"""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime, formataddr

CRLF = b"\r\n"
SCANNER_ID = "<scan@device.example>"
SENT = datetime(2025, 11, 17, 7, 30, tzinfo=UTC)
NAMES = (
    "Dana Reyes", "Jürgen Müller", "Åsa Lindqvist", "François Noël", "Li Wei", "Olga Петрова", "Tom O'Neil",
    "María José Núñez", "Bob \"the box\" Lee", "Nguyễn Thị Minh", "Kim, Soo-jin", "dana",
)  # fmt: skip
THINGS = ("printer", "VPN", "laptop", "Outlook", "server", "phone", "badge", "docking station", "share", "licence")
TROUBLES = (
    "does not answer since this morning", "asks for a password again and again", "is very slow", "is missing",
    "shows error 0x80070005", "makes a strange noise", "prints only black pages", "cannot be reached from home",
)  # fmt: skip
GREETINGS = ("Hello,", "Hi team,", "Guten Morgen,", "Bonjour,", "Hola,", "Beste,", "")
ENDINGS = ("Thanks\nDana", "Kind regards\n\n-- \nDana Reyes\nAcme Ltd, +49 30 1234567", "Mit freundlichen Grüßen", "")


@dataclass(frozen=True)
class Letter:
    """One mail. `verdict` and `of` say what must become of it: `of` is the number of the letter whose ticket it joins.

    `is_answered`: its sender is a person who gets a confirmation.
    """

    number: int
    raw: bytes = field(repr=False)
    verdict: str = "ticket"
    of: int = -1
    is_answered: bool = True
    files: int = 0


class _Writer:
    """Writes one letter: headers in order, then a body."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self.number = number
        self.dice = dice
        person = dice.randrange(len(NAMES) * 12)
        self.name = NAMES[person % len(NAMES)]
        self.email = f"p{person}@customer{person % 37}.example"
        self.subject = f"{dice.choice(THINGS)} {dice.choice(TROUBLES)}"
        self.message_id = f"<{number}.{dice.randrange(10**9)}@mail{person % 37}.example>"
        self.at = SENT + timedelta(minutes=number)
        self.extra: list[tuple[str, str]] = []

    def text(self) -> str:
        """A few sentences with the case's number in them."""
        count = self.dice.randint(1, 9)
        said = [f"The {self.dice.choice(THINGS)} {self.dice.choice(TROUBLES)}." for _ in range(count)]
        said.insert(self.dice.randrange(len(said) + 1), f"This is case {self.number}.")
        return "\n".join((self.dice.choice(GREETINGS), "", *said, "", self.dice.choice(ENDINGS)))

    def head(self, **changes: str) -> bytes:
        """The top of the mail; an empty value leaves a header out."""
        name = self.name if self.name.isascii() else Header(self.name, "utf-8").encode(linesep="\r\n")
        subject = self.subject if self.subject.isascii() else Header(self.subject, "utf-8").encode(linesep="\r\n")
        headers = {
            "Received": f"from mx{self.number % 7}.example by mx.shop.example; {format_datetime(self.at)}",
            "From": f"{name} <{self.email}>" if "=?" in name else formataddr((name, self.email)),
            "To": "Help <help@shop.example>",
            "Subject": subject,
            "Message-ID": self.message_id,
            "Date": format_datetime(self.at),
            "MIME-Version": "1.0",
        }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        lines = [f"{name}: {value}".encode() for name, value in (*headers.items(), *self.extra) if value]
        return CRLF.join(lines) + CRLF

    def with_body(self, kind: str, body: bytes, encoding: str = "", **changes: str) -> bytes:
        """A mail of one part."""
        return self.head(**changes) + _part(kind, body, encoding)

    def with_parts(self, kind: str, *parts: bytes, **changes: str) -> bytes:
        """A mail of several ready parts."""
        return self.head(**changes) + _parts(kind, *parts, boundary=f"=_{self.number}_x")


def _part(kind: str, body: bytes, encoding: str = "", **headers: str) -> bytes:
    if encoding == "base64":
        body = base64.encodebytes(body)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(body)
    lines = [f"Content-Type: {kind}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if encoding:
        lines.append(f"Content-Transfer-Encoding: {encoding}")
    body = body.replace(b"\r\n", b"\n").replace(b"\n", CRLF)
    return CRLF.join(line.encode() for line in lines) + CRLF + CRLF + body


def _parts(kind: str, *parts: bytes, boundary: str) -> bytes:
    mark = b"--" + boundary.encode()
    body = b"".join(mark + CRLF + part + CRLF for part in parts) + mark + b"--" + CRLF
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"'.encode() + CRLF + CRLF + body


def _html(text: str) -> str:
    lines = "".join(f'<p style="margin:0;color:#123"><span>{line}</span></p>' for line in text.split("\n"))
    return f"<html><head><style>p{{margin:0}}</style></head><body><div>{lines}<br></div></body></html>"


def _file(dice: random.Random, name: str, kind: str, size: int) -> bytes:
    return _part(kind, dice.randbytes(size), "base64", Content_Disposition=f'attachment; filename="{name}"')


# Makes of mail: each gives the bytes and how many files they hold.


def _plain(writer: _Writer) -> tuple[bytes, int]:
    return writer.with_body("text/plain; charset=utf-8", writer.text().encode(), "8bit"), 0


def _bare(writer: _Writer) -> tuple[bytes, int]:
    """From a script: no MIME at all, no Message-ID."""
    body = writer.text().encode("ascii", "replace").replace(b"\n", CRLF)
    return writer.head(MIME_Version="", Message_ID="") + CRLF + body, 0


def _nameless(writer: _Writer) -> tuple[bytes, int]:
    """From a device that gives neither an id nor a date."""
    body = writer.text().encode("ascii", "replace").replace(b"\n", CRLF)
    return writer.head(MIME_Version="", Message_ID="", Date="") + CRLF + body, 0


def _alternative(writer: _Writer) -> tuple[bytes, int]:
    text = writer.text()
    plain = _part("text/plain; charset=utf-8", text.encode(), "quoted-printable")
    return writer.with_parts("alternative", plain, _part("text/html; charset=utf-8", _html(text).encode(), "base64")), 0


def _html_only(writer: _Writer) -> tuple[bytes, int]:
    body = _html(writer.text()).encode("windows-1252", "xmlcharrefreplace")
    return writer.with_body("text/html; charset=windows-1252", body, "quoted-printable"), 0


def _flowed_latin(writer: _Writer) -> tuple[bytes, int]:
    body = writer.text().encode("iso-8859-1", "replace")
    return writer.with_body("text/plain; charset=iso-8859-1; format=flowed", body, "8bit"), 0


def _japanese(writer: _Writer) -> tuple[bytes, int]:
    body = f"プリンターが動きません。\nThis is case {writer.number}.\n".encode("iso-2022-jp")
    return writer.with_body("text/plain; charset=iso-2022-jp", body, "7bit"), 0


def _russian(writer: _Writer) -> tuple[bytes, int]:
    writer.subject = "Не работает принтер на втором этаже"
    body = f"Здравствуйте, принтер не печатает. This is case {writer.number}.\n".encode("koi8-r")
    return writer.with_body("text/plain; charset=koi8-r", body, "base64"), 0


def _with_files(writer: _Writer) -> tuple[bytes, int]:
    files = [
        _file(writer.dice, "Bildschirmfoto 1.png", "image/png", writer.dice.randint(2_000, 60_000)),
        _file(writer.dice, "=?utf-8?b?w5xiZXJzaWNodC5wZGY=?=", "application/pdf", writer.dice.randint(1_000, 30_000)),
    ][: writer.dice.randint(1, 2)]
    text = _part("text/plain; charset=utf-8", writer.text().encode(), "quoted-printable")
    return writer.with_parts("mixed", text, *files), len(files)


def _with_picture(writer: _Writer) -> tuple[bytes, int]:
    text = writer.text()
    html = _html(text).replace("<br>", '<img src="cid:logo@acme">')
    picture = _part(
        "image/png; name=logo.png", writer.dice.randbytes(3_000), "base64",
        Content_ID="<logo@acme>", Content_Disposition="inline; filename=logo.png",
    )  # fmt: skip
    related = _parts("related", _part("text/html; charset=utf-8", html.encode(), "base64"), picture, boundary="rel")
    plain = _part("text/plain; charset=utf-8", text.encode(), "quoted-printable")
    return writer.with_parts("alternative", plain, related), 1


def _with_log(writer: _Writer) -> tuple[bytes, int]:
    log = "\n".join(f"{n:06} ERROR 0x{writer.dice.randrange(16**8):08x} in svchost" for n in range(8_000))
    text = _part("text/plain; charset=utf-8", writer.text().encode(), "8bit")
    log_part = _part("text/x-log; name=app.log", log.encode(), Content_Disposition="attachment; filename=app.log")
    return writer.with_parts("mixed", text, log_part), 1


def _forwarded(writer: _Writer) -> tuple[bytes, int]:
    inner = _Writer(writer.number + 100_000, writer.dice)
    attached = _part("message/rfc822", inner.with_body("text/plain; charset=utf-8", b"See below.\n", "8bit"))
    text = _part("text/plain; charset=utf-8", writer.text().encode(), "8bit")
    writer.subject = f"Fwd: {writer.subject}"
    return writer.with_parts("mixed", text, attached), 1


def _quoting_elsewhere(writer: _Writer) -> tuple[bytes, int]:
    """A conversation that began without us."""
    writer.subject = f"Re: {writer.subject}"
    writer.extra.append(("In-Reply-To", writer.message_id.replace("<", "<elsewhere.")))
    body = writer.text() + "\n\nAm 12.11.2025 um 10:00 schrieb Partner:\n> Please ask your help desk.\n> Partner\n"
    return writer.with_body("text/plain; charset=utf-8", body.encode(), "quoted-printable"), 0


def _odd_date(writer: _Writer) -> tuple[bytes, int]:
    date = writer.dice.choice(("Thu, 01 Jan 1970 00:00:00 +0000", "Mon, 01 Jan 2099 00:00:00 +0000", "yesterday", ""))
    return writer.with_body("text/plain; charset=utf-8", writer.text().encode(), "8bit", Date=date), 0


def _broken(writer: _Writer) -> tuple[bytes, int]:
    """A charset nobody knows, an unclosed boundary, bytes above 127 in the subject."""
    head = writer.head(Subject="").rstrip(CRLF) + CRLF + "Subject: Störung am Gerät".encode("latin-1") + CRLF
    body = _parts("mixed", _part("text/plain; charset=x-unknown", writer.text().encode(), "8bit"), boundary="b")
    return head + body.replace(b"--b--", b""), 0


def _by_alias(writer: _Writer) -> tuple[bytes, int]:
    many = ", ".join(f"Team {n} <team{n}@shop.example>" for n in range(40))
    body = writer.text().encode()
    return writer.with_body("text/plain; charset=utf-8", body, "8bit", To="support@shop.example", Cc=many), 0


def _scanner(writer: _Writer) -> tuple[bytes, int]:
    """A device that gives each of its mails the same Message-ID."""
    file = _file(writer.dice, "scan.pdf", "application/pdf", 5_000)
    text = _part("text/plain; charset=utf-8", writer.text().encode(), "8bit")
    return writer.with_parts("mixed", text, file, Message_ID=SCANNER_ID), 1


MAKES: tuple[tuple[Callable[[_Writer], tuple[bytes, int]], int], ...] = (
    (_alternative, 30), (_plain, 16), (_html_only, 10), (_with_files, 9), (_with_picture, 7), (_bare, 4),
    (_flowed_latin, 4), (_quoting_elsewhere, 4), (_forwarded, 3), (_odd_date, 3), (_by_alias, 3), (_japanese, 2),
    (_russian, 2), (_broken, 2), (_with_log, 1), (_scanner, 1), (_nameless, 2),
)  # fmt: skip


def write_post(tickets: int, *, around: bool = True, seed: int = 7) -> list[Letter]:
    """As many letters as make that many tickets and, with `around`, about an eighth more that must make none."""
    dice = random.Random(seed)
    letters: list[Letter] = []
    heads: dict[int, _Writer] = {}
    makes, weights = zip(*MAKES, strict=True)
    made = 0
    while made < tickets:
        number = len(letters)
        if around and made > 2 and dice.random() < 0.12:
            letters.append(_no_ticket(number, dice, letters, heads))
            continue
        made += 1
        writer = heads[number] = _Writer(number, dice)
        # Every make once at the start, so that a small sample holds all of them.
        make = makes[made - 1] if made <= len(makes) else dice.choices(makes, weights)[0]
        is_machine = number % 30 == 29
        if is_machine:
            writer.extra.append(("Auto-Submitted", "auto-generated"))
        raw, files = make(writer)
        letters.append(Letter(number, raw, is_answered=not is_machine, files=files))
    return letters


def _no_ticket(number: int, dice: random.Random, letters: list[Letter], heads: dict[int, _Writer]) -> Letter:
    """A reply to a letter, an out-of-office answer to one, or a letter again."""
    # One that can be referred to.
    parents = [
        n
        for n in heads
        if n > number - 60 and letters[n].is_answered and heads[n].message_id.encode() in letters[n].raw
    ]
    parent = heads[dice.choice(parents)]
    if number % 3 == 0:
        return Letter(number, letters[parent.number].raw, verdict="duplicate", of=parent.number, is_answered=False)
    writer = _Writer(number, dice)
    writer.name, writer.email, writer.subject = parent.name, parent.email, f"Re: {parent.subject}"
    writer.extra += [("In-Reply-To", parent.message_id), ("References", parent.message_id)]
    verdict = "reply"
    if number % 3 == 1 and dice.random() < 0.5:
        writer.extra.append(("Auto-Submitted", "auto-replied"))
        verdict = "automatic"
    raw, files = dice.choice((_plain, _alternative, _with_files))(writer)
    return Letter(number, raw, verdict=verdict, of=parent.number, is_answered=False, files=files)
