import pytest

from portal.models import Attachment, MailLedger, Message, SessionBlobStore, Ticket
from portal.services import message_view
from portal.services.mail_files import import_mails
from portal.services.mail_reader import TooCostlyError
from portal.services.message_view import load_as_sent, load_invitations
from tests.mails import mail_bytes, multipart, part
from tests.services.mail_world import make_mail_world

HTML = b'<p style="color:red">red</p><img src="cid:a@x"><img src="https://x.example/1.gif">'
PICTURE = part("image/png; name=a.png", b"x", Content_Id="<a@x>")
CALENDAR = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Look\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def take(world, tmp_path, raw: bytes) -> int:
    """Take a mail in; the id of its ticket."""
    (tmp_path / "one.eml").write_bytes(raw)
    import_mails(world, [tmp_path / "one.eml"], pause=lambda seconds: None)
    with world.database.read_session() as session:
        return session.query(Ticket).order_by(Ticket.id.desc()).first().id


def test_a_message_is_read_from_its_original_with_its_looks(world, tmp_path):
    ticket_id = take(world, tmp_path, multipart([part("text/html", HTML), PICTURE], kind="related"))
    with world.database.read_session() as session:
        message, file = session.query(Message).one(), session.query(Attachment).one()
        found = load_as_sent(session, ticket_id, message.id, with_remote=False)
        assert found.html.startswith('<p style="color:red">') and "x.example" not in found.html and found.has_remote
        assert found.pictures == {"a@x": file.id} and found.subject == "Printer on fire"
        remote = load_as_sent(session, ticket_id, message.id, with_remote=True)
        assert "https://x.example/1.gif" in remote.html and not remote.has_remote
        assert load_as_sent(session, ticket_id + 1, message.id, with_remote=False) is None


def test_a_merged_ticket_shows_the_messages_of_the_other(world, tmp_path):
    raw = multipart([part("text/html", HTML)])
    first, second = take(world, tmp_path, mail_bytes(message_id="<1@x>")), take(world, tmp_path, raw)
    with world.database.unit_of_work() as uow:
        uow.session.get_one(Ticket, second).merged_into_id = first
        message_id = uow.session.query(Message).filter_by(ticket_id=second).one().id
    with world.database.read_session() as session:
        assert load_as_sent(session, first, message_id, with_remote=False)


def test_without_a_readable_original_what_was_kept_is_shown(world, tmp_path, monkeypatch):
    ticket_id = take(world, tmp_path, multipart([part("text/html", HTML)]))

    def refuse(raw):
        raise TooCostlyError("it took too long")

    monkeypatch.setattr(message_view, "read_mail", refuse)
    with world.database.read_session() as session:
        message = session.query(Message).one()
        assert load_as_sent(session, ticket_id, message.id, with_remote=True).html.startswith("<p>red</p>")
    monkeypatch.undo()
    with world.database.unit_of_work() as uow:
        uow.session.query(Message).one().ledger_id = None
    with world.database.read_session() as session:
        assert session.query(MailLedger).count() == 1
        assert load_as_sent(session, ticket_id, message.id, with_remote=True).html.startswith("<p>red</p>")


def test_a_plain_message_has_no_looks(world, tmp_path):
    ticket_id = take(world, tmp_path, mail_bytes())
    with world.database.read_session() as session:
        assert load_as_sent(session, ticket_id, session.query(Message).one().id, with_remote=False) is None


def test_invitations_are_read_where_there_are_any(world, tmp_path):
    take(world, tmp_path, multipart([part("text/calendar", CALENDAR), part("text/calendar", b"none")]))
    with world.database.read_session() as session:
        ids = [row.id for row in session.query(Attachment).order_by(Attachment.id)]
        assert {one: found.title for one, found in load_invitations(session, ids).items()} == {ids[0]: "Look"}
        assert load_invitations(session, []) == {} and SessionBlobStore(session)
