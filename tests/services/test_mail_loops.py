"""Thirty days with machines that answer everything: at most three automatic mails a thread, and twenty in all."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select

from portal.core.errors import GatewayError
from portal.models import MailSuspension, Message, SettingRow, User
from tests.mails import mail_bytes
from tests.services.loop_world import Installation, Post, answer_by, bounce_by, without_signs

HELP = "help@a.example"
AWAY = "I am out of the office until Monday and answer when I am back. In urgent cases please call my colleagues."
PROPER = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
CANNED = (
    "Thank you for your message, we value it.", "Your inquiry has reached our team and is being handled.",
    "Please do not answer this mail, nobody reads it here.", "Our opening hours are nine to five.",
)  # fmt: skip


def shuffled(number, mail):
    """Other words each time."""
    return " ".join("abcdefghij"[int(digit)] * 3 + "klmnop"[number % 6] for digit in str(number * 48271 % 2147483647))


def changed(number, subject):
    return f"Notice {'abcdefgh'[number % 8]}"


def quoting(number, mail):
    return f"{AWAY}\nYour mail: {mail['Subject']}"


def lost(number, mail):
    return f"Your mail {mail['Message-ID']} could not be delivered to the mailbox"


def other_desk(number, mail):
    return f'Your request "{mail["Subject"]}" was logged as TT-{1000 + number}. Our team will look at it shortly.'


def in_german(number, mail):
    return f"Diese E-Mail konnte nicht zugestellt werden: {mail['To']}. Grund: Empfänger unbekannt (550 5.1.1)."


def echoed(number, mail):
    return mail.get_body(("plain",)).get_content()


def passed_on(number, mail):
    return f"---------- Forwarded message ---------\nFrom: Help <help@a.example>\n\n{echoed(number, mail)}"


DAY = 86_400
CHANGED = {"refers": False, "subject": changed}
ROBOTS = {
    "with proper headers": {"headers": PROPER},
    "with one header and nothing else": {"headers": {"Auto-Submitted": "auto-replied"}, **CHANGED},
    "with precedence only": {"headers": {"Precedence": "bulk"}, "refers": False},
    "without headers": {},
    "without headers and references": {"refers": False},
    "without references, quoting us": {"text": quoting, "refers": False, "subject": lambda n, s: f"Away: {s}"},
    "with a changed subject": CHANGED,
    "with several texts": {"text": lambda n, m: CANNED[n % 4], **CHANGED},
    "with other words each time": {"text": shuffled, **CHANGED},
    "a day later": {**CHANGED, "seconds": DAY},
    "a day later with other words": {"text": shuffled, **CHANGED, "seconds": DAY},
    "from another address each time": {"sender": "r{n}@r.example", **CHANGED},
    "a bouncing server that says nothing": {
        "sender": "mail-system@r.example", "text": lost, "refers": False, "subject": lambda n, s: "Your mail",
    },
    "another help desk": {"text": other_desk, "subject": lambda n, s: f"[TT-{1000 + n}] {s}", "refers": False},
    "another help desk with subjects of its own": {
        "text": other_desk, "subject": lambda n, s: f"[TT-{1000 + n}] New request", "refers": False,
    },
    "a list that echoes us": {"sender": "list@r.example", "text": echoed, "subject": lambda n, s: f"[list] {s}"},
    "a forwarder that sends us back": {"text": passed_on, "subject": lambda n, s: f"Fwd: {s}", "refers": False},
    "a mailer-daemon without a report": {"sender": "MAILER-DAEMON@r.example", "text": lost, **CHANGED},
    "a postmaster in German": {
        "sender": "postmaster@r.example", "text": in_german, "refers": False,
        "subject": lambda n, s: f"Unzustellbar: {s}",
    },
    "a bounce from no address": {"sender": "<>", "text": lost, **CHANGED},
    "a bounce of an unknown kind in German": {"sender": "mx@r.example", "text": in_german, **CHANGED},
    "with a tag in its address": {"sender": "r+{n}@r.example", **CHANGED},
    "at another provider each time": {"sender": "r@r{n}.other", **CHANGED},
    "from another address of a big provider each time": {"sender": "r{n}@gmail.com", **CHANGED},
}  # fmt: skip
# How long they wait, and from where: nothing of this may help them.
SLOWER = {
    f"{name}, after {seconds} s": {**ROBOTS[name], "seconds": seconds}
    for name in (
        "without headers and references", "with several texts", "from another address each time",
        "with a tag in its address", "at another provider each time", "another help desk with subjects of its own",
        "from another address of a big provider each time",
    )
    for seconds in (60, 5 * 3600, DAY)
}  # fmt: skip
SLOWER["with other words each time, after 5 hours"] = {"text": shuffled, **CHANGED, "seconds": 5 * 3600}
SLOWER["several texts from another address each time"] = {
    "sender": "r{n}@r.example", "text": lambda n, m: CANNED[n % 4], **CHANGED, "seconds": 5 * 3600,
}  # fmt: skip


def robot(name, domain="r.example"):
    options = {"sender": "r@r.example", "text": lambda n, m: AWAY, **(ROBOTS | SLOWER)[name]}
    return answer_by(options.pop("sender").replace("r.example", domain), options.pop("text"), **options)


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def shop(post, tmp_path):
    return Installation(post, tmp_path / "a", HELP)


def begin(post, sender="r@r.example", to=HELP):
    raw = mail_bytes("My printer is jammed.", sender=sender, to=to, message_id=f"<first.{sender}>", date="")
    post.post(to, raw)


def most_in_a_thread(shop):
    return max(Counter(mail.ticket_id for mail in shop.automatic).values(), default=0)


# The quickest of each kind; `make test-more` plays them all.
OFTEN = ("with proper headers", "without headers and references", "with a changed subject", "another help desk")


@pytest.mark.parametrize(
    "name", [one if one in OFTEN else pytest.param(one, marks=pytest.mark.more) for one in ROBOTS | SLOWER]
)
def test_a_robot_that_answers_everything_for_thirty_days(post, shop, name):
    post.people["*"] = robot(name)
    begin(post)
    post.run()
    print(
        f"{len(shop.automatic)} automatic mails, {most_in_a_thread(shop)} in a thread, {len(shop.trips)} stops: {name}"
    )
    assert 1 <= len(shop.automatic) <= 20 and most_in_a_thread(shop) <= 3
    if len(shop.automatic) > 3:
        assert shop.trips


def test_robots_that_are_known_by_their_words_get_three_each(post, shop):
    for name in ("without headers and references", "without references, quoting us", "with a changed subject"):
        domain = f"r{len(post.people)}.example"
        post.people[domain] = robot(name, domain)
        begin(post, sender=f"r@{domain}")
    post.run(days=1)
    by_address = Counter(mail.to[0] for mail in shop.automatic)
    assert max(by_address.values()) <= 3 and len(shop.trips) == 1


def test_after_one_delivery_report_a_dead_address_gets_nothing_more(post, shop):
    post.people["r.example"] = bounce_by("MAILER-DAEMON@r.example")
    begin(post)
    post.run()
    assert len(shop.automatic) == 1
    with shop.world.database.read_session() as session:
        assert session.get(MailSuspension, "r@r.example") is not None


def without_everything(mail):
    """A gateway that makes a new mail of each, with no word of ours that could be known again."""
    without_signs(mail)
    tag = re.compile(r"\[#\d+\] ?|Ref: .*|nd\.\d+\.[a-z0-9.]+")
    subject, text = (tag.sub("", one) for one in (str(mail["Subject"]), mail.get_body(("plain",)).get_content()))
    del mail["Subject"], mail["Message-ID"]
    mail["Subject"], mail["Message-ID"] = subject, f"<{hash(text) % 10**9}.{len(text)}@gateway.example>"
    mail.clear_content()
    mail.set_content(text)


@pytest.mark.parametrize(
    ("strip", "public", "hours"),
    [
        (None, "", 0),
        (without_signs, "", 0),
        (without_signs, "https://help.{}.example", -2),
        (without_everything, "", 0),
        (without_everything, "https://help.{}.example", -2),
        pytest.param(without_everything, "", 2, marks=pytest.mark.more),
    ],
)
def test_two_installations_wired_to_each_other(post, shop, tmp_path, strip, public, hours):
    """With and without public addresses; the mail server of the other has another clock."""
    shop.world.mail._strip = strip or (lambda mail: None)
    other = Installation(post, tmp_path / "b", "help@b.example", strip=strip, ahead=timedelta(hours=hours))
    for one, name in ((shop, "a"), (other, "b")):
        one.world.site_url = public.format(name)
    post.clock.move(3 * 3600)  # what a server dates before the connection is taken for old mail
    begin(post, sender="help@b.example")
    begin(post, sender="help@a.example", to="help@b.example")
    post.run()
    assert shop.automatic and other.automatic
    for one in (shop, other):
        print(f"{len(one.automatic)} automatic mails, {most_in_a_thread(one)} in a thread, {len(one.trips)} stops")
        assert len(one.automatic) <= 20 and most_in_a_thread(one) <= 3


@pytest.mark.more
@pytest.mark.parametrize("strip", [without_signs, without_everything])
def test_two_installations_whose_servers_take_mail_and_lose_the_answer(post, shop, tmp_path, strip):
    """Every third mail is sent again, and comes twice."""
    shop.world.mail._strip = strip
    other = Installation(post, tmp_path / "b", "help@b.example", strip=strip)
    for one in (shop, other):
        one.world.mail.send = losing(one.world.mail.send)
    begin(post, sender="help@b.example")
    begin(post, sender="help@a.example", to="help@b.example")
    for _ in range(60):
        post.run(1)
        post.clock.move(DAY / 2)
        shop.work()
        other.work()
    for one in (shop, other):
        assert 1 <= len(one.automatic) <= 20 and most_in_a_thread(one) <= 3


def losing(send):
    numbers = count()

    def send_and_lose(message):
        send(message)
        if next(numbers) % 3 == 0:
            raise GatewayError("The server broke off.")

    return send_and_lose


@pytest.mark.more
@pytest.mark.parametrize("words", [lambda n, m: AWAY, shuffled], ids=["the same words", "other words each time"])
def test_a_technicians_robot_and_a_requesters_do_not_talk_through_us(post, shop, words):
    """Both without any sign of a machine, every five hours."""
    options = {"seconds": 5 * 3600}
    post.people |= {
        "bob@staff.example": answer_by("bob@staff.example", words, **options),
        "r@r.example": answer_by("r@r.example", words, **options),
    }
    with shop.world.database.unit_of_work() as uow:
        uow.session.merge(SettingRow(key="mail.team", value=json.dumps("everyone")))
        uow.session.add(
            User(
                name="Bob", email="bob@staff.example", role="technician", password_hash="x", is_active=True,
                created_at=post.clock.now(),
            )
        )  # fmt: skip
    begin(post)
    post.run()
    with shop.world.database.read_session() as session:
        answers = session.scalars(select(Message).where(Message.kind == "answer")).all()
    if words is shuffled:
        assert len(answers) <= 25 and [trip.scope for trip in shop.trips] == ["thread"]
    else:
        assert len(answers) == 2 and not shop.trips


def test_everything_at_once_for_thirty_days(post, shop, tmp_path):
    """Two installations behind a gateway that strips every sign, an absent robot and a bouncing one, each twice."""
    shop.world.mail._strip = without_signs
    other = Installation(post, tmp_path / "b", "help@b.example", strip=without_signs)
    robots = {
        "absent.example": answer_by("r@absent.example", lambda n, m: AWAY, refers=False, subject=changed),
        "proper.example": answer_by("r@proper.example", lambda n, m: AWAY, headers=PROPER),
        "bounce.example": bounce_by("MAILER-DAEMON@bounce.example"),
        "silent.example": answer_by(
            "mail-system@silent.example", lambda n, m: "Your mail could not be delivered to the mailbox you named",
            refers=False, subject=lambda n, s: "Your mail",
        ),
    }  # fmt: skip
    post.people.update(robots)
    begin(post, sender="help@b.example")
    for domain in robots:
        begin(post, sender=f"r@{domain}")
        begin(post, sender=f"r@{domain}", to="help@b.example")
    post.run()
    for one in (shop, other):
        assert one.trips and most_in_a_thread(one) <= 3
        before = [mail for mail in one.automatic if mail.created_at < one.trips[0].tripped_at]
        print(f"{len(before)} before it spoke, {len(one.automatic)} in all, {most_in_a_thread(one)} in a thread")
        assert len(before) <= 20 and len(one.automatic) <= 30
