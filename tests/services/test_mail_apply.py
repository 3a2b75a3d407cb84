import pytest
from sqlalchemy import select

from portal.core.intake import IntakePlan
from portal.core.mail import parse_mail
from portal.core.ports import FetchedMail
from portal.models import KnownMessageId, MailboxRow, MailLedger, Message, Ticket
from portal.services.mail_apply import apply_plan
from portal.services.mail_store import store_mails
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, add_mailbox, make_mail_world
from tests.services.paging_world import add_ticket


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.mailbox_id = add_mailbox(world)
    return world


def apply(world, plan, raw=None):
    raw = raw or mail_bytes(extra={"References": "<a@c> <b@c>"})
    with world.database.unit_of_work() as uow:
        mailbox = uow.session.get_one(MailboxRow, world.mailbox_id)
        store_mails(uow, mailbox, [FetchedMail("7:1", "INBOX", NOW, len(raw), raw)], now=NOW)
        row = uow.session.scalars(select(MailLedger)).one()
        return apply_plan(world, uow, row, parse_mail(raw), plan=plan, html="<p>clean</p>")


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model)))


def test_a_new_ticket_knows_its_own_id_and_those_it_answers(world):
    ticket_id = apply(world, IntakePlan("ticket", "new"))
    known = {row.message_id: row.ticket_id for row in every(world, KnownMessageId)}
    assert known == dict.fromkeys(("<one@customer.example>", "<a@c>", "<b@c>"), ticket_id)
    assert every(world, Message)[0].html == "<p>clean</p>"


def test_an_id_that_belongs_to_a_ticket_stays_there(world):
    first = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        uow.session.add(KnownMessageId(message_id="<a@c>", ticket_id=first))
    apply(world, IntakePlan("ticket", "new"))
    assert {row.message_id: row.ticket_id for row in every(world, KnownMessageId)}["<a@c>"] == first


@pytest.mark.parametrize(
    ("verdict", "kinds"),
    [("duplicate", ["request"]), ("ignored", ["request"]), ("automatic", ["request", "automatic"])],
)
def test_what_joins_and_what_is_only_noted(world, verdict, kinds):
    ticket_id = add_ticket(world.database)
    assert apply(world, IntakePlan(verdict, "why", ticket_id)) == ticket_id
    assert [message.kind for message in every(world, Message)] == kinds


@pytest.mark.parametrize("verdict", ["automatic", "bounce", "quarantined"])
def test_a_verdict_without_a_ticket_makes_none(world, verdict):
    assert apply(world, IntakePlan(verdict, "why")) is None and every(world, Ticket) == []


def test_a_mail_without_any_id_is_taken_in(world):
    assert apply(world, IntakePlan("ticket", "new"), mail_bytes(message_id=""))
    assert every(world, KnownMessageId) == []
