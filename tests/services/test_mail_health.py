import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.models import (
    Alarm,
    JobRun,
    MailboxRow,
    MailLedger,
    MailToken,
    Notification,
    OutgoingMail,
    Phone,
    SettingRow,
)
from portal.services import mail_health
from portal.services.alarms import end_alarm
from portal.services.mail_health import audit_mail, load_mailbox_health, text_admins
from portal.services.settings import load_settings
from tests.services.mail_world import NOW, add_mailbox, load, make_mail_world
from tests.services.ticket_world import ALICE, BOB

DAY = datetime(2026, 12, 25, 9, 0, tzinfo=UTC)


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.clock.product = DAY
    world.mailbox_id = add_mailbox(world)
    change(world, last_ok_at=DAY, next_at=DAY + timedelta(days=99))
    _phone(world, ALICE, "+15550100")
    yield world
    world.database.dispose()


def _phone(world, user_id, number):
    with world.database.unit_of_work() as uow:
        uow.session.add(Phone(user_id=user_id, number=number, position=1))


def change(world, **values):
    with world.database.unit_of_work() as uow:
        row = uow.session.get_one(MailboxRow, world.mailbox_id)
        for name, value in values.items():
            setattr(row, name, value)


def audit(world, *, minutes=0, ran_before=True):
    """The scheduled job, as often as it would have run."""
    if minutes:
        world.clock.move(minutes * 60)
    if ran_before:
        with world.database.unit_of_work() as uow:
            at = world.clock.now() - timedelta(minutes=1)
            uow.session.add(JobRun(job="mail_audit", started_at=at, finished_at=at))
    return audit_mail(world)


def banners(world):
    with world.database.read_session() as session:
        return [one.text for one in session.scalars(select(Alarm).where(Alarm.ended_at.is_(None)).order_by(Alarm.id))]


def keys(world):
    with world.database.read_session() as session:
        return list(session.scalars(select(Alarm.key).order_by(Alarm.id)))


def texts(world):
    with world.database.read_session() as session:
        return [(one.number, one.text, one.state) for one in session.scalars(select(Notification))]


def dismiss(world, key):
    with world.database.unit_of_work() as uow:
        end_alarm(uow, key, now=world.clock.now(), by="Alice")


def store(world, *, minutes, state="stored"):
    at = world.clock.now() - timedelta(minutes=minutes)
    with world.database.unit_of_work() as uow:
        row = MailLedger(mailbox_id=world.mailbox_id, folder="INBOX", provider_id=f"1:{minutes}", received_at=at)
        row.listed_at, row.state = at, state
        uow.session.add(row)


def health(world):
    with world.database.read_session() as session:
        return load_mailbox_health(session, load_settings(session), now=world.clock.now(), counts_today=True)


def set_to(world, key, value):
    with world.database.unit_of_work() as uow:
        uow.session.merge(SettingRow(key=key, value=json.dumps(value)))


def test_nothing_is_said_while_all_is_well(world):
    assert audit(world) == "0 mails without a verdict, 0 mailboxes not read."
    assert banners(world) == [] and texts(world) == []
    (one,) = health(world)
    assert one.is_well and (one.state, one.today, one.expiry) == ("good", 0, None)


def test_the_pages_know_what_came_in_today_on_the_clock_of_the_site(world):
    set_to(world, "site.zone", "Pacific/Auckland")  # 22:00 there, midnight was at 11:00 UTC yesterday
    for hours in (1, 21, 23):
        store(world, minutes=hours * 60, state="done")
    assert health(world)[0].today == 2


def test_a_mailbox_that_fails_for_longer_than_the_setting_raises_one_alarm_that_ends_by_itself(world):
    change(world, failing_since_at=DAY, last_error="The login was refused.")
    audit(world, minutes=14)
    assert banners(world) == [] and health(world)[0].state == "trouble"
    audit(world, minutes=1)
    audit(world, minutes=1)
    assert banners(world) == ["The mailbox Help has not been read for 15 minutes: The login was refused."]
    assert health(world)[0].state == "unread" and not health(world)[0].is_well
    change(world, failing_since_at=None, last_error="")
    audit(world, minutes=1)
    assert banners(world) == []


def test_the_minutes_are_a_setting(world):
    set_to(world, "mail.unread_minutes", 60)
    change(world, failing_since_at=DAY)
    audit(world, minutes=59)
    assert banners(world) == []
    audit(world, minutes=1)
    assert len(banners(world)) == 1


def test_a_mailbox_that_nobody_even_tries_to_read_raises_the_alarm(world):
    change(world, next_at=DAY)
    audit(world, minutes=15)
    assert banners(world) == ["The mailbox Help has not been read for 15 minutes."]


def test_after_an_outage_mailboxes_get_their_chance_first(world):
    change(world, next_at=DAY)
    store(world, minutes=1)
    audit(world, minutes=8 * 60, ran_before=False)
    assert banners(world) == []
    audit(world, minutes=1)
    assert len(banners(world)) == 2, "now they had it"


def test_a_mailbox_that_is_off_or_waits_raises_nothing(world):
    change(world, failing_since_at=DAY, is_enabled=False, secret_expires_on=DAY.date())
    audit(world, minutes=60)
    assert banners(world) == [] and health(world)[0].state == "off"
    assert health(world)[0].expiry.ends_on == DAY.date() and health(world)[0].is_well


def test_an_alarm_that_somebody_has_seen_does_not_come_back_for_the_same_incident(world):
    change(world, failing_since_at=DAY)
    audit(world, minutes=15)
    dismiss(world, keys(world)[0])
    audit(world, minutes=60)
    assert banners(world) == [] and texts(world) == []
    change(world, failing_since_at=world.clock.now())
    audit(world, minutes=15)
    assert len(banners(world)) == 1, "it failed anew"


