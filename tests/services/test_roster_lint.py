"""What the rosters lack: found from the database, kept while nothing changes, mailed once a week."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import delete

from portal.core.errors import DomainError
from portal.core.findings import Kind
from portal.models import (
    Calendar,
    HolidayRow,
    MailboxRow,
    Notification,
    OutgoingMail,
    Phone,
    RotationRow,
    ScheduleRow,
    ShiftRow,
    User,
)
from portal.services.roster_lint import find_in_roster, load_check, mail_roster_checks
from tests.services.paging_world import BOB, CAROL, MALLORY, NOW, rows
from tests.services.ticket_world import counted_statements

MONDAY = datetime(2026, 12, 28, 7, tzinfo=UTC)  # 08:00 in Berlin
PHONE, GONE, NOBODY, HOLIDAY = Kind.PHONE, Kind.GONE, Kind.NOBODY, Kind.HOLIDAY


def found(world, *, schedule_id=1, now=NOW):
    """Kind -> its sentences, one a line."""
    texts = {}
    with world.database.read_session() as session:
        for one in find_in_roster(session, schedule_id, now=now):
            texts.setdefault(one.kind, []).append(one.text)
    return {kind: "\n".join(lines) for kind, lines in texts.items()}


def change(world, *added):
    with world.database.unit_of_work() as uow:
        uow.session.add_all(added)


def add_rotation(world, *people, name="Nights"):
    row = RotationRow(name=name, people=list(people), starts=datetime(2026, 12, 1, 9), unit="week")
    change(world, row)


def add_mailbox(world):
    change(world, MailboxRow(name="help", kind="imap", address="help@acme.example", next_at=NOW,
                             options={"smtp": {"host": "x"}}))  # fmt: skip


def mails(world):
    return rows(world.database, OutgoingMail)


def test_the_check_is_that_of_the_schedules_own_roster_and_calendar(world):
    change(world, Calendar(id=2, name="Always", changed_at=NOW), ScheduleRow(id=2, name="Servers", changed_at=NOW))
    assert Kind.ENDS in found(world, schedule_id=2)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(ScheduleRow, 2).calendar_id = 2
    change(world, HolidayRow(calendar_id=2, observed_on=date(2027, 1, 1), name="New Year", state="proposed"))
    assert "New Year on Fri 1 Jan 2027 is proposed" in found(world, schedule_id=2)[HOLIDAY]
    assert "New Year" not in found(world)[HOLIDAY]
    with world.database.read_session() as session:
        check = load_check(session, 2, now=NOW)
    assert (check.head.name, check.count) == ("Servers", 3)
    with pytest.raises(DomainError, match="gone"):
        found(world, schedule_id=3)


@pytest.mark.parametrize(
    ("phone", "words"),
    [
        ({}, "has never answered a page"),
        ({"is_stopped": True}, "has a phone that refuses our texts"),
        (None, "has no phone number"),
        ({"verified_at": NOW}, None),
        ("answered", None),
    ],
)
def test_phones_are_judged_as_they_are_now(world, phone, words):
    world.put_on_call(BOB)
    with world.database.unit_of_work() as uow:
        own = uow.session.query(Phone).filter_by(user_id=BOB).one()
        if phone is None:
            uow.session.delete(own)
        elif phone == "answered":
            uow.session.add(
                Notification(dedupe_key="x", user_id=BOB, kind="page", number="1", text="", state="delivered",
                             created_at=NOW, answered_at=NOW)
            )  # fmt: skip
        else:
            for name, value in phone.items():
                setattr(own, name, value)
    text = found(world).get(PHONE)
    assert (words in text) if words else text is None


def test_people_who_left_and_rotations_of_nobody_are_found(world):
    change(world, User(id=MALLORY, email="m@acme.example", name="Mallory", role="technician", created_at=NOW))
    add_rotation(world, MALLORY)
    assert GONE not in found(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, MALLORY).is_active = False
    assert found(world)[GONE] == "Mallory is disabled and still named in 1 rotation. None of it counts."
    assert found(world)[NOBODY] == "The rotation “Nights” has nobody left: everybody in it is disabled."
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, CAROL).role = "viewer"
    assert "though people of that role are not put on call any more" in found(world)[GONE]


def test_what_was_found_is_kept_while_nothing_changes_and_looked_at_again_when_it_does(world):
    found(world)
    with world.database.read_session() as session, counted_statements(session) as statements:
        first = find_in_roster(session, 1, now=NOW)
    assert len(statements) == 2
    world.set(oncall__long_days=300, oncall__long_hours=9000)
    assert Kind.LONG not in found(world)
    assert Kind.LONG in {one.kind for one in first}
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(ShiftRow))
    assert Kind.ENDS in found(world)


def test_once_a_week_each_manager_and_admin_gets_what_was_found(world):
    add_mailbox(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, CAROL).role = "manager"
    world.times.product = MONDAY
    assert mail_roster_checks(world.context).endswith("findings, 2 mails.")
    assert [(mail.to, mail.state) for mail in mails(world)] == [
        (["alice@acme.example"], "pending"), (["carol@acme.example"], "pending"),
    ]  # fmt: skip
    mail = mails(world)[0]
    assert mail.subject.startswith("Roster check of Acme IT: ")
    assert "\n\nOn call\n\n" in mail.text
    assert "  - Nobody has looked through the holidays of 2027 yet.\n" in mail.text
    for minutes in (1, 60 * 24 * 6):
        world.times.pass_by(minutes=minutes)
        mail_roster_checks(world.context)
    assert len(mails(world)) == 2
    world.times.pass_by(minutes=60 * 24)
    mail_roster_checks(world.context)
    assert len(mails(world)) == 4


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (MONDAY - timedelta(minutes=1), 0),
        (MONDAY, 1),
        (MONDAY + timedelta(days=3), 1),  # switched off on Monday
        (datetime(2027, 1, 3, 22, 30, tzinfo=UTC), 1),  # Sunday evening, the same week
    ],
)
def test_the_week_begins_on_monday_at_eight(world, at, written):
    add_mailbox(world)
    world.times.product = at
    mail_roster_checks(world.context)
    assert len(mails(world)) == written


def test_a_kill_between_two_people_leaves_nobody_twice_and_nobody_out(world, monkeypatch):
    add_mailbox(world)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, CAROL).role = "manager"
    world.times.product = MONDAY
    mail_roster_checks(world.context)
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(OutgoingMail).where(OutgoingMail.dedupe_key.like("%:3")))
    mail_roster_checks(world.context)
    assert [mail.to[0][:5] for mail in mails(world)] == ["alice", "carol"]


def test_in_watch_mode_and_in_the_week_of_the_set_up_there_is_no_mail(world):
    add_mailbox(world)
    mail_roster_checks(world.context)  # Friday, and everybody came today
    world.times.product = MONDAY
    world.set(site__live=False)
    mail_roster_checks(world.context)
    assert mails(world) == []
    world.set(site__live=True)
    mail_roster_checks(world.context)
    assert len(mails(world)) == 1


def test_with_nothing_to_say_there_is_no_mail(world):
    add_mailbox(world)
    with world.database.unit_of_work() as uow:
        uow.session.execute(delete(ShiftRow))
        for person in (BOB, CAROL):
            uow.session.query(Phone).filter_by(user_id=person).one().verified_at = NOW
    change(world, HolidayRow(observed_on=date(2027, 12, 25), name="Christmas Day", state="accepted"))
    add_rotation(world, BOB, CAROL)
    world.times.product = MONDAY
    assert mail_roster_checks(world.context) == "Nothing to say about the rosters."
    assert set(found(world, now=MONDAY)) == {Kind.CLOCK}
    assert mails(world) == []


def test_without_a_mailbox_that_sends_nothing_is_written(world):
    world.times.product = MONDAY
    assert mail_roster_checks(world.context).endswith("findings, 0 mails.")
