"""Files are stored with the message they came with."""

from portal.core.uploads import Upload
from portal.models import Attachment, Message, SessionBlobStore
from portal.services.uploads import add_uploads
from tests.services.paging_world import add_ticket, rows


def test_files_are_kept_whole_under_a_clean_name(world):
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        message = uow.session.query(Message).filter_by(ticket_id=ticket_id).one()
        add_uploads(uow, message, [Upload("../a.png", "image/png", b"photo"), Upload("b.txt", "t" * 200, b"")])
    first, second = rows(world.database, Attachment, message_id=message.id)
    assert (first.filename, first.content_type, first.size) == ("a.png", "image/png", 5)
    assert (second.size, len(second.content_type)) == (0, 100)
    with world.database.read_session() as session:
        assert SessionBlobStore(session).get(first.sha256) == b"photo"


def test_no_files_leave_nothing(world):
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        add_uploads(uow, uow.session.query(Message).filter_by(ticket_id=ticket_id).one(), [])
    assert rows(world.database, Attachment) == []
