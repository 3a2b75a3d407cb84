import pytest
from sqlalchemy import select

from portal.models import MailLedger, Ticket
from portal.services import mail_files
from portal.services.mail_files import find_mails, import_mails
from tests.mails import mail_bytes
from tests.services.mail_world import NOW, make_mail_world

FROM = b"From dana@customer.example Fri Nov 21 10:00:00 2025\n"


@pytest.fixture
def world(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return make_mail_world(folder)


@pytest.fixture
def folder(tmp_path):
    """Two single mails, an mbox of two, and two files that are none."""
    folder = tmp_path / "mails"
    (folder / "cur").mkdir(parents=True)
    (folder / "a.eml").write_bytes(mail_bytes(message_id="<a@c>"))
    (folder / "cur" / "1700000000.M1.host:2,S").write_bytes(mail_bytes(message_id="<b@c>"))
    one, two = mail_bytes(message_id="<c@c>"), mail_bytes(message_id="<d@c>")
    (folder / "archive.mbox").write_bytes(FROM + one + b"\n" + FROM + two)
    (folder / "notes.txt").write_text("just notes")
    (folder / "empty.mbox").touch()
    return folder


def run(world, *paths, **options):
    return import_mails(world, paths, **{"pause": lambda seconds: None, **options})


def every(world, model):
    with world.database.read_session() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def test_a_folder_of_mails_becomes_tickets_through_the_ledger(world, folder):
    report = run(world, folder)
    assert (report.found, report.stored, report.known, report.verdicts) == (4, 4, 0, {"ticket": 4})
    assert {row.message_id for row in every(world, MailLedger)} == {"<a@c>", "<b@c>", "<c@c>", "<d@c>"}
    assert sorted(name.rsplit("/", 1)[1] for name, _ in report.skipped) == ["empty.mbox", "notes.txt"]


def test_the_time_is_that_of_the_mail_and_nothing_pages(world, folder):
    run(world, folder / "a.eml")
    (ticket,) = every(world, Ticket)
    assert ticket.is_imported and ticket.received_at < NOW and ticket.received_at.hour == 9


def test_paging_can_be_asked_for(world, folder):
    run(world, folder / "a.eml", may_page=True)
    assert not every(world, Ticket)[0].is_imported


def test_importing_again_finds_everything_known(world, folder):
    run(world, folder)
    report = run(world, folder)
    assert (report.found, report.stored, report.known, report.verdicts) == (4, 0, 4, {})
    assert len(every(world, Ticket)) == 4


def test_a_missing_path_is_named_and_the_rest_is_imported(world, folder):
    report = run(world, folder / "nowhere", folder / "a.eml")
    assert report.stored == 1 and report.skipped[0][1] == "there is no such file or folder"


def test_a_file_that_cannot_be_read_is_named(world, folder, monkeypatch):
    def fail(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(mail_files, "_mails_of", fail)
    report = run(world, folder / "a.eml")
    assert report.skipped[0][1] == "Permission denied"


def test_a_large_mail_is_taken_by_its_header(world, folder, monkeypatch):
    monkeypatch.setattr(mail_files, "MAX_MAIL_BYTES", 1000)
    (folder / "large.eml").write_bytes(mail_bytes("x" * 5000, message_id="<large@c>"))
    report = run(world, folder / "large.eml")
    (row,) = every(world, MailLedger)
    assert report.verdicts == {"ticket": 1} and row.is_cut and row.size > 5000


def test_batches_are_committed_with_pauses(world, folder, monkeypatch):
    monkeypatch.setattr(mail_files, "BATCH_MAILS", 1)
    pauses = []
    import_mails(world, [folder], pause=pauses.append)
    assert len(pauses) == 8  # four stored, four taken in


def test_files_are_told_by_what_they_hold(folder):
    kinds = {path.name: kind for path, kind in find_mails(folder)}
    assert kinds == {
        "a.eml": "eml",
        "1700000000.M1.host:2,S": "eml",
        "archive.mbox": "mbox",
        "notes.txt": "",
        "empty.mbox": "",
    }
    assert [kind for _, kind in find_mails(folder / "archive.mbox")] == ["mbox"]
