"""Files of a form are stored with their message."""

from portal.core.uploads import Upload
from portal.models import Attachment, Message, SessionBlobStore
from portal.services.uploads import add_uploads
from tests.services.ticket_world import add_message, add_tickets, ticket_values


def test_files_hang_on_their_message_under_a_safe_name_and_equal_content_is_stored_once(database):
    add_tickets(database, ticket_values(1))
    message_id = add_message(database, 1, "see files")
    with database.unit_of_work() as uow:
        message = uow.session.get_one(Message, message_id)
        add_uploads(uow, message, [Upload("../a.txt", "text/plain", b"abc"), Upload("b.txt", "x" * 300, b"abc")])
        add_uploads(uow, message, [])
    with database.read_session() as session:
        files = session.query(Attachment).order_by(Attachment.id).all()
        assert [(file.filename, file.size, file.is_inline) for file in files] == [
            ("a.txt", 3, False),
            ("b.txt", 3, False),
        ]
        assert files[0].sha256 == files[1].sha256
        assert SessionBlobStore(session).get(files[0].sha256) == b"abc"
