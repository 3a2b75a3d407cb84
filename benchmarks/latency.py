"""From the form's post, and from the mail in the mailbox, to the text handed to the provider (sandbox).

`python -m benchmarks.latency [POSTS]`. Goals: form p95 at most 1 s, also while 5,000 mails are imported; mail at most
the poll interval (5 s here) + 1 s; in polled mode the same + 0.5 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from portal.models import MailboxRow
from tests.chaos.post import write_post
from tests.dovecot import running_dovecot
from tests.runtime.running import eventually
from tests.smtp_sink import running_smtp_sink
from tests.stories.shop import CHRISTMAS_NIGHT, NUMBERS, Shop

IMPORTED = 5000


@contextmanager
def open_shop(queue: str) -> Iterator[Shop]:
    """A running shop at night."""
    os.environ["NIGHTDESK_TEST_QUEUE"] = queue
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), at=CHRISTMAS_NIGHT)
        try:
            yield shop
        finally:
            shop.close()


def wait_for_text(shop: Shop, subject: str) -> datetime:
    """When the provider took the text about this request to Bob: by its own clock."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        for text in shop.phones.list_texts():
            if text.to == NUMBERS["bob"] and subject in text.text:
                return text.created_at
        time.sleep(0.01)
    raise AssertionError(f"no text about {subject}")


def time_forms(shop: Shop, posts: int, label: str) -> list[float]:
    """Seconds from just before the post until the provider has it."""
    seconds = []
    for number in range(posts):
        subject = f"{label} {number} down"
        began = datetime.now(UTC)
        shop.post_form(subject=subject, body="Nobody can work.", emergency="declared", phone="+49 30 123")
        seconds.append((wait_for_text(shop, subject) - began).total_seconds())
    return seconds


def time_mails(shop: Shop, dovecot: object, mails: int) -> list[float]:
    """Seconds from the mail lying in the mailbox until the provider has the text.

    Half an hour of product time lies between two mails, and the page before is taken: what follows at once for the
    same person is bundled, on purpose. Each mail arrives at another point of the poll interval.
    """
    seconds = []
    for number in range(mails):
        shop.move(minutes=30)
        since = shop.context.clock.now()
        eventually(lambda since=since: shop.rows(MailboxRow)[0].last_ok_at > since, what="the next read")
        time.sleep(5 * number / mails)
        subject = f"Server {number} is down"
        shop.mail(dovecot, subject, "Nobody in the whole company can work.", at=shop.context.clock.now())
        began = datetime.now(UTC)
        seconds.append((wait_for_text(shop, subject) - began).total_seconds())
        shop.answer("bob", "a")
    return seconds


def report(title: str, seconds: list[float]) -> None:
    """Median, p95 and the longest."""
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    print(
        f"{title:44} p50 {statistics.median(seconds):6.2f} s   p95 {p95:6.2f} s   max {max(seconds):6.2f} s", flush=True
    )


def while_importing(posts: int) -> None:
    """The form beside an import of 5,000 mails by another process."""
    with open_shop("rq") as shop, tempfile.TemporaryDirectory() as mails:
        for number, letter in enumerate(write_post(IMPORTED, around=False)):
            (Path(mails) / f"{number}.eml").write_bytes(letter.raw)
        shop.start()
        command = [sys.executable, "-m", "portal.cli", "mail", "import", mails]
        with subprocess.Popen(command, env={**os.environ, **shop.environ}, stdout=subprocess.DEVNULL) as importing:
            seconds = time_forms(shop, posts, "Beside")
            was_busy = importing.poll() is None or any(row.state == "stored" for row in shop.ledger())
            report(f"form to text, {IMPORTED} mails being imported", seconds)
            print(f"{'':44} the import was {'still' if was_busy else 'NOT'} going on at the end", flush=True)
            importing.kill()


def main() -> None:
    """Print one line for each case."""
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    for queue in ("rq", "polled"):
        with open_shop(queue) as shop:
            shop.start()
            time_forms(shop, 2, "Warm")
            report(f"form to text, {queue}", time_forms(shop, posts, "Form"))
    while_importing(posts)
    for queue in ("rq", "polled"):
        with open_shop(queue) as shop, running_dovecot() as dovecot, running_smtp_sink() as sink:
            shop.add_mailbox(dovecot, sink)
            shop.start()
            shop.wait_for_first_read()
            report(f"mail to text, read every 5 s, {queue}", time_mails(shop, dovecot, max(5, posts // 4)))


if __name__ == "__main__":
    main()
