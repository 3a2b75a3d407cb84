"""Mail in, from a real mailbox (Dovecot) to the committed ticket: `python -m benchmarks.mail [MAILS] [FOR_MEMORY]`.

Beside it stand parsing alone and the bare rows (originals, ledger, tickets, messages) written with plain `executemany`,
so that the overhead is visible. Then memory: the intake process alone, over many mails. Linux only.
"""

from __future__ import annotations

import imaplib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from portal.config import Config
from portal.core.mail import parse_mail
from portal.models import Base, Database
from portal.models.schema import upgrade
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.mail_fetch import fetch_next
from portal.services.mail_intake import take_next
from portal.services.mailboxes import MailboxForm, Server, save_mailbox
from portal.wiring import build
from tests.chaos.post import write_post
from tests.dovecot import Dovecot, running_dovecot

PARENTS = ("user", "queue", "category", "requester", "mailbox", "mail_rule")
BATCH = 50
USER, PASSWORD = "help", "secret"
MEMORY_STEP = 1000


# The mailbox


def open_site(folder: Path, dovecot: Dovecot) -> Context:
    """A set-up site whose empty mailbox has been read once."""
    dovecot.create_user(USER, PASSWORD)
    context = build(Config(data_dir=folder, queue="polled"))
    upgrade(context.database)
    imap = Server("127.0.0.1", dovecot.port, "plain", USER, PASSWORD)
    form = MailboxForm("Help", "help@shop.example", imap, Server("", 587, "starttls"), interval_s=5)
    with context.database.unit_of_work() as uow:
        save_mailbox(uow, form, box=context.box, change=Change(None, context.clock.now()))
    drain(lambda: fetch_next(context))
    time.sleep(1.1)  # what arrives in the second of the first connection counts as old mail, taken in with pauses
    return context


def deliver(dovecot: Dovecot, raws: Sequence[bytes]) -> None:
    """Put mails into the mailbox."""
    client = dovecot.connect(USER, PASSWORD)
    date = imaplib.Time2Internaldate(datetime.now(UTC))
    for raw in raws:
        status, data = client.append("INBOX", "", date, raw)
        assert status == "OK", data
    client.logout()


def wait_until_due(context: Context) -> None:
    """The mailbox is read again at once."""
    with context.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE mailbox SET next_at = 0")


# Measuring


@dataclass(frozen=True)
class Spent:
    """Seconds on the wall and of this process's own computing: what differs was waiting, or somebody else's turn."""

    wall: float
    cpu: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


def measure(work: Callable[[], object]) -> Spent:
    """What it took."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - began, time.process_time() - used)


def drain(step: Callable[[], bool]) -> None:
    """Until nothing is left."""
    while step():
        continue


def report(what: str, took: Spent, number: int) -> None:
    """One line."""
    wall, cpu = 1000 * took.wall / number, 1000 * took.cpu / number
    print(
        f"{what:<40} {wall:8.2f} ms a mail ({cpu:5.2f} of it computing) {number / took.wall:8.0f} mails/s", flush=True
    )


def throughput(number: int) -> None:
    """Everything the product does until the ticket is committed, and the two things it cannot do without."""
    raws = [letter.raw for letter in write_post(number, around=False)]
    print(f"{number} mails of {sum(map(len, raws)) / number / 1000:.1f} kB in a real mailbox (Dovecot), SQLite")
    with tempfile.TemporaryDirectory() as folder, running_dovecot() as dovecot:
        context = open_site(Path(folder) / "site", dovecot)
        deliver(dovecot, raws)
        wait_until_due(context)
        fetching = measure(lambda: drain(lambda: fetch_next(context)))
        taking = measure(lambda: drain(lambda: take_next(context)))
        parsing = measure(lambda: [parse_mail(raw) for raw in raws])
        single = write_bare(context.database, Path(folder) / "single", at_once=1)
        batched = write_bare(context.database, Path(folder) / "batched", at_once=BATCH)
        context.database.dispose()
    whole = fetching + taking
    report("mailbox to committed ticket", whole, number)
    report("  of it: originals to the ledger", fetching, number)
    report("  of it: ledger to tickets", taking, number)
    report("parsing alone", parsing, number)
    report("bare rows, one commit a mail", single, number)
    report(f"bare rows, {BATCH} mails a commit", batched, number)
    report("overhead over parsing and bare rows", whole - parsing - single, number)
    print(f"whole / (parsing + bare rows) = {whole.wall / (parsing + single).wall:.1f}")


# The bare rows


def write_bare(made: Database, folder: Path, *, at_once: int) -> Spent:
    """Write the rows that the product wrote once more, into an empty database."""
    folder.mkdir()
    target = Database(f"sqlite:///{folder / 'bare.sqlite3'}")
    upgrade(target)
    with made.reader.connect() as source:
        mails = read_mails(source)
        parents = {name: rows_of(source, name) for name in PARENTS}
    with target.writer.connect() as connection:
        for name, rows in parents.items():
            put(connection, name, rows)
        connection.commit()
        groups = [mails[start : start + at_once] for start in range(0, len(mails), at_once)]
        took = measure(lambda: [write_group(connection, group) for group in groups])
    target.dispose()
    return took


def read_mails(source: Connection) -> list[dict[str, list[tuple[Any, ...]]]]:
    """For each mail its rows by table, in the order in which they refer to each other."""
    tables = {name: rows_of(source, name) for name in ("blob", "blob_chunk", "ticket", "mail_ledger", "message")}
    ledger = keyed(tables["mail_ledger"], "mail_ledger", "id")
    blobs, chunks = keyed(tables["blob"], "blob", "sha256"), keyed(tables["blob_chunk"], "blob_chunk", "sha256")
    tickets, messages = keyed(tables["ticket"], "ticket", "id"), keyed(tables["message"], "message", "ledger_id")
    sha256, ticket_id = column("mail_ledger", "sha256"), column("mail_ledger", "ticket_id")
    return [
        {
            "blob": blobs.pop(rows[0][sha256], []),
            "blob_chunk": chunks.pop(rows[0][sha256], []),
            "ticket": tickets.pop(rows[0][ticket_id], []),
            "mail_ledger": rows,
            "message": messages.pop(number, []),
        }
        for number, rows in ledger.items()
    ]


def keyed(rows: Sequence[tuple[Any, ...]], name: str, key: str) -> dict[Any, list[tuple[Any, ...]]]:
    """Rows by the value of one column."""
    place = column(name, key)
    found: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[place], []).append(row)
    return found


def column(name: str, key: str) -> int:
    """Where a column stands in the table."""
    return list(table(name).c.keys()).index(key)


def table(name: str) -> Table:
    """A table of the product."""
    return Base.metadata.tables[name]


def rows_of(source: Connection, name: str) -> list[tuple[Any, ...]]:
    """Everything in a table, as the driver gives it."""
    columns = ", ".join(f'"{one.name}"' for one in table(name).columns)
    return [tuple(row) for row in source.exec_driver_sql(f'SELECT {columns} FROM "{name}"')]


def put(connection: Connection, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Plain executemany."""
    if rows:
        columns = ", ".join(f'"{one.name}"' for one in table(name).columns)
        marks = ", ".join("?" for _ in table(name).c)
        connection.exec_driver_sql(f'INSERT INTO "{name}" ({columns}) VALUES ({marks})', list(rows))


