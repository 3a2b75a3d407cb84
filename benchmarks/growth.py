"""How cost grows from 10k to 100k to 1M tickets: medians of one interleaved run, and ratios to the smallest size.

`python -m benchmarks growth [--sizes 10000,100000,1000000] [--rounds 40]`
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from benchmarks.seed import seed
from portal.app import create_app
from portal.config import Config
from portal.models import MailboxRow, MailLedger, SessionBlobStore, User
from portal.services.mail_intake import take_next
from portal.wiring import build

_serial = count(1)


class Site:
    """One size: a signed-in client, and the operations."""

    def __init__(self, folder: Path, size: int) -> None:
        self.size = size
        self.config = Config(data_dir=folder, env="testing", queue="polled")
        began = time.monotonic()
        seed(folder / "nightdesk.sqlite3", size).dispose()
        self.seconds = time.monotonic() - began
        self.context = build(self.config)
        app = create_app(self.config, self.context)
        app.config.update(WTF_CSRF_ENABLED=False, TESTING=True)
        self.client = app.test_client()
        with self.context.database.read_session() as session:
            user = session.query(User).filter_by(email="alice@acme.example").one()
        with self.client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = f"{user.id}.{user.session_epoch}", True

    def get(self, path: str) -> Callable[[], None]:
        def run() -> None:
            response = self.client.get(path)
            assert response.status_code == 200, (path, response.status_code)

        return run

    def create(self) -> None:
        """A ticket by staff, through the page."""
        n = next(_serial)
        data = {
            "subject": f"Bench {n}", "body": "It is slow.", "email": f"b{n % 40}@c.example", "name": "B",
            "priority": "3", "queue": "", "category": "", "assignee": "",
        }  # fmt: skip
        response = self.client.post("/tickets/new", data=data)
        assert response.status_code == 303, (response.status_code, response.get_data(as_text=True)[:2000])

    def mail(self) -> None:
        """One mail from stored original to ticket."""
        n = next(_serial)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = (
            f"Dana <d{n % 40}@c.example>",
            "help@acme.example",
            f"Printer {n}",
        )
        message["Message-ID"], message["Date"] = f"<bench{n}@c.example>", datetime.now(UTC)
        message["References"] = f"<{n % self.size + 1}x@c.example>"
        message.set_content("The printer is broken. " * 20)
        _take_one(self.context, message.as_bytes(), n)


def _take_one(context, raw: bytes, n: int) -> None:
    now = context.clock.now()
    with context.database.unit_of_work() as uow:
        box = uow.session.query(MailboxRow).filter_by(kind="files").first()
        if box is None:
            box = MailboxRow(name="Bench", kind="files", address="help@acme.example", next_at=now)
            uow.session.add(box)
            uow.session.flush()
        sha256 = SessionBlobStore(uow.session).put(raw)
        uow.session.add(
            MailLedger(
                mailbox_id=box.id,
                folder="",
                provider_id=f"bench{n}",
                received_at=now,
                listed_at=now,
                sha256=sha256,
                size=len(raw),
                state="stored",
                due_at=now,
            )
        )
    assert take_next(context, pause=lambda seconds: None)


def operations(site: Site) -> dict[str, Callable[[], None]]:
    """What is timed, by name."""
    middle, last = site.size // 2, 60
    return {
        "open list": site.get("/tickets"),
        "list by status": site.get("/tickets?status=closed"),
        "list by queue": site.get("/tickets?status=&queue=1"),
        "list by priority": site.get("/tickets?status=&priority=1"),
        "list by customer": site.get("/tickets?status=any&customer=1"),
        "list by assignee": site.get("/tickets?status=&assignee=1"),
        "list, by last change": site.get("/tickets?sort=changed"),
        "list, middle page": site.get(f"/tickets?status=&older={middle}"),
        "list, last page": site.get(f"/tickets?status=&older={last}"),
        "ticket page": site.get(f"/tickets/{middle}"),
        "dashboard": site.get("/dashboard"),
        "search, common word": site.get("/tickets?status=&q=printer"),
        "search, rare word": site.get("/tickets?status=&q=zephyr"),
        "search, two words": site.get("/tickets?status=&q=printer+toner"),
        "create": site.create,
        "mail to ticket": site.mail,
    }


def main(arguments: list[str]) -> None:
    """Seed, warm up, measure interleaved, print."""
    parser = argparse.ArgumentParser(prog="benchmarks growth")
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args(arguments)
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as root:
        sites = []
        for size in sizes:
            folder = Path(root) / str(size)
            folder.mkdir()
            sites.append(Site(folder, size))
            print(f"seeded {size:>9,} tickets in {sites[-1].seconds:.0f} s", flush=True)
        print(f"\n{'p50 ms':24}" + "".join(f"{size:>12,}" for size in sizes) + "   ratios to the first")
        for name in operations(sites[0]):
            times: dict[int, list[float]] = {site.size: [] for site in sites}
            runs = [(site.size, operations(site)[name]) for site in sites]
            for number in range(options.rounds + 3):
                for size, run in runs:
                    began = time.perf_counter()
                    run()
                    if number >= 3:
                        times[size].append((time.perf_counter() - began) * 1000)
            medians = [statistics.median(times[size]) for size in sizes]
            ratios = "  ".join(f"{median / medians[0]:.2f}" for median in medians[1:])
            print(f"{name:24}" + "".join(f"{median:12.2f}" for median in medians) + f"   {ratios}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
