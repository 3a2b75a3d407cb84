"""Members, phones, links, passwords, the throttle."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from portal.core.errors import DomainError
from portal.models import AuditEvent, EscalationStepRow, Page, Phone, SettingRow, ShiftRow, SignInAttempt, Ticket, User
from portal.services import people
from portal.services.audit import Change
from tests.services.ticket_world import ALICE, BOB, NOW, counted_statements
from tests.web.conftest import CountingRandom

CHANGE = Change(ALICE, NOW)
PASSWORD = "correct horse"


def do(database, function, *args, **kwargs):
    with database.unit_of_work() as uow:
        return function(uow, *args, **kwargs)


def bob(database):
    with database.read_session() as session:
        return people.find_person(session, BOB)


RANDOM = CountingRandom()


def link(database, purpose=people.INVITE, at=NOW):
    with database.unit_of_work() as uow:
        user = uow.session.get_one(User, BOB)
        return people.make_link(uow, user, purpose, random=RANDOM, change=Change(None, at))


def test_a_new_member_is_found_by_address_in_any_case(database):
    profile = people.Profile(" Frank@A.Example ", "  Frank   F ", "manager", ("+49 151 12345678", "", "+4915112345678"))
    made = do(database, people.add_person, profile, change=CHANGE)
    with database.read_session() as session:
        user = people.find_by_email(session, "FRANK@a.example")
        assert (user.id, user.name, user.role, user.password_hash) == (made.id, "Frank F", "manager", "")
        assert [phone.number for phone in user.phones] == ["+4915112345678"]
        event = session.scalars(select(AuditEvent)).one()
    assert (event.action, event.subject, event.actor_id) == ("person.add", "frank@a.example", ALICE)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (people.Profile("bob@a.example", "Bob", "viewer"), "is here already"),
        (people.Profile("nowhere", "X", "viewer"), "Give a mail address"),
        (people.Profile("a b@c.de", "X", "viewer"), "Give a mail address"),
        (people.Profile("x@localhost", "X", "viewer"), "Give a mail address"),
        (people.Profile("x@a.example", "  ", "viewer"), "Give a name"),
        (people.Profile("x@a.example", "X", "boss"), "A role is one of"),
        (people.Profile("x@a.example", "X", "viewer", ("12",)), "country code"),
    ],
)
def test_a_member_that_cannot_be_is_refused(database, profile, words):
    with pytest.raises(DomainError, match=words):
        do(database, people.add_person, profile, change=CHANGE)


def test_everybody_is_listed_with_phones_in_two_statements_active_first(database):
    do(database, people.add_person, people.Profile("aaron@a.example", "Aaron", "viewer"), change=CHANGE)
    do(database, people.disable_person, 3, change=CHANGE)
    with database.read_session() as session, counted_statements(session) as seen:
        names = [user.name for user in people.list_people(session) if user.phones == []]
    assert names == ["Alice", "Bob", "Aaron"]
    assert len(seen) == 2


def test_editing_keeps_what_is_known_of_a_number_that_stays(database):
    profile = people.Profile("bob@a.example", "Bob", "technician", ("+4915112345678",))
    do(database, people.edit_person, BOB, profile, change=CHANGE)
    with database.unit_of_work() as uow:
        uow.session.scalars(select(Phone)).one().is_stopped = True
    profile = people.Profile("rob@a.example", "Rob", "viewer", ("+49301234567", "+4915112345678"))
    do(database, people.edit_person, BOB, profile, change=CHANGE)
    user = bob(database)
    assert (user.email, user.name, user.role) == ("rob@a.example", "Rob", "viewer")
    assert [(p.number, p.position, p.is_stopped) for p in user.phones] == [
        ("+49301234567", 0, False),
        ("+4915112345678", 1, True),
    ]


def test_an_edit_that_changes_nothing_leaves_no_trace_and_a_new_number_does(database):
    profile = people.Profile("bob@a.example", "Bob", "technician")
    do(database, people.edit_person, BOB, profile, change=CHANGE)
    with database.read_session() as session:
        assert session.scalars(select(AuditEvent)).all() == []
    for number in ("+4915112345678", "+4915112345679"):
        do(
            database,
            people.edit_person,
            BOB,
            people.Profile(profile.email, "Bob", "technician", (number,)),
            change=CHANGE,
        )
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 2


def test_an_address_belongs_to_one_person(database):
    with pytest.raises(DomainError, match="belongs to Alice"):
        do(database, people.edit_person, BOB, people.Profile("alice@a.example", "Bob", "viewer"), change=CHANGE)
    with pytest.raises(DomainError, match="not here any more"):
        do(database, people.edit_person, 99, people.Profile("x@a.example", "X", "viewer"), change=CHANGE)


def test_there_is_always_an_administrator(database):
    with pytest.raises(DomainError, match="must stay administrator"):
        do(database, people.disable_person, ALICE, change=CHANGE)
    with pytest.raises(DomainError, match="must stay administrator"):
        do(database, people.edit_person, ALICE, people.Profile("a@a.example", "A", "viewer"), change=CHANGE)
    do(database, people.edit_person, BOB, people.Profile("bob@a.example", "Bob", "admin"), change=CHANGE)
    do(database, people.disable_person, ALICE, change=CHANGE)
    with pytest.raises(DomainError, match="must stay administrator"):
        do(database, people.disable_person, BOB, change=CHANGE)


def test_disabling_ends_sessions_and_links_and_can_be_taken_back(database):
    token = link(database)
    before = bob(database).session_epoch
    do(database, people.disable_person, BOB, change=CHANGE)
    do(database, people.disable_person, BOB, change=CHANGE)
    user = bob(database)
    assert (user.is_active, user.session_epoch) == (False, before + 1)
    with database.read_session() as session:
        assert people.find_link(session, token, now=NOW) is None
    do(database, people.enable_person, BOB, change=CHANGE)
    assert bob(database).is_active


def test_before_disabling_it_is_said_what_would_be_missing(database):
    wall = datetime(2026, 11, 21, 2, 10)
    with database.unit_of_work() as uow:
        for start, hours in ((-30, 30), (24, 8), (24 * 20, 8)):
            starts = wall + timedelta(hours=start)
            uow.session.add(ShiftRow(user_id=BOB, starts=starts, ends=starts + timedelta(hours=hours)))
        uow.session.add(SettingRow(key="paging.fallback", value=str(BOB)))
        uow.session.add(EscalationStepRow(position=0, after_minutes=5, target="person", user_id=BOB))
    with database.read_session() as session:
        said = people.warn_of_disabling(session, BOB, now=NOW, zone=ZoneInfo("UTC"))
        nothing = people.warn_of_disabling(session, ALICE, now=NOW, zone=ZoneInfo("UTC"))
        earlier = people.warn_of_disabling(session, BOB, now=NOW - timedelta(minutes=1), zone=ZoneInfo("UTC"))
    assert said[0] == "On call next on Sun 22 Nov 02:10."
    assert "fallback person" in said[1] and "step of the escalation" in said[2] and len(said) == 3
    assert nothing == []
    assert earlier[0] == "On call now, until Sat 21 Nov 02:10." and earlier[1].startswith("2 turns")


def test_before_disabling_it_is_said_which_pages_nobody_else_is_asked_about(database):
    held = {"state": "acknowledged", "opened_at": NOW, "acknowledged_by": BOB}
    with database.unit_of_work() as uow:
        ticket = Ticket(id=12, subject="x", status="new", is_open=True, priority=1, source="mail", received_at=NOW,
                        created_at=NOW, changed_at=NOW)  # fmt: skip
        uow.session.add(ticket)
        uow.session.flush()
        uow.session.add_all([Page(kind="ticket", ticket_id=12, **held), Page(kind="digest", **held)])
        uow.session.add(Page(kind="digest", **{**held, "state": "resolved"}))
    with database.read_session() as session:
        said = people.warn_of_disabling(session, BOB, now=NOW, zone=ZoneInfo("UTC"))
    assert said == [
        "Has taken the page about #12, and nobody else is asked.",
        "Has taken the page about late requests, and nobody else is asked.",
    ]


def test_a_link_works_once_for_three_days_and_is_kept_as_a_hash(database):
    token = link(database)
    with database.read_session() as session:
        assert people.find_link(session, f" {token.upper()} ", now=NOW).user_id == BOB
        assert people.find_link(session, token, now=NOW + people.LINK_LIFE) is None
        assert people.find_link(session, "wrong", now=NOW) is None
        assert token not in people.find_link(session, token, now=NOW).token_hash
    do(database, people.use_link, token, people.make_password(PASSWORD), change_at=NOW)
    with pytest.raises(DomainError, match="used already"):
        do(database, people.use_link, token, people.make_password("another horse"), change_at=NOW)
    with database.read_session() as session:
        assert people.verify_sign_in(session, "bob@a.example", PASSWORD).id == BOB


@pytest.mark.parametrize("password", ["short", "x" * 201, "BOB@a.example"])
def test_a_password_that_is_too_easy_or_endless_is_refused(database, password):
    with pytest.raises(DomainError):
        people.check_password(password, user=bob(database))


def test_a_new_password_ends_other_sessions_and_clears_the_throttle(database):
    do(database, people.begin_sign_in, "bob@a.example", "10.0.0.1", now=NOW)
    with database.unit_of_work() as uow:
        people.set_password(uow, uow.session.get_one(User, BOB), people.make_password(PASSWORD), change=CHANGE)
    assert bob(database).session_epoch == 1
    with database.read_session() as session:
        assert [row.subject for row in session.scalars(select(SignInAttempt))] == ["address:10.0.0.1"]


def test_the_throttle_counts_accounts_and_addresses_and_forgets_after_a_quarter_of_an_hour(database):
    def is_throttled(email, address, at):
        try:
            do(database, people.begin_sign_in, email, address, now=at)
        except people.ThrottledError:
            return True
        return False

    tries = [is_throttled("Bob@a.example", f"10.0.0.{n}", NOW) for n in range(6)]
    assert tries == [False] * 5 + [True]
    assert not is_throttled("alice@a.example", "10.0.0.1", NOW)
    do(database, people.note_sign_in, BOB, "10.0.0.4", now=NOW)
    assert not is_throttled("bob@a.example", "10.9.9.9", NOW)
    assert not is_throttled("bob@a.example", "10.9.9.9", NOW + people.WINDOW)
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 2


def test_signing_in_again_and_again_throttles_nobody(database):
    for _ in range(people.MOST_PER_ADDRESS + 1):
        do(database, people.begin_sign_in, "bob@a.example", "10.0.0.1", now=NOW)
        do(database, people.note_sign_in, BOB, "10.0.0.1", now=NOW)
    with database.read_session() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def test_nobody_signs_in_without_a_password_or_when_disabled(database):
    with database.read_session() as session:
        assert people.verify_sign_in(session, "bob@a.example", "") is None
        assert people.verify_sign_in(session, "nobody@a.example", PASSWORD) is None
    with database.unit_of_work() as uow:
        people.set_password(uow, uow.session.get_one(User, BOB), people.make_password(PASSWORD), change=CHANGE)
    do(database, people.disable_person, BOB, change=CHANGE)
    with database.read_session() as session:
        assert people.verify_sign_in(session, "bob@a.example", PASSWORD) is None
