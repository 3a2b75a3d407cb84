"""Trying the SMS account out in a worker."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal.core.errors import GatewayError
from portal.models import Check
from portal.services.audit import Change
from portal.services.checks import SMS, ask_check, check_next, count_due_checks, load_check
from portal.services.context import Context
from tests.services.fake_sms import FakeSms
from tests.services.ticket_world import ALICE, NOW
from tests.web.conftest import StillClock


@pytest.fixture
def context(database, tmp_path):
    sms = FakeSms()
    return Context(
        database=database, clock=StillClock(), random=None, box=None, queue=None, sms=lambda: sms, mail=None,
        data_dir=tmp_path,
    )  # fmt: skip


def ask(database):
    with database.unit_of_work() as uow:
        ask_check(uow, SMS, change=Change(ALICE, NOW))
        return uow.kinds


def look(database):
    with database.read_session() as session:
        return load_check(session, SMS)


def count(context):
    with context.database.read_session() as session:
        return count_due_checks(session, lease_now=context.clock.lease_now())


def test_nothing_was_asked_for_and_nothing_is_done(context):
    assert look(context.database) is None
    assert count(context) == 0 and not check_next(context)


def test_a_check_that_was_asked_for_is_done_once_and_its_answer_kept(context):
    assert "checks" in ask(context.database)
    assert look(context.database).is_busy and count(context) == 1
    assert check_next(context) and not check_next(context)
    view = look(context.database)
    assert (view.is_busy, view.is_ok, view.at) == (False, True, NOW) and view.result


def test_what_fails_is_the_answer(context):
    def broken():
        raise GatewayError("No SMS provider is set up.", permanent=False)

    ask(context.database)
    assert check_next(replace(context, sms=broken))
    view = look(context.database)
    assert not view.is_ok and "No SMS provider is set up." in view.result


def test_asked_again_the_old_answer_goes(context):
    ask(context.database)
    check_next(context)
    ask(context.database)
    assert look(context.database).is_busy and look(context.database).result == ""


def test_a_check_whose_worker_died_is_taken_up_by_another_after_a_minute(context):
    ask(context.database)
    with context.database.unit_of_work() as uow:
        row = uow.session.get_one(Check, SMS)
        row.state, row.lease_until = "running", NOW + timedelta(seconds=60)
    assert not check_next(context)
    context.clock.pass_by(seconds=60)
    assert check_next(context) and look(context.database).is_ok


def test_an_answer_for_settings_that_changed_meanwhile_is_dropped(context):
    class Slow(FakeSms):
        def check_account(self):
            ask(context.database)
            return "old"

    ask(context.database)
    check_next(replace(context, sms=Slow))
    assert look(context.database).is_busy
