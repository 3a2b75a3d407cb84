"""A whole Nightdesk on this machine: real processes, real mailbox, pretended phones, and a clock that tests move."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bs4 import BeautifulSoup
from sqlalchemy import select

from portal.config import Config, load_config
from portal.core.calendars import parse_week
from portal.core.shifts import Shift
from portal.integrations.system.clock import move_clock
from portal.models import Alarm, InboundText, MailLedger, Notification, OutgoingMail, Page, Ticket, User
from portal.models.schema import upgrade
from portal.services import calendars, holidays, lexicon, people, shifts
from portal.services.audit import Change
from portal.services.mailboxes import MailboxForm, Server, save_mailbox
from portal.services.settings import save_settings
from portal.wiring import build, sandbox_gateway
from tests.databases import empty_database_url
from tests.runtime.running import Running, eventually

ZONE = ZoneInfo("Europe/Berlin")
NUMBERS = {"alice": "+4915550000100", "bob": "+4915550000101", "carol": "+4915550000102"}
ROLES = {"alice": "admin", "bob": "technician", "carol": "technician"}
CHRISTMAS_NIGHT = datetime(
    2025, 12, 25, 2, 10, tzinfo=ZONE
)  # a Thursday, a holiday; in the past: Dovecot takes no mail from the future
OFFICE_MORNING = datetime(2025, 12, 16, 10, 0, tzinfo=ZONE)  # a Tuesday
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Text:
    """A text on a pretended phone."""

    to: str
    text: str


class Shop:
    """Alice administers; Bob and Carol are on call day and night; Alice is the fallback.

    Args:
        folder: the test's own folder.
        at: product time at the start.
        settings: what differs from a live shop with sandbox phones.
    """

    def __init__(self, folder: Path, *, at: datetime, **settings: Any) -> None:
        self.data_dir = folder / "data"
        self.data_dir.mkdir()
        self.environ = self._environ(folder)
        self.config: Config = load_config({**self.environ, "NIGHTDESK_QUEUE": "polled"})
        self.set_clock(at)
        self.context = build(self.config)
        upgrade(self.context.database)
        self.phones = sandbox_gateway(self.config, self.context.clock)
        self.ids: dict[str, int] = {}
        self._fill(at, settings)
        self.running: Running | None = None

    def _environ(self, folder: Path) -> dict[str, str]:
        queue = os.environ.get("NIGHTDESK_TEST_QUEUE", "rq")
        environ = {
            "NIGHTDESK_DATA_DIR": str(self.data_dir),
            "NIGHTDESK_ENV": "testing",
            "NIGHTDESK_PORT": "0",
            "NIGHTDESK_QUEUE": queue,
            "NIGHTDESK_DATABASE_URL": empty_database_url(self.data_dir),
        }
        if queue == "rq" and (redis := os.environ.get("NIGHTDESK_TEST_REDIS_URL")):
            environ["NIGHTDESK_REDIS_URL"] = redis
        return environ

    def _fill(self, at: datetime, settings: dict[str, Any]) -> None:
        change = Change(None, self.context.clock.now())
        with self.context.database.unit_of_work() as uow:
            for name, number in NUMBERS.items():
                profile = people.Profile(f"{name}@acme.example", name.title(), ROLES[name], (number,))
                user = people.add_person(uow, profile, change=change)
                people.set_password(uow, user, people.make_password(PASSWORD), change=change)
                self.ids[name] = user.id
            lexicon.seed_triage(uow, change=change)
            calendars.save_week(uow, parse_week({day: ["08:00-18:00"] for day in WEEKDAYS}), change=change)
            holidays.add_holiday(uow, on=CHRISTMAS_NIGHT.date(), name="Christmas Day", change=change)
            starts = datetime.combine(at.date() - timedelta(days=2), time(0))
            for name in ("bob", "carol"):
                shift = Shift(0, self.ids[name], starts, starts + timedelta(days=6), "")
                shifts.add_shift(uow, shift, change=change)
            values = {
                "site.name": "Acme IT", "site.zone": str(ZONE), "site.live": True, "sms.provider": "sandbox",
                "paging.fallback": self.ids["alice"],
            }  # fmt: skip
            values.update({key.replace("__", "."): value for key, value in settings.items()})
            save_settings(uow, values, change=change, box=self.context.box)

    # Time and processes

    def set_clock(self, at: datetime) -> None:
        """Product time, for every process at once."""
        move_clock(self.data_dir, seconds=(at - datetime.now(UTC)).total_seconds())

    def move(self, **span: float) -> None:
        """Product time goes on by this much; what was under way is finished before, as it would be in real minutes."""
        self.wait_until_quiet()
        self.set_clock(self.context.clock.now() + timedelta(**span))

    def start(self) -> Shop:
        """Everything that `make run` starts."""
        argv = [sys.executable, "run_production.py"]
        self.running = Running(self.data_dir, argv, {**self.environ, "PYTHONUNBUFFERED": "1"})
        self.running.wait_until_up()
        return self

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self.running:
            self.running.stop()
            self.running = None

    def kill(self, role: str) -> None:
        """kill -9 of one process; "supervisor" is the one that keeps the others."""
        assert self.running
        pid = self.running.process.pid if role == "supervisor" else self.running.pid_of(role)
        with suppress(ProcessLookupError):
            if pid:
                os.kill(pid, signal.SIGKILL)
        if role == "supervisor":
            self.running.process.wait(20)

    def close(self) -> None:
        """Stop all, and fail on a logged error that no test expected."""
        self.stop()
        self.context.database.dispose()

    @property
    def url(self) -> str:
        assert self.running
        return f"http://127.0.0.1:{self.running.port}"

    # Mail

    def add_mailbox(self, dovecot: Any, sink: Any) -> None:
        """help@acme.example on a real server, read every five seconds, with a real server for what goes out."""
        dovecot.create_user("help", "secret")
        imap = Server("127.0.0.1", dovecot.port, "plain", "help", "secret")
        smtp = Server("127.0.0.1", sink.port, "plain", "", "")
        form = MailboxForm("Help", "help@acme.example", imap, smtp, interval_s=5)
        with self.context.database.unit_of_work() as uow:
            save_mailbox(uow, form, box=self.context.box, change=Change(None, self.context.clock.now()))

    def wait_for_first_read(self) -> None:
        """The mailbox was read once: what comes now is new."""
        from portal.models import MailboxRow

        eventually(lambda: self.rows(MailboxRow)[0].last_ok_at, what="the first read of the mailbox")

    def mail(
        self, dovecot: Any, subject: str, body: str, *, at: datetime, sender: str = "dana@customer.example"
    ) -> str:
        """Dana writes; the server takes it at `at`. Returns the Message-ID."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = f"Dana Reed <{sender}>", "help@acme.example", subject
        message["Message-ID"] = f"<{abs(hash((subject, body, at)))}@customer.example>"
        message["Date"] = at
        message.set_content(body)
        dovecot.append("help", "secret", message.as_bytes(), at=at)
        return str(message["Message-ID"])

    # The web form

    def post_form(self, **fields: str) -> BeautifulSoup:
        """Dana fills the form in a browser without JavaScript."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = BeautifulSoup(opener.open(f"{self.url}/", timeout=20).read(), "html.parser")
        form = page.select_one("main form[method=post]")
        values = {
            one["name"]: one.get("value", "") for one in form.select("input[name]") if one.get("type") == "hidden"
        }
        values |= {"name": "Dana Reed", "email": "dana@customer.example", **fields}
        data = urllib.parse.urlencode(values).encode()
        answer = opener.open(urllib.parse.urljoin(f"{self.url}/", form.get("action") or "/"), data, timeout=20)
        return BeautifulSoup(answer.read(), "html.parser")

    # Phones

    def texts(self, name: str) -> list[str]:
        """What arrived on somebody's phone, oldest first."""
        return [text.text for text in self.phones.list_texts() if text.to == NUMBERS[name]]

    def wait_for_texts(self, name: str, count: int, *, seconds: float = 60) -> list[str]:
        """Exactly as many texts on a phone, once they are there."""
        eventually(lambda: len(self.texts(name)) >= count, seconds=seconds, what=f"text {count} to {name}")
        texts = self.texts(name)
        assert len(texts) == count, texts
        return texts

    def answer(self, name: str, text: str) -> None:
        """Somebody types an answer; it is heard at the next poll, to which time moves on."""
        self.phones.reply(NUMBERS[name], text)
        self.move(seconds=15)
        eventually(
            lambda: any(row.text == text and row.handled_at for row in self.rows(InboundText)),
            what=f"{text!r} was heard",
        )

    # What the database says

    def rows(self, model: Any, **where: Any) -> list[Any]:
        with self.context.database.read_session() as session:
            return list(session.scalars(select(model).filter_by(**where).order_by(model.id)))

    def tickets(self) -> list[Ticket]:
        return self.rows(Ticket)

    def wait_for_ticket(self, count: int = 1) -> Ticket:
        """The newest ticket, once there are so many and triage has seen them."""
        eventually(lambda: len([t for t in self.tickets() if t.triaged_at]) >= count, what=f"ticket {count}")
        assert len(self.tickets()) == count
        return self.tickets()[-1]

    def pages(self, **where: Any) -> list[Page]:
        return self.rows(Page, **where)

    def open_alarms(self) -> list[str]:
        return [alarm.text for alarm in self.rows(Alarm) if alarm.ended_at is None]

    def mails_out(self) -> list[OutgoingMail]:
        return self.rows(OutgoingMail)

    def ledger(self) -> list[MailLedger]:
        return self.rows(MailLedger)

    def notifications(self) -> list[Notification]:
        return self.rows(Notification)

    def name_of(self, user_id: int | None) -> str:
        users = {user.id: user.name for user in self.rows(User)}
        return users.get(user_id or 0, "")

    def wait_until_quiet(self, *, seconds: float = 60) -> None:
        """Nothing is due any more: every text has left, every mail has its verdict."""

        def is_quiet() -> bool:
            return (
                all(row.state not in ("pending", "sending") for row in self.notifications())
                and all(row.state == "done" for row in self.ledger())
                and all(ticket.triaged_at for ticket in self.tickets())
                and all(row.state not in ("pending", "sending") for row in self.mails_out())
            )

        eventually(is_quiet, seconds=seconds, what="the end of all work")

    def portal(self, *arguments: str) -> str:
        """A `portal` command on this data folder."""
        command = [sys.executable, "-m", "portal.cli", *arguments]
        env = {**os.environ, **self.environ}
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(command, capture_output=True, text=True, env=env, check=True, cwd=root)
        return done.stdout
