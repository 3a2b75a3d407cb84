"""Who is on call on holidays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.roster import HolidayPolicy
from portal.models import AuditEvent, HolidayPolicyRow, HolidayRow, SettingRow, ShiftRow, User
from portal.services.audit import Change
from portal.services.holiday_policies import Choice, fingerprint_of_days, list_holiday_days, save_choices
from portal.services.overrides import RosterMovedError
from portal.services.schedules import on_call_at
from tests.services.ticket_world import ALICE, BOB

NOW = datetime(2026, 12, 24, 22, 59, tzinfo=UTC)  # 23:59 of Christmas Eve in Berlin
EVE, CHRISTMAS, BOXING, NEW_YEAR = date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)
NORMAL, EVERYONE, NOBODY = (Choice(one) for one in (HolidayPolicy.NORMAL, HolidayPolicy.EVERYONE, HolidayPolicy.NOBODY))
CAROL = 3


def only(person_id):
    return Choice(HolidayPolicy.PERSON, person_id)


@pytest.fixture
def shop(database):
    """Bob is on call all winter. Christmas Eve is a half-day; a proposal and a day too far away are not to decide."""
    with database.unit_of_work() as uow:
        uow.session.add(User(id=CAROL, email="carol@a.example", name="Carol", role="viewer", created_at=NOW))
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
        uow.session.add(ShiftRow(user_id=BOB, starts=datetime(2026, 12, 1), ends=datetime(2027, 4, 1)))
        holiday = {"state": "accepted", "calendar_id": 1}
        uow.session.add(HolidayRow(observed_on=EVE, name="Christmas Eve", closes_from=720, **holiday))
        for on, name in ((CHRISTMAS, "Christmas"), (BOXING, "Boxing Day"), (NEW_YEAR, "New Year")):
            uow.session.add(HolidayRow(observed_on=on, name=name, **holiday))
        uow.session.add(HolidayRow(observed_on=date(2028, 4, 1), name="Far away", **holiday))
        uow.session.add(HolidayRow(observed_on=date(2027, 1, 6), name="Epiphany", state="proposed"))
    return database


def days(database, **keywords):
    with database.read_session() as session:
        return {day.on: day for day in list_holiday_days(session, now=NOW, **keywords)}


def seen(database):
    with database.read_session() as session:
        return fingerprint_of_days(session)


def save(database, choices, *, mark=None):
    mark = mark if mark is not None else seen(database)
    with database.unit_of_work() as uow:
        return save_choices(uow, choices, seen=mark, now=NOW, change=Change(ALICE, NOW))


def people_at(database, *at):
    with database.read_session() as session:
        return sorted(duty.person_id for duty in on_call_at(session, datetime(*at, tzinfo=UTC)))


def test_the_accepted_holidays_of_fourteen_months_are_listed_with_their_roster(shop):
    found = days(shop)
    assert [(on, day.names, day.is_half, day.is_begun) for on, day in found.items()] == [
        (EVE, ("Christmas Eve",), True, True),
        (CHRISTMAS, ("Christmas",), False, False),
        (BOXING, ("Boxing Day",), False, False),
        (NEW_YEAR, ("New Year",), False, False),
    ]
    assert [duty.person_id for duty in found[CHRISTMAS].duties] == [BOB]
    assert found[CHRISTMAS].choice == NORMAL


@pytest.mark.parametrize(
    ("choice", "people"), [(only(ALICE), [ALICE]), (EVERYONE, [ALICE, BOB]), (NOBODY, []), (NORMAL, [BOB])]
)
def test_a_decision_holds_from_midnight_to_midnight_and_is_shown_before_it_is_saved(shop, choice, people):
    shown = days(shop, choices={CHRISTMAS: choice})[CHRISTMAS]
    assert sorted(duty.person_id for duty in shown.duties) == people
    assert people_at(shop, 2026, 12, 25, 12) == [BOB]
    save(shop, {CHRISTMAS: choice})
    assert people_at(shop, 2026, 12, 24, 22) == [BOB]
    assert people_at(shop, 2026, 12, 24, 23) == people_at(shop, 2026, 12, 25, 22) == people
    assert people_at(shop, 2026, 12, 25, 23) == [BOB]
    assert days(shop)[CHRISTMAS].choice == choice


def test_many_are_decided_at_once_and_only_what_differs_leaves_a_trace(shop):
    assert save(shop, {CHRISTMAS: EVERYONE, BOXING: NORMAL, NEW_YEAR: NOBODY}) == 2
    assert save(shop, {CHRISTMAS: only(BOB), BOXING: NORMAL, NEW_YEAR: NORMAL}) == 2
    with shop.read_session() as session:
        rows = session.scalars(select(HolidayPolicyRow)).all()
        assert [(row.observed_on, row.policy, row.user_id) for row in rows] == [(CHRISTMAS, "person", BOB)]
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "holiday.duty")).all()
        assert [(event.subject, event.data["after"]) for event in events] == [
            ("2026-12-25", {"policy": "everyone"}),
            ("2027-01-01", {"policy": "nobody"}),
            ("2026-12-25", {"policy": "person", "person_id": BOB}),
            ("2027-01-01", {"policy": "normal"}),
        ]


def test_the_later_of_two_people_is_told_and_nothing_is_saved(shop):
    mark = seen(shop)
    save(shop, {CHRISTMAS: EVERYONE})
    with pytest.raises(RosterMovedError, match="Somebody else decided holidays meanwhile"):
        save(shop, {BOXING: NOBODY}, mark=mark)
    assert days(shop)[BOXING].choice == NORMAL


@pytest.mark.parametrize(
    ("on", "choice", "reason"),
    [
        (EVE, NOBODY, "Thu 24 Dec 2026 has begun"),
        (date(2026, 12, 1), NOBODY, "has begun"),
        (date(2027, 1, 6), NOBODY, "Wed 6 Jan 2027 is no holiday any more"),
        (CHRISTMAS, only(CAROL), "cannot be on call"),
        (CHRISTMAS, only(None), "cannot be on call"),
        (CHRISTMAS, Choice(HolidayPolicy.NOBODY, BOB), "needs a name"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_is_saved(shop, on, choice, reason):
    with pytest.raises(DomainError, match=reason):
        save(shop, {NEW_YEAR: EVERYONE, on: choice})
    assert not [day for day in days(shop).values() if day.choice != NORMAL]


def test_a_decision_for_a_day_that_is_no_holiday_any_more_is_shown_and_can_be_taken_back(shop):
    save(shop, {CHRISTMAS: NOBODY})
    with shop.unit_of_work() as uow:
        uow.session.query(HolidayRow).filter_by(observed_on=CHRISTMAS).one().state = "ignored"
    assert days(shop)[CHRISTMAS].names == ()
    save(shop, {CHRISTMAS: NORMAL})
    assert CHRISTMAS not in days(shop)


def test_a_plan_for_a_date_that_has_begun_shows_what_stands(shop):
    later = {EVE - timedelta(days=1): NOBODY, EVE: NOBODY}
    assert [duty.person_id for duty in days(shop, choices=later)[EVE].duties] == [BOB]
