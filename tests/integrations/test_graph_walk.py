"""Random walks through the bad days of a mailbox at Microsoft 365: whatever happens in whatever order, each mail that
lies in the inbox in the end has one row and one ticket, and each mail of ours left once."""

from collections import Counter
from random import Random

import pytest

from portal.core.retry import MAIL
from portal.integrations.mail_transport import MailServers
from portal.models import MailLedger, OutgoingMail, SettingRow, Ticket
from portal.services.mail_out import add_confirmation
from portal.services.mail_outbox import send_next
from portal.services.mail_reconcile import check_mailboxes
from portal.services.settings import load_settings
from tests.mails import mail_bytes
from tests.services.graph_world import every, move, poll, running_world, save
from tests.services.mail_world import load

STEPS = 100
READING = (401, 410, 429, 500, 503, 504, 302, 400, 403, 404, "reset", "cut", "garbage", "twice", "hang")
SENDING = (401, 403, 429, 500, 503, 504, 302, "reset", "cut", "hang", "idle", "garbage")
WAITS = ("", "7", "30", "soon", "-5", "Fri, 25 Dec 2026 02:30:00 GMT", "99999999")


class Walk:
    def __init__(self, world, seed):
        self.world, self.graph, self.dice = world, world.graph, Random(seed)
        self.count, self.done = 0, []

    def step(self):
        often = [self.arrive, self.look, self.confirm, self.break_reading]
        rare = [self.move, self.touch, self.delete, self.break_sending, self.break_sign_in, self.forget, self.restart,
                self.withhold, self.hand_over, self.write_by_hand, self.pages, self.look]  # fmt: skip
        one = self.dice.choice(often * 3 + rare)
        self.done.append(one.__name__)
        one()

    def arrive(self, folder=None):
        for _ in range(self.dice.choice((1, 1, 2, 7))):
            self.count += 1
            n = self.count
            raw = mail_bytes(f"Printer {n} is on fire.", message_id=f"<{n}@customer.example>" if n % 5 else "",
                             subject=f"Printer {n}", sender=f"Dana <dana{n}@customer.example>")  # fmt: skip
            place = folder or self.dice.choice(("inbox", "inbox", "inbox", "junkemail"))
            self.graph.box.deliver(raw, at=self.graph.now, folder=place, conversation=f"conversation-{n}")

    def items(self, *folders):
        places = [self.graph.box.folder(name) for name in folders]
        return [item for item in self.graph.box.items.values() if item.folder in places]

    def pick(self, *folders):
        found = self.items(*folders)
        return self.dice.choice(found) if found else None

    def move(self):
        if item := self.pick("inbox", "junkemail"):
            self.graph.box.move(item, "junkemail" if item.folder == self.graph.box.folder("inbox") else "inbox")

    def touch(self):
        if item := self.pick("inbox"):
            self.graph.box.touch(item)

    def delete(self):
        if item := self.pick("inbox", "junkemail"):
            self.graph.box.delete(item)

    def break_reading(self):
        on = self.dice.choice(("messages/delta", "$value", "skiptoken", "mailFolders", "receivedDateTime"))
        kind = self.dice.choice(READING)
        code = self.dice.choice(("", "ErrorServerBusy", "ErrorItemCorrupt")) if kind == 400 else ""
        self.graph.fail(kind, on=on, retry_after=self.dice.choice(WAITS), code=code)

    def break_sending(self):
        self.graph.fail(self.dice.choice(SENDING), on="sendMail", retry_after=self.dice.choice(WAITS))

    def break_sign_in(self):
        if self.dice.random() < 0.5:
            self.graph.login.expire()
        self.graph.fail(self.dice.choice((429, 500, 503, "reset", "garbage", "cut")), on="/token")

    def forget(self):
        self.graph.forget()

    def restart(self):
        self.world.mail.close()
        self.world.mail = MailServers()

    def withhold(self):
        if item := self.pick("inbox"):
            trouble = ((404, "ErrorItemNotFound"), (500, "ErrorInternalServerError"), (400, "ErrorItemCorrupt"))
            self.graph.withheld[item.number] = self.dice.choice(trouble)

    def hand_over(self):
        self.graph.withheld.clear()

    def write_by_hand(self):
        if item := self.pick("inbox"):
            raw = mail_bytes("By hand.", message_id=f"<hand{self.count}.{self.dice.random()}@shop.example>",
                             sender="Bob <help@shop.example>", subject="Re: Printer",
                             extra={"In-Reply-To": item.parsed["Message-ID"] or "<none@customer.example>"})  # fmt: skip
            self.graph.box.deliver(raw, at=self.graph.now, folder="sentitems")

    def pages(self):
        self.graph.page_size = self.dice.choice((1, 2, 5, 1000))

    def confirm(self):
        waiting = {row.ticket_id for row in every(self.world, OutgoingMail)}
        tickets = [row for row in every(self.world, Ticket) if row.id not in waiting]
        if tickets:
            with self.world.database.unit_of_work() as uow:
                fresh = uow.session.get_one(Ticket, self.dice.choice(tickets).id)
                add_confirmation(self.world, uow, fresh, settings=load_settings(uow.session))

    def look(self):
        poll(self.world, self.dice.choice((1, 20, 61, 400, 4000, 4000)))
        while send_next(self.world):
            continue

    def settle(self):
        self.graph.faults.clear()
        self.graph.withheld.clear()
        for _ in range(4):
            poll(self.world, 4000)
        check_mailboxes(self.world, days=30)
        poll(self.world, 4000)
        for _ in range(MAIL.give_up_after):
            move(self.world, MAIL.waits[-1])
            while send_next(self.world):
                continue


def walk(tmp_path, seed):
    with running_world(tmp_path) as world:
        with world.database.unit_of_work() as uow:
            uow.session.add(SettingRow(key="site.live", value="true"))
        world.graph.released.set()
        world.mailbox_id = save(world)
        if seed % 2:
            Walk(world, seed).arrive("inbox")
        poll(world)
        first = max(world.graph.box.items, default=0)
        move(world, 60)
        one = Walk(world, seed)
        one.count = first
        for _ in range(STEPS):
            one.step()
        one.settle()
        hold(one, first)
        world.graph.exchanges.clear()  # the faults are no answers of Microsoft's


def hold(one, first):
    rows = every(one.world, MailLedger)
    ids = Counter(row.provider_id for row in rows)
    assert {key: n for key, n in ids.items() if n > 1} == {}, one.done
    there = {item.id(immutable=True) for item in one.items("inbox") if item.number > first}
    assert there - set(ids) == set(), one.done
    assert all(row.state == "done" and row.verdict for row in rows), one.done
    subjects = Counter(row.subject for row in every(one.world, Ticket))
    assert {key: n for key, n in subjects.items() if n > 1 or not key.startswith("Printer")} == {}, one.done
    cut = [row for row in rows if row.is_cut]
    assert len(cut) <= one.done.count("withhold"), one.done
    out = every(one.world, OutgoingMail)
    copies = {row.message_id: sum(row.message_id.encode() in raw for raw in one.graph.outside) for row in out}
    assert {row.message_id: row.state for row in out if copies[row.message_id] != (row.state == "sent")} == {}, one.done
    assert load(one.world, one.world.mailbox_id).last_error == "", one.done


@pytest.mark.more
@pytest.mark.parametrize("seed", range(10))
def test_whatever_happens_each_mail_comes_in_once_and_goes_out_once(tmp_path, seed):
    walk(tmp_path, seed)
