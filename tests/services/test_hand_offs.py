"""Whoever comes on duty gets one card: mail, and a text by day."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.core.sms import count_segments
from portal.models import (
    HandOff,
    MailboxRow,
    Notification,
    OutgoingMail,
    OverrideRow,
    Page,
    Phone,
    Queue,
    ScheduleRow,
    ShiftRow,
    User,
)
from portal.services.hand_offs import write_hand_offs
from tests.services.paging_world import ALICE, BOB, CAROL, NOW, add_ticket, rows

NOON = datetime(2026, 12, 28, 11, tzinfo=UTC)  # 12:00 in Berlin, a Monday
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def shop(world):
    """Bob until Monday noon, Carol from then on; a mailbox that sends. The schedule was changed long ago."""
    with world.database.unit_of_work() as uow:
        uow.session.add(MailboxRow(name="help", kind="imap", address="help@acme.example", next_at=NOW,
                                   options={"smtp": {"host": "x"}}))  # fmt: skip
    world.put_on_call()
    add_shift(world, BOB, NOON - 7 * DAY, NOON)
    add_shift(world, CAROL, NOON, NOON + 7 * DAY, note="The router of Acme restarts at night.")
    world.times.product = NOON
    return world


def add_shift(world, person, starts_at, ends_at, *, note="", schedule_id=1, changed_at=NOW - 90 * DAY):
    wall = [at.replace(tzinfo=None) + HOUR for at in (starts_at, ends_at)]
    with world.database.unit_of_work() as uow:
        uow.session.add(ShiftRow(user_id=person, starts=wall[0], ends=wall[1], note=note, schedule_id=schedule_id))
        uow.session.flush()
        uow.session.execute(update(ScheduleRow).values(changed_at=changed_at))


def run(world, *, at=None):
    world.times.product = at or world.times.product
    return write_hand_offs(world.context)


def mails(world):
    return [(mail.to[0].split("@")[0], mail.state) for mail in rows(world.database, OutgoingMail)]


def texts(world):
    return [(row.user_id, row.state) for row in rows(world.database, Notification, kind="info")]


def move_hand_off(world, at):
    """Bob goes and Carol comes at another time."""
    wall = at.replace(tzinfo=None) + HOUR
    with world.database.unit_of_work() as uow:
        for shift in uow.session.scalars(select(ShiftRow)):
            if shift.user_id == BOB:
                shift.ends = wall
            else:
                shift.starts = wall
        uow.session.flush()
        uow.session.execute(update(ScheduleRow).values(changed_at=NOW - 90 * DAY))


def take_cards_before(world):
    """Bob's card, which came when he did."""
    run(world, at=NOON - 7 * DAY + timedelta(minutes=1))
    return len(rows(world.database, HandOff))


def test_who_comes_on_duty_gets_a_mail_and_a_text_once_however_often_it_runs(shop):
    assert take_cards_before(shop) == 1
    assert run(shop, at=NOON - timedelta(minutes=1)) == "Nobody came on duty."
    assert run(shop, at=NOON) == "1 cards, 1 texts."
    for minutes in (0, 1, 60, 60 * 24):
        run(shop, at=NOON + timedelta(minutes=minutes))
    assert mails(shop) == [("bob", "pending"), ("carol", "pending")]
    assert texts(shop) == [(BOB, "pending"), (CAROL, "pending")]
    card = rows(shop.database, HandOff)[-1]
    assert (card.user_id, card.at, card.ends_at, card.written_at, card.text_due_at) == (
        CAROL, NOON, NOON + 7 * DAY, NOON, None,
    )  # fmt: skip


