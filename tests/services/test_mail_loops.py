"""Thirty days with machines that answer everything: at most three automatic mails a thread, and twenty in all."""

from __future__ import annotations

from collections import Counter

import pytest

from portal.models import MailSuspension
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
}  # fmt: skip


def robot(name, domain="r.example"):
    options = {"sender": "r@r.example", "text": lambda n, m: AWAY, **ROBOTS[name]}
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


@pytest.mark.parametrize("name", ROBOTS)
def test_a_robot_that_answers_everything_for_thirty_days(post, shop, name):
    post.people["r.example"] = robot(name)
    begin(post)
    post.run()
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


@pytest.mark.parametrize("strip", [None, without_signs], ids=["with headers", "headers lost on the way"])
def test_two_installations_wired_to_each_other(post, shop, tmp_path, strip):
    shop.world.mail._strip = strip or (lambda mail: None)
    other = Installation(post, tmp_path / "b", "help@b.example", strip=strip)
    begin(post, sender="help@b.example")
    begin(post, sender="help@a.example", to="help@b.example")
    post.run()
    for one in (shop, other):
        assert len(one.automatic) <= 20 and most_in_a_thread(one) <= 3


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
        assert len(before) <= 20 and len(one.automatic) <= 30