def test_a_mail_without_a_verdict_is_told_and_over_when_it_has_one(world):
    store(world, minutes=9)
    audit(world)
    assert banners(world) == []
    audit(world, minutes=2)
    store(world, minutes=30)
    audit(world)
    assert banners(world) == [
        "1 mail has no verdict yet. The mail page shows them, the jobs page and the log say more."
    ]
    with world.database.unit_of_work() as uow:
        for row in uow.session.scalars(select(MailLedger)):
            row.state = "done"
    audit(world)
    assert banners(world) == []


def test_an_alarm_nobody_looked_at_is_texted_to_administrators_once_also_in_watch_mode(world):
    _phone(world, BOB, "+15550101")
    change(world, failing_since_at=DAY, last_error="away")
    audit(world, minutes=15)
    assert audit(world, minutes=29).endswith("1 mailboxes not read.") and texts(world) == []
    assert audit(world, minutes=1).endswith("1 text to administrators.")
    audit(world, minutes=60)
    words = "Nightdesk: The mailbox Help has not been read for 15 minutes: away"
    assert texts(world) == [("+15550100", words, "pending")]


def test_over_a_day_with_restarts_each_trouble_is_told_once_and_texted_once(world):
    """A mailbox that fails, a mail without a verdict and a password that has ended, looked at each quarter of an hour;
    twice nothing ran for hours."""
    change(world, failing_since_at=DAY, last_error="away", secret_expires_on=DAY.date())
    store(world, minutes=5)
    for round_ in range(60):
        is_restarted = round_ in (1, 4, 30)
        audit(world, minutes=200 if is_restarted else 15, ran_before=not is_restarted)
    prefixes = [key.split(":")[0] for key in keys(world)]
    assert sorted(prefixes) == ["mail-expiry", "mail-unexplained", "mail-unread"] and len(banners(world)) == 3
    assert len(texts(world)) == 3
    change(world, failing_since_at=None, last_error="", secret_expires_on=None)
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(MailLedger)).one().state = "done"
    audit(world, minutes=15)
    assert banners(world) == [] and len(texts(world)) == 3


def test_a_restart_ends_no_alarm_about_a_mailbox_that_still_nobody_reads(world):
    change(world, next_at=DAY)
    audit(world, minutes=20)
    assert len(banners(world)) == 1
    audit(world, minutes=60, ran_before=False)
    assert len(banners(world)) == 1, "told already, and nothing has changed"
    audit(world, minutes=15)
    assert len(banners(world)) == 1


def test_texts_can_be_switched_off(world):
    set_to(world, "mail.text_minutes", 0)
    store(world, minutes=60)
    audit(world)
    audit(world, minutes=600)
    assert texts(world) == [] and len(banners(world)) == 1


def test_where_no_administrator_has_a_phone_managers_are_texted(world):
    with world.database.unit_of_work() as uow:
        uow.session.add(Alarm(key="mail-unread:1:1", text="x", raised_at=DAY - timedelta(hours=1)))
        uow.session.add(Alarm(key="page:1", text="another kind", raised_at=DAY - timedelta(hours=1)))
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(Phone)).one().is_stopped = True
        assert text_admins(uow, load_settings(uow.session), now=DAY) == 0


@pytest.mark.parametrize(("left", "said"), [(31, 0), (30, 1), (14, 1), (7, 1), (1, 1), (0, 1)])
def test_an_ending_secret_is_said_once_at_each_stage(world, left, said):
    change(world, secret_expires_on=DAY.date() + timedelta(days=left))
    audit(world)
    audit(world, minutes=5)
    assert len(banners(world)) == said
    assert bool(health(world)[0].expiry.words) == bool(said)


def test_from_thirty_days_on_there_are_five_warnings_and_the_last_two_are_texted(world):
    change(world, secret_expires_on=DAY.date() + timedelta(days=31))
    for _ in range(33 * 6):
        audit(world, minutes=240)
    expected = [f"mail-expiry:{world.mailbox_id}:2027-01-25:{stage}" for stage in (30, 14, 7, 1, 0)]
    assert keys(world) == expected and len(banners(world)) == 1
    assert len(texts(world)) == 2 and "ends in 1 day" in texts(world)[0][1] and "ended on" in texts(world)[1][1]
    change(world, secret_expires_on=date(2028, 1, 1))
    audit(world)
    assert banners(world) == [], "it was renewed"


def test_nobody_is_warned_of_an_ending_secret_at_night(world):
    world.clock.product = NOW  # 02:10
    change(world, secret_expires_on=NOW.date())
    audit(world)
    assert banners(world) == []
    audit(world, minutes=6 * 60)
    assert len(banners(world)) == 1


def test_a_sign_in_that_is_not_renewed_ends_too(world):
    with world.database.unit_of_work() as uow:
        at = DAY - timedelta(days=83)
        uow.session.add(MailToken(mailbox_id=world.mailbox_id, changed_at=at, authorized_at=at))
    audit(world)
    assert banners(world) == [
        "The sign-in of the mailbox Help ends in 7 days, on 01 January 2027. Renew it on the mailbox’s page."
    ]
    with world.database.unit_of_work() as uow:
        uow.session.scalars(select(MailToken)).one().changed_at = DAY
    audit(world)
    assert banners(world) == []


def test_the_alarm_is_mailed_at_once(world):
    change(world, failing_since_at=DAY)
    audit(world, minutes=15)
    with world.database.read_session() as session:
        (mail,) = session.scalars(select(OutgoingMail))
    assert "has not been read" in mail.subject and load(world, world.mailbox_id).failing_since_at


def test_the_job_that_calls_it_is_the_one_it_looks_for():
    assert mail_health.AUDIT == "mail_audit"