def test_the_card_says_what_is_open_what_was_and_who_is_next(shop):
    one, two = (
        add_ticket(shop.database, priority=1),
        add_ticket(shop.database, "Slow mail", priority=2, assignee_id=ALICE),
    )
    add_ticket(shop.database, "No hurry", priority=3)
    add_ticket(shop.database, "Done", priority=1, status="resolved", is_open=False)
    over = add_ticket(shop.database, "Full disk", priority=3, status="closed", is_open=False)
    with shop.database.unit_of_work() as uow:
        uow.session.add(Page(kind="ticket", ticket_id=one, state="acknowledged", opened_at=NOON, acknowledged_by=BOB))
        uow.session.add(
            Page(kind="ticket", ticket_id=over, state="resolved", opened_at=NOON - DAY, acknowledged_by=BOB)
        )
        uow.session.add(Page(kind="test", state="open", opened_at=NOON - DAY, user_id=BOB))
    add_shift(shop, ALICE, NOON + 7 * DAY, NOON + 8 * DAY)
    run(shop)
    (mail,) = rows(shop.database, OutgoingMail)
    assert mail.subject == "You are on call until Mon 4 Jan 12:00"
    assert mail.text == (
        "Hello Carol,\n\n"
        "You are on call from Mon 28 Dec 12:00 until Mon 4 Jan 12:00 (Europe/Berlin).\n"
        "Before you: Bob.\nAfter you: Alice.\n\n"
        "Note: The router of Acme restarts at night.\n\n"
        f"Open pages (1)\n  P1 #{one} Server down: Nobody can work. - Bob has it\n\n"
        f"Open P1 and P2 tickets (2)\n  P1 #{one} Server down - new, nobody’s yet\n"
        f"  P2 #{two} Slow mail - new, Alice\n\n"
        f"Since Mon 21 Dec 12:00: 1 page, 1 answered\n  P3 #{over} Full disk: Nobody can work. - answered by Bob\n"
    )
    (text,) = rows(shop.database, Notification, kind="info")
    assert text.text.startswith("You are on call until Mon 4 Jan 12:00. Before you: Bob. Open: 1 page, 2 P1/P2: ")
    assert (count_segments(text.text).encoding, count_segments(text.text).count) == ("GSM-7", 1)
    assert (text.number, text.dedupe_key) == ("+15550102", "hand-off:1")


def test_what_is_told_is_of_the_schedules_own_queues(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.add(ScheduleRow(id=2, name="Servers", changed_at=NOW))
        uow.session.flush()
        uow.session.add(Queue(id=9, name="Racks", schedule_id=2))
    add_ticket(shop.database, "Rack down", priority=1, queue_id=9)
    add_shift(shop, ALICE, NOON, NOON + DAY, schedule_id=2)
    run(shop)
    carol, alice = rows(shop.database, OutgoingMail)
    assert (carol.to, "Rack down" in carol.text) == (["carol@acme.example"], False)
    assert alice.subject == "You are on call until Tue 29 Dec 12:00 (Servers)"
    assert "Rack down" in alice.text


def test_after_an_outage_a_late_card_is_mailed_and_not_texted(shop):
    run(shop, at=NOON + timedelta(minutes=61))
    assert (mails(shop), texts(shop)) == ([("carol", "pending")], [])


def test_whose_duty_is_over_after_an_outage_gets_no_card(shop):
    run(shop, at=NOON + 8 * DAY)
    assert (mails(shop), rows(shop.database, HandOff)) == ([], [])


def test_at_night_the_mail_goes_at_once_and_the_text_waits_for_the_morning(shop):
    midnight, morning = NOON + 11 * HOUR, NOON + 19 * HOUR
    move_hand_off(shop, midnight)
    run(shop, at=midnight)
    assert (mails(shop), texts(shop)) == ([("carol", "pending")], [])
    run(shop, at=morning)
    run(shop, at=morning + HOUR)
    assert texts(shop) == [(CAROL, "pending")]


def test_who_was_rung_meanwhile_needs_no_text(shop):
    midnight = NOON + 11 * HOUR
    move_hand_off(shop, midnight)
    run(shop, at=midnight)
    with shop.database.unit_of_work() as uow:
        uow.session.add(Notification(dedupe_key="x", user_id=CAROL, kind="page", number="+1", text="",
                                     state="delivered", created_at=midnight + HOUR))  # fmt: skip
    run(shop, at=midnight + 8 * HOUR)
    assert texts(shop) == []


def test_who_is_off_duty_again_by_the_morning_is_not_told_otherwise(shop):
    midnight = NOON + 11 * HOUR
    move_hand_off(shop, midnight)
    run(shop, at=midnight)
    with shop.database.unit_of_work() as uow:
        uow.session.scalars(select(ShiftRow).where(ShiftRow.user_id == CAROL)).one().ends = datetime(2026, 12, 29, 1)
    run(shop, at=midnight + 8 * HOUR)
    assert texts(shop) == []


def test_a_morning_that_was_missed_is_missed(shop):
    midnight = NOON + 11 * HOUR
    move_hand_off(shop, midnight)
    run(shop, at=midnight)
    run(shop, at=midnight + 9 * HOUR + timedelta(minutes=1))
    assert texts(shop) == []
    assert rows(shop.database, HandOff)[0].text_due_at is None


def test_who_comes_on_duty_by_a_change_of_the_roster_gets_a_card_too_once(shop):
    later = NOON + 5 * HOUR
    run(shop)
    add_shift(shop, ALICE, later - timedelta(minutes=59), NOON + DAY, changed_at=later)
    for minute in (0, 1, 59):
        run(shop, at=later + timedelta(minutes=minute))
    assert mails(shop) == [("carol", "pending"), ("alice", "pending")]
    assert texts(shop) == [(CAROL, "pending"), (ALICE, "pending")]


def test_a_duty_that_was_written_down_long_after_it_began_is_no_news(shop):
    """A site that is being set up, or a roster brought up to date."""
    add_shift(shop, ALICE, NOON - DAY, NOON + DAY, changed_at=NOON)
    for minute in (0, 30, 600):
        run(shop, at=NOON + timedelta(minutes=minute))
    assert [name for name, _ in mails(shop)] == ["carol"]


def test_a_duty_made_longer_or_cut_in_two_is_still_the_same(shop):
    run(shop)
    with shop.database.unit_of_work() as uow:
        uow.session.scalars(select(ShiftRow).where(ShiftRow.user_id == CAROL)).one().ends = datetime(2026, 12, 29, 12)
    add_shift(shop, CAROL, NOON + DAY, NOON + 9 * DAY, changed_at=NOON + HOUR)
    add_shift(shop, CAROL, NOON - HOUR, NOON + HOUR, changed_at=NOON + HOUR)
    for hours in (1, 25, 100):
        run(shop, at=NOON + hours * HOUR)
    assert (mails(shop), len(texts(shop))) == ([("carol", "pending")], 1)


def test_ones_own_next_night_is_mailed_and_not_texted(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.scalars(select(ShiftRow).where(ShiftRow.user_id == CAROL)).one().ends = datetime(2026, 12, 28, 14)
    add_shift(shop, CAROL, NOON + 6 * HOUR, NOON + 8 * HOUR)
    run(shop)
    run(shop, at=NOON + 6 * HOUR)
    assert (len(mails(shop)), len(texts(shop))) == (2, 1)


def test_an_exception_puts_its_note_on_the_card(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.add(OverrideRow(kind="add", user_id=ALICE, starts=datetime(2026, 12, 28, 12), note="Bring the keys",
                                    ends=datetime(2026, 12, 28, 18), created_at=NOW))  # fmt: skip
    run(shop)
    (alice,) = [mail for mail in rows(shop.database, OutgoingMail) if mail.to == ["alice@acme.example"]]
    assert "Note: Bring the keys" in alice.text
    assert "With you: Carol." in alice.text


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"oncall__hand_off_mail": False}, (0, 1)),
        ({"oncall__hand_off_text": False}, (1, 0)),
        ({"sms__provider": ""}, (1, 0)),
    ],
)
def test_mail_and_text_can_be_switched_off(shop, settings, expected):
    shop.set(**settings)
    run(shop)
    assert (len(mails(shop)), len(texts(shop))) == expected


