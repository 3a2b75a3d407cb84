"""Mails damaged in every way that a wire, a disk or a mail program can: never an exception, never much time."""

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.core.invitations import read_invitation
from portal.core.mail import parse_mail
from portal.core.mail_kinds import decide_kind
from portal.core.mail_report import describe_mail
from portal.core.quoting import mark_quotes
from portal.services.sanitize import sanitize_as_sent, sanitize_html
from tests.core.test_mail_shapes import SHAPES
from tests.mails import DELIVERY_REPORT

CORPUS = Path(os.environ.get("NIGHTDESK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora")) / "mail"
LARGEST = 200_000
SECONDS = 5.0


def originals() -> list[bytes]:
    wild = [path.read_bytes()[:LARGEST] for path in sorted(CORPUS.glob("*.eml"))]
    return [*wild, DELIVERY_REPORT, *(raw for raw, _, _ in SHAPES.values() if raw)]


def flip(raw: bytes, chance: random.Random) -> bytes:
    data = bytearray(raw)
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def cut(raw: bytes, chance: random.Random) -> bytes:
    start = chance.choice((0, 0, chance.randrange(len(raw))))
    return raw[start : chance.randint(start, len(raw))]


def repeat(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw))
    piece = raw[start : start + chance.choice((3, 80, 2000, 20_000))]
    return raw[:start] + piece * chance.choice((2, 3, 50)) + raw[start:]


def shuffle(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    start = chance.randrange(len(lines))
    few = lines[start : start + chance.choice((3, 20, 5000))]
    chance.shuffle(few)
    return b"\n".join([*lines[:start], *few, *lines[start + len(few) :]])


def drop_lines(raw: bytes, chance: random.Random) -> bytes:
    return b"\n".join(line for line in raw.split(b"\n") if chance.random() > 0.05)


def graft(raw: bytes, chance: random.Random) -> bytes:
    other = chance.choice(ORIGINALS)
    return raw[: chance.randrange(len(raw))] + other[chance.randrange(len(other)) :]


def end_lines_otherwise(raw: bytes, chance: random.Random) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\n", chance.choice((b"\r", b"\r\r\n", b"\n\n", b"\n", b"\r\n")))


def swap_values(raw: bytes, chance: random.Random) -> bytes:
    old, new = chance.choice(
        [
            (b"base64", b"quoted-printable"), (b"quoted-printable", b"base64"), (b"text/plain", b"text/html"),
            (b"text/html", b"text/plain"), (b"utf-8", b"utf-16"), (b"multipart/", b"message/"), (b"boundary", b"x"),
            (b"alternative", b"digest"), (b": ", b":"), (b'"', b""), (b"=?", b"=?="), (b"charset=", b"charset=zip"),
            (b"text/plain", b"application/ms-tnef"), (b"text/html", b"text/enriched"), (b">", b""), (b"-", b"--"),
            (b"text/plain", b"application/pkcs7-mime"), (b"iso-8859-1", b"iso-2022-jp"), (b"utf-8", b"utf-7"),
        ]
    )  # fmt: skip
    return raw.replace(old, new)


ORIGINALS = originals()
DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip, cut, repeat, shuffle, drop_lines, graft, end_lines_otherwise, swap_values,
)  # fmt: skip


def check(raw: bytes) -> None:
    """All that is done to a mail on its way to the page."""
    started = time.process_time()
    mail = parse_mail(raw)
    kind = decide_kind(mail, own_addresses=("help@shop.example",), is_own_id=lambda one: False)
    shown = json.dumps(describe_mail(mail, kind=kind), ensure_ascii=False)
    assert "\\u0000" not in shown and shown.encode("utf-8")
    assert "\n".join(part.text for part in mark_quotes(mail.text, subject=mail.subject, for_page=True)) == mail.text
    safe = sanitize_html(mail.html) + sanitize_as_sent(mail.html, with_remote=False)
    assert "<script" not in safe and "<meta" not in safe
    for file in mail.attachments:
        assert file.filename and "/" not in file.filename and "\\" not in file.filename and len(file.filename) <= 255
        read_invitation(file.data)
    assert time.process_time() - started < SECONDS


def damaged(chance: random.Random) -> bytes:
    raw = chance.choice(ORIGINALS)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        raw = chance.choice(DAMAGES)(raw, chance)[: 2 * LARGEST] or b"x"
    return raw


def read_damaged(seed: str, count: int) -> None:
    chance = random.Random(seed)
    for number in range(count):
        raw = damaged(chance)
        try:
            check(raw)
        except Exception as error:
            error.add_note(f"seed {seed}, mail {number}: {raw[:2000]!r}")
            raise


def test_damaged_mails_are_read_within_their_budget():
    read_damaged("few", 40)


@pytest.mark.more
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", ["a", "b", "c"])
def test_thousands_of_damaged_mails_are_read_within_their_budget(seed):
    read_damaged(seed, 1500)
