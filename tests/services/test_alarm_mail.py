"""An alarm reaches the house by mail, also when texts are the trouble."""

from portal.models import Alarm, MailboxRow, OutgoingMail, User
from portal.services.alarm_mail import add_alarm_mail
from portal.services.alarms import end_alarm, raise_alarm
from portal.services.mail_out import why_stopped
from tests.services.paging_world import CAROL, NOW, later, rows


def add_mailbox(world, **options):
    with world.database.unit_of_work() as uow:
        box = MailboxRow(name="help", kind="imap", address="help@acme.example", next_at=NOW, options=options)
        uow.session.add(box)


def raise_it(world, at=NOW):
    with world.database.unit_of_work() as uow:
        return raise_alarm(uow, "sms-account", "No text can be sent.", now=at)


def end_it(world, at):
    with world.database.unit_of_work() as uow:
        end_alarm(uow, "sms-account", now=at)


def test_managers_and_admins_get_one_mail(world):
    add_mailbox(world, smtp={"host": "x"})
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, CAROL).role = "manager"
    raise_it(world)
    raise_it(world)
    (mail,) = rows(world.database, OutgoingMail)
    assert mail.to == ["alice@acme.example", "carol@acme.example"]
    assert mail.subject == "Alarm from Acme IT: No text can be sent."
    assert (mail.state, mail.is_automatic, mail.ticket_id) == ("pending", True, None)


def test_watch_mode_does_not_hold_it_back(world):
    add_mailbox(world, smtp={"host": "x"})
    world.set(site__live=False)
    raise_it(world)
    with world.database.read_session() as session:
        assert why_stopped(session, session.get_one(OutgoingMail, 1), session.get_one(MailboxRow, 1)) == ""


def test_an_alarm_that_comes_and_goes_is_mailed_once_an_hour(world):
    add_mailbox(world, smtp={"host": "x"})
    for minute in (0, 10, 75):
        raise_it(world, later(minutes=minute))
        end_it(world, later(minutes=minute + 1))
    assert [mail.created_at for mail in rows(world.database, OutgoingMail)] == [NOW, later(minutes=75)]


def test_it_goes_through_a_mailbox_at_microsoft_365_too_and_through_one_that_works_first(world):
    with world.database.unit_of_work() as uow:
        for name, since in (("dead", NOW), ("alive", None)):
            options = {"graph": {"address": f"{name}@acme.example"}}
            uow.session.add(
                MailboxRow(name=name, kind="graph", address=f"{name}@acme.example", next_at=NOW, options=options,
                           failing_since_at=since)
            )  # fmt: skip
    assert raise_it(world)
    (mail,) = rows(world.database, OutgoingMail)
    with world.database.read_session() as session:
        assert session.get_one(MailboxRow, mail.mailbox_id).name == "alive"


def test_without_a_mailbox_that_sends_there_is_no_mail(world):
    add_mailbox(world)
    assert raise_it(world)
    with world.database.unit_of_work() as uow:
        assert not add_alarm_mail(uow, uow.session.get_one(Alarm, 1), site_name="Acme IT", now=NOW)
    assert rows(world.database, OutgoingMail) == []