def write_group(connection: Connection, group: Sequence[dict[str, list[tuple[Any, ...]]]]) -> None:
    """The rows of some mails in one transaction."""
    for name in group[0]:
        put(connection, name, [row for mail in group for row in mail[name]])
    connection.commit()


# Memory


def memory(number: int) -> None:
    """The intake process by itself; its mails are written and delivered by this one, a thousand at a time."""
    print(f"memory of the intake process over {number} mails (MB)")
    with tempfile.TemporaryDirectory() as folder, running_dovecot() as dovecot:
        site = Path(folder) / "site"
        open_site(site, dovecot).database.dispose()
        command = [sys.executable, "-m", "benchmarks.mail", "take", str(site)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin and process.stdout
            sizes = []
            for done in range(MEMORY_STEP, number + 1, MEMORY_STEP):
                deliver(dovecot, [letter.raw for letter in write_post(MEMORY_STEP, around=False, seed=done)])
                print("go", file=process.stdin, flush=True)
                answer = json.loads(process.stdout.readline())
                sizes.append(answer["rss"])
                print(
                    f"{done:>7} mails: RSS {answer['rss']:6.1f}  PSS {answer['pss']:6.1f}  peak {answer['peak']:6.1f}"
                    f"   {1000 * answer['seconds'] / MEMORY_STEP:6.2f} ms a mail, {answer['tickets']} tickets",
                    flush=True,
                )
            process.stdin.close()
    if len(sizes) > 2:
        print(f"growth from mail {2 * MEMORY_STEP} to the last: {sizes[-1] - sizes[1]:.1f} MB")


def take(folder: Path) -> None:
    """The intake process: at each line on its input it takes in what lies in the mailbox and says how large it is."""
    context = build(Config(data_dir=folder, queue="polled"))
    for _ in sys.stdin:
        wait_until_due(context)
        took = measure(lambda: (drain(lambda: fetch_next(context)), drain(lambda: take_next(context))))
        with context.database.read_session() as session:
            tickets = len(session.execute(select(table("ticket").c.id)).all())
        print(json.dumps({**sizes_now(), "seconds": took.wall, "tickets": tickets}), flush=True)


def sizes_now() -> dict[str, float]:
    """Resident and proportional size of this process, and the largest it ever was, in MB."""
    rollup, status = (Path(f"/proc/self/{name}").read_text() for name in ("smaps_rollup", "status"))
    found = {
        "rss": re.search(r"^Rss:\s+(\d+)", rollup, re.MULTILINE),
        "pss": re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE),
        "peak": re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE),
    }
    return {name: int(match.group(1)) / 1024 for name, match in found.items() if match}


if __name__ == "__main__":
    if sys.argv[1:2] == ["take"]:
        take(Path(sys.argv[2]))
    else:
        throughput(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
        memory(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