def test_watch_mode_writes_the_card_and_holds_it_back(shop):
    shop.set(site__live=False)
    run(shop)
    assert (mails(shop), texts(shop)) == ([("carol", "cancelled")], [(CAROL, "cancelled")])


def test_somebody_without_a_phone_or_a_mailbox_that_sends_still_has_their_card_noted(shop):
    with shop.database.unit_of_work() as uow:
        uow.session.query(Phone).filter_by(user_id=CAROL).one().is_stopped = True
        uow.session.get_one(MailboxRow, 1).options = {}
    assert run(shop) == "1 cards, 0 texts."
    assert run(shop) == "Nobody came on duty."


def test_a_kill_before_the_commit_leaves_nothing_and_the_next_run_does_it_all(shop, monkeypatch):
    def die(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("portal.services.hand_offs.add_text", die)
        with pytest.raises(KeyboardInterrupt):
            run(shop)
    assert (mails(shop), rows(shop.database, HandOff)) == ([], [])
    run(shop)
    assert (mails(shop), texts(shop)) == ([("carol", "pending")], [(CAROL, "pending")])


def test_who_has_been_on_duty_for_longer_than_is_looked_back_gets_no_card(shop):
    shop.put_on_call(ALICE)
    run(shop, at=NOON + 60 * DAY)
    assert mails(shop) == []
    with shop.database.unit_of_work() as uow:
        uow.session.get_one(User, ALICE).is_active = False
    assert run(shop) == "Nobody came on duty."


def test_a_clock_that_was_ahead_does_not_cost_anybody_their_card(shop):
    nights = [(NOON + timedelta(days=day), NOON + timedelta(days=day, hours=1)) for day in (8, 9)]
    for starts_at, ends_at in nights:
        add_shift(shop, ALICE, starts_at, ends_at)
    run(shop, at=nights[1][0])
    assert mails(shop) == [("alice", "pending")]
    run(shop, at=nights[0][0])
    run(shop, at=nights[1][0])
    assert mails(shop) == [("alice", "pending")] * 2
