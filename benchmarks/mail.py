"""Mail in, from the mailbox to the committed ticket: `python -m benchmarks.mail [MAILS]`.

Prints parsing alone and the bare insert of the originals beside it, so that the overhead is visible, and the growth of
memory. The mailbox is a pretended one: no network is measured.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from portal.core.mail import parse_mail
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from tests.mails import multipart, part
from tests.services.mail_world import NOW, add_mailbox, make_mail_world

WORDS = [
    "printer", "server", "mail", "vpn", "login", "password", "screen", "slow",
    "broken", "again", "since", "morning", "error", "please", "help", "floor",
]  # fmt: skip
SENDERS = 40


def make_mail(number: int, dice: random.Random) -> bytes:
    """Text and HTML, every tenth with a picture, every fifth a reply to the one before."""
    sentences = [" ".join(dice.choices(WORDS, k=12)).capitalize() + "." for _ in range(dice.randint(3, 12))]
    text = "\r\n\r\n".join(sentences)
    html = "".join(f'<p style="margin:0">{sentence}</p>' for sentence in sentences)
    parts = [part("text/plain; charset=utf-8", text.encode()), part("text/html; charset=utf-8", html.encode())]
    body = multipart(parts, kind="alternative", boundary="inner", sender="", to="", subject="", message_id="", date="")
    files = [part("image/png", b"iVBORw0K" * 5000, Content_Transfer_Encoding="base64")] if number % 10 == 0 else []
    extra = {"In-Reply-To": f"<{number - 1}@bench.example>"} if number % 5 == 4 else {}
    sender = f"Dana {number % SENDERS} <dana{number % SENDERS}@customer.example>"
    subject = " ".join(dice.choices(WORDS, k=5))
    return multipart(
        [body.lstrip(), *files], sender=sender, subject=subject, message_id=f"<{number}@bench.example>", extra=extra
    )


def seconds(work: Callable[[], object]) -> float:
    """How long it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def drain(step: Callable[[], bool]) -> None:
    """Until nothing is left."""
    while step():
        continue


def report(what: str, took: float, number: int) -> None:
    """One line."""
    print(f"{what:<28} {1000 * took / number:8.2f} ms a mail {number / took:8.0f} mails/s")


def main(number: int) -> None:
    """Take in that many mails."""
    dice = random.Random(7)
    raws = [make_mail(n, dice) for n in range(number)]
    print(f"{number} mails of {sum(map(len, raws)) / number / 1000:.1f} kB")
    report("parse only", seconds(lambda: [parse_mail(raw) for raw in raws]), number)
    with tempfile.TemporaryDirectory() as folder:
        world = make_mail_world(Path(folder))
        add_mailbox(world)
        mailbox = world.mail.add("imap.shop.example")
        drain(lambda: fetch_next(world))
        for raw in raws:
            mailbox.deliver(raw, at=NOW)
        world.clock.move(20)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        fetching = seconds(lambda: drain(lambda: fetch_next(world)))
        taking = seconds(lambda: drain(lambda: take_next(world)))
        report("originals to the ledger", fetching, number)
        report("ledger to tickets", taking, number)
        report("mailbox to committed ticket", fetching + taking, number)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(f"memory grew by {grown / 1024:.0f} MB")
        world.database.dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
