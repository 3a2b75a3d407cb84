import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from portal.models import Message, OutgoingMail, PageDecisionRow, Requester, SettingRow, Ticket, TicketCount
from portal.services.ticket_files import import_tickets
from tests.services.mail_world import NOW, add_mailbox, make_mail_world

CSV = """title,body,created,status,priority,requester,reply
VPN down,"It says
error 5",2025-11-21 10:00,closed,P1,Dana Reyes <dana@customer.example>,Restarted it.
,,,,,,
Broken,x,never,new,P2,,
Mouse,,,,,Carol,
"""


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    with world.database.unit_of_work() as uow:
        uow.session.add(SettingRow(key="site.zone", value='"Europe/Berlin"'))
    return world


def run(world, lines, **options):
    return import_tickets(world, lines, pause=lambda seconds: None, **options)


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_rows_become_tickets_and_the_refused_are_named(world):
    report = run(world, CSV.splitlines(keepends=True), is_json=False)
    assert report.taken == 2 and [(row.line, row.reason) for row in report.refused] == [(5, "unreadable time 'never'")]
    vpn, mouse = every(world, Ticket)
    assert (report.first_id, report.last_id) == (vpn.id, mouse.id)
    assert (vpn.status, vpn.is_open, vpn.priority, vpn.source) == ("closed", False, 1, "import")
    assert (
        vpn.received_at == datetime(2025, 11, 21, 9, tzinfo=UTC) == vpn.closed_at and vpn.resolution == "Restarted it."
    )
    assert (mouse.status, mouse.priority, mouse.received_at) == ("new", 3, NOW)
    assert [(one.kind, one.body) for one in every(world, Message)] == [
        ("request", "It says\nerror 5"), ("answer", "Restarted it."), ("request", "Mouse"),
    ]  # fmt: skip
    assert [one.name for one in every(world, Requester)][-2:] == ["Dana Reyes", "Carol"]


def test_an_import_pages_nobody_and_mails_nobody(world):
    add_mailbox(world)
    run(
        world,
        [json.dumps({"title": "Server down", "priority": "P1", "requester": "dana@customer.example"})],
        is_json=True,
    )
    assert every(world, Ticket)[0].is_imported
    assert every(world, PageDecisionRow) == [] and every(world, OutgoingMail) == []


def test_many_rows_are_committed_in_small_pieces_with_pauses(world):
    pauses = []
    lines = [json.dumps({"title": f"Ticket {n}"}) for n in range(12)]
    report = import_tickets(world, lines, is_json=True, pause=pauses.append)
    assert report.taken == 12 and len(pauses) == 3 and all(pause > 0 for pause in pauses)
    with world.database.read_session() as session:
        assert session.scalar(select(func.sum(TicketCount.n))) == 12


def test_an_empty_file_takes_nothing(world):
    report = run(world, [], is_json=False)
    assert report.taken == 0 and report.refused == [] and report.first_id is None
