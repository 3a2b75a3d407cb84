import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.cli import main
from tests.mails import mail_bytes

KEYS = {
    "from_email", "from_display_name", "to", "cc", "reply_to", "subject", "date", "message_id", "references",
    "body_text", "body_parts", "attachments", "kind", "kind_reason", "defects",
}  # fmt: skip


def run(*words: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["mail", "parse", *(str(word) for word in words)])
    assert result.exit_code == code, result.output
    return result.stdout_bytes.decode("utf-8")


@pytest.fixture
def mail(tmp_path) -> Path:
    (tmp_path / "a.eml").write_bytes(mail_bytes("Grüße an 使って\n", subject="Drücker"))
    return tmp_path / "a.eml"


def test_mails_become_one_json_list(mail):
    (mail.parent / "b.eml").write_bytes(mail_bytes(subject="second"))
    found = json.loads(run(mail, mail.parent / "b.eml", "--json"))
    assert [one["subject"] for one in found] == ["Drücker", "second"]
    assert found[0]["body_text"] == "Grüße an 使って" and all(set(one) == KEYS for one in found)


def test_a_file_that_is_not_there_is_an_entry_and_the_others_are_read(mail):
    missing, there = json.loads(run(mail.parent / "none.eml", mail, "--json", code=1))
    assert missing["defects"][0].startswith("error: ") and set(missing) == KEYS and there["subject"] == "Drücker"
    assert json.loads(run(mail.parent, "--json", code=1))[0]["defects"]


def test_our_own_mail_is_known_by_its_id_or_its_address(mail):
    own = mail.parent / "own.eml"
    own.write_bytes(mail_bytes(message_id="<nd.7.3.abcdefgh.abcdefghijklmnop@shop.example>"))
    assert json.loads(run(own, "--json"))[0]["kind"] == "own"
    assert json.loads(run(mail, "--json", "--own", "Dana@Customer.example"))[0]["kind"] == "own"


def test_without_json_people_get_sentences(mail):
    shown = run(mail)
    assert "Subject: Drücker" in shown and "Kind: person" in shown and "Files: none" in shown


def test_nothing_but_the_file_is_needed_and_utf8_comes_out_of_any_console(mail, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "NIGHTDESK_DATA_DIR": str(folder / "data")}
    env |= {"PYTHONPATH": str(Path(__file__).parents[1]), "NIGHTDESK_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}
    command = [sys.executable, "-m", "portal.cli", "mail", "parse", str(mail), "--json"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout.decode("utf-8"))[0]["subject"] == "Drücker"
    assert list(folder.iterdir()) == []
