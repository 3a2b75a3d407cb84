import threading

import pytest

from portal.core.work import all_kinds
from portal.jobs import drain as drain_module
from portal.jobs.shop import Shop
from portal.jobs.steps import WORK, count_due
from portal.models import MailboxRow, Ticket
from tests.services.runtime_world import NOW, make_world
from tests.services.ticket_world import ticket_values


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(drain_module, "_drainer", None)
    world = make_world(tmp_path)
    world.queue = None
    yield world
    world.database.dispose()


def test_every_kind_of_work_has_a_step():
    assert set(WORK) == set(all_kinds())


def test_due_work_is_counted_by_kind(world):
    assert not any(count_due(world).values())
    with world.database.unit_of_work() as uow:
        uow.session.add(Ticket(**ticket_values(1)))
    assert count_due(world)["triage"] == 1


def test_a_shop_drains_what_the_steps_say(world, monkeypatch):
    left = [True, True, False]
    work = {"notify": type(WORK["notify"])(lambda context: left.pop(0), lambda *_: 0)}
    monkeypatch.setattr("portal.jobs.shop.WORK", work)
    shop = Shop(world, threading.Event())
    assert shop.drain("notify") is False
    assert left == []


def test_what_rq_calls_reaches_the_shop(world, monkeypatch):
    done = []
    work = {"notify": type(WORK["notify"])(lambda context: done.append(context), lambda *_: 0)}
    monkeypatch.setattr("portal.jobs.shop.WORK", work)
    Shop(world, threading.Event())
    drain_module.drain("notify")
    assert done == [world]


def test_only_mailboxes_that_are_read_get_a_lane(world):
    shop = Shop(world, threading.Event())
    assert shop.count_accounts() == 0
    assert not any(shop.count_due().values())
    with world.database.unit_of_work() as uow:
        for name, kind, is_enabled in (("A", "imap", True), ("B", "imap", False), ("C", "files", True)):
            uow.session.add(MailboxRow(name=name, kind=kind, address="s@a.example", is_enabled=is_enabled, next_at=NOW))
    assert shop.count_accounts() == 1
