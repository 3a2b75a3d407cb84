import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from portal.cli import main
from portal.config import load_config
from portal.models import PageDecisionRow, Ticket
from portal.wiring import build
from tests.mails import mail_bytes


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """The command line over a fresh data folder."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    monkeypatch.delenv("NIGHTDESK_DATABASE_URL", raising=False)

    def run(*words: str, code: int = 0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    run("db", "upgrade")
    return run


def count(model) -> int:
    with build(load_config()).database.read_session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_mails_are_imported_with_a_report(portal, tmp_path):
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "a.eml").write_bytes(mail_bytes())
    (tmp_path / "mails" / "notes.txt").write_text("notes")
    result = portal("mail", "import", tmp_path / "mails")
    assert "1 mails: 1 new, 0 known already. 1 ticket." in result.output
    assert "notes.txt: holds no mail" in result.output and count(Ticket) == 1
    assert "0 new, 1 known" in portal("mail", "import", tmp_path / "mails" / "a.eml").output


def test_tickets_are_imported_and_refused_rows_named(portal, tmp_path):
    file = tmp_path / "old.jsonl"
    file.write_text(json.dumps({"title": "VPN down", "requester": "dana@customer.example"}) + "\n{broken\n")
    result = portal("tickets", "import", file)
    assert "1 tickets taken, #1 to #1; 1 rows not taken." in result.output and "line 2: not JSON" in result.output
    assert count(Ticket) == 1 and count(PageDecisionRow) == 0


def test_a_csv_file_is_recognised_by_its_content(portal, tmp_path):
    file = tmp_path / "old.txt"
    file.write_text("\ufefftitle;status\nVPN;closed\n", encoding="utf-8")
    assert "1 tickets taken" in portal("tickets", "import", file).output


def test_a_file_in_another_encoding_is_a_sentence(portal, tmp_path):
    file = tmp_path / "old.csv"
    file.write_bytes("title\nDrücker\n".encode("latin-1"))
    assert "is not UTF-8 text" in portal("tickets", "import", file, code=1).output
