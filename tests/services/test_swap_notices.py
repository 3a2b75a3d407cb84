"""What is said about a swap, by mail and by text, and when."""

import pytest

from portal.core.swaps import Terms
from portal.models import Notification, OutgoingMail, Phone, Swap, UnitOfWork, User
from portal.services.audit import Change
from portal.services.swap_notices import (
    load_numbers,
    stop_asking,
    tell_asked,
    tell_asker,
    tell_dropped,
    tell_expired,
    tell_withdrawn,
    terms_of,
)
from portal.services.swaps import withdraw_swap
from tests.services.paging_world import BOB, CAROL, NUMBERS, rows
from tests.services.swap_world import answer, ask, given_nights, move_to, night

BOTH = Terms(BOB, CAROL, night(27), night(28))


@pytest.fixture
def nights(world):
    given_nights(world)
    world.context.site_url = "https://help.acme.example"
    return world


def withdraw(world, swap_id):
    with world.database.unit_of_work() as uow:
        withdraw_swap(world.context, uow, swap_id, change=Change(BOB, world.times.now()))


def mails(world):
    return [(row.to[0].split("@")[0], row.state, row.subject) for row in rows(world.database, OutgoingMail)]


def texts(world):
    return [(row.user_id, row.state, row.due_at) for row in rows(world.database, Notification)]


def test_the_mail_says_who_asks_for_what_and_the_three_ways_to_answer(nights):
    ask(nights, BOTH, note="Concert of my daughter")
    (mail,) = rows(nights.database, OutgoingMail)
    token = mail.text.split("/swap/")[1].split()[0]
    assert (mail.to, mail.event, mail.is_automatic) == (["carol@acme.example"], "swap", True)
    assert mail.subject == "Bob asks you to take a duty: Sun 27 Dec 18:00 to Mon 28 Dec 08:00"
    assert mail.text == (
        "Hello Carol,\n\nBob asks you to take this on-call duty:\n\n"
        "  Sun 27 Dec 18:00 to Mon 28 Dec 08:00 (Europe/Berlin)\n\nIn return Bob takes this one of yours:\n\n"
        "  Mon 28 Dec 18:00 to Tue 29 Dec 08:00 (Europe/Berlin)\n\nBob writes: Concert of my daughter\n\n"
        f"Say yes or no here: https://help.acme.example/swap/{token}\n"
        "Or text YES S1 or NO S1 from your phone.\n"
        "You can also sign in to Acme IT and open On call, Swaps.\n"
        "An answer to this mail itself is not read as a yes or a no.\n"
    )


def test_no_dead_link_and_no_text_where_neither_works(nights):
    nights.context.site_url = ""
    nights.set(sms__provider="")
    ask(nights, BOTH)
    (mail,) = rows(nights.database, OutgoingMail)
    assert "here:" not in mail.text and "text YES" not in mail.text
    assert texts(nights) == []


def test_at_night_the_text_waits_for_the_morning_and_an_answer_before_that_stops_it(nights):
    move_to(nights, 25, 2)
    swap_id = ask(nights, BOTH)
    ((_, state, due_at),) = texts(nights)
    assert (state, due_at.isoformat()) == ("pending", "2026-12-25T06:00:00+00:00")
    answer(nights, swap_id, CAROL)
    assert [(user, state) for user, state, _ in texts(nights)] == [(CAROL, "cancelled"), (BOB, "pending")]


def test_within_twelve_hours_of_the_duty_it_rings_at_night_too(nights):
    move_to(nights, 27, 5)  # 06:00 on the wall, and 12 hours to go
    ask(nights, BOTH)
    assert texts(nights)[0][2] == nights.times.now()


def test_watch_mode_holds_both_back(nights):
    nights.set(site__live=False)
    ask(nights, BOTH)
    assert [state for _, state, _ in mails(nights)] == [state for _, state, _ in texts(nights)] == ["cancelled"]


def test_what_has_left_is_taken_back_by_mail_and_what_has_not_stays_here(nights):
    first = ask(nights, BOTH)
    withdraw(nights, first)
    assert [state for _, state, _ in mails(nights)] == ["cancelled"]
    second = ask(nights, BOTH)
    with nights.database.unit_of_work() as uow:
        uow.session.query(OutgoingMail).filter_by(dedupe_key=f"swap:{second}:ask").one().state = "sent"
    withdraw(nights, second)
    assert mails(nights)[-1] == (
        "carol", "pending", "Bob no longer asks you to take a duty: Sun 27 Dec 18:00 to Mon 28 Dec 08:00"
    )  # fmt: skip


def test_the_asker_is_told_once_by_mail_and_text(nights):
    move_to(nights, 26, 10)
    swap_id = ask(nights, BOTH)
    answer(nights, swap_id, CAROL, accept=False)
    with nights.database.unit_of_work() as uow:
        swap = uow.session.get_one(Swap, swap_id)
        assert terms_of(swap) == BOTH
        tell_asker(nights.context, uow, swap, accept=False)
        tell_asked(nights.context, uow, swap, token="x")
        tell_withdrawn(nights.context, uow, swap)
        tell_expired(nights.context, uow, swap)
        tell_dropped(nights.context, uow, swap)
        assert not stop_asking(uow, swap)
    assert mails(nights) == [
        ("carol", "cancelled", "Bob asks you to take a duty: Sun 27 Dec 18:00 to Mon 28 Dec 08:00"),
        ("bob", "pending", "Carol cannot take your duty: Sun 27 Dec 18:00 to Mon 28 Dec 08:00"),
    ]
    assert [(user, state) for user, state, _ in texts(nights)] == [(CAROL, "cancelled"), (BOB, "pending")]


@pytest.mark.parametrize(
    ("terms", "day", "hour", "due"),
    [
        (BOTH, 27, 17, "2026-12-27T17:00:00+00:00"),
        (BOTH, 29, 17, None),  # the duty is over: only a mail
        (Terms(CAROL, BOB, night(28), night(27)), 28, 2, "2026-12-28T06:00:00+00:00"),  # theirs began, one's own waits
    ],
)
def test_that_it_ran_out_is_texted_when_it_is_of_use(nights, terms, day, hour, due):
    swap_id = ask(nights, terms)
    move_to(nights, day, hour)
    with nights.database.unit_of_work() as uow:
        tell_expired(nights.context, uow, uow.session.get_one(Swap, swap_id))
    assert [at.isoformat() for user, _, at in texts(nights) if user == terms.from_id] == ([due] if due else [])
    assert len(mails(nights)) == 2


def test_nobody_who_left_is_told(nights):
    swap_id = ask(nights, BOTH)
    with nights.database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = False
        tell_asker(nights.context, uow, uow.session.get_one(Swap, swap_id), accept=False)
    assert [name for name, _, _ in mails(nights)] == ["carol"]


def test_a_number_whose_owner_texted_stop_gets_nothing(nights):
    with nights.database.unit_of_work() as uow:
        uow.session.query(Phone).filter_by(number=NUMBERS[CAROL]).one().is_stopped = True
    ask(nights, BOTH)
    assert texts(nights) == []
    with nights.database.unit_of_work() as uow:
        assert isinstance(uow, UnitOfWork)
        assert (load_numbers(uow, CAROL), load_numbers(uow, BOB)) == ((), (NUMBERS[BOB],))
