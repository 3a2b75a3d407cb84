"""`portal db`, `portal user` and `portal config` as a person types them."""

import pytest
from click.testing import CliRunner

from portal.cli import main


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """Runs a command over a fresh data folder; returns what it printed."""
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NIGHTDESK_QUEUE", "polled")
    monkeypatch.setenv("NIGHTDESK_SITE_URL", "https://help.acme.example")
    monkeypatch.chdir(tmp_path)

    def run(*args, code=0, **kwargs):
        result = CliRunner().invoke(main, args, **kwargs)
        assert result.exit_code == code, result.output
        return result.output

    run("db", "upgrade")
    return run


def test_upgrading_again_says_where_the_database_is(portal):
    assert portal("db", "upgrade").startswith("The database is at ")
    assert portal("db", "recount") == "0 counters were wrong.\n"


def test_adding_somebody_prints_their_link(portal):
    said = portal("user", "add", "bob@a.example", "--name", "Bob", "--phone", "+49 151 12345678")
    assert said.startswith("https://help.acme.example/link/")
    assert portal("user", "reset-password", "bob@a.example").startswith("https://help.acme.example/link/")


def test_a_mistake_is_one_sentence_and_no_trace(portal):
    assert portal("user", "reset-password", "x@a.example", code=1) == "Nobody here has the address x@a.example.\n"
    said = portal("user", "add", "bob@a.example", "--name", "Bob", "--phone", "12", code=1)
    assert "country code" in said and "Traceback" not in said


def test_a_wrong_environment_is_one_sentence(portal, monkeypatch):
    monkeypatch.setenv("NIGHTDESK_PORT", "x")
    assert portal("db", "upgrade", code=1) == "NIGHTDESK_PORT must be a whole number from 0 to 65535.\n"


def test_settings_go_out_to_a_file_only_its_owner_reads_and_come_back(portal, tmp_path):
    portal("user", "add", "alice@a.example", "--name", "Alice", "--role", "admin")
    portal("config", "import", "-", input="")
    assert portal("config", "export", "site.yaml") == "The settings are in site.yaml.\n"
    file = tmp_path / "site.yaml"
    assert file.stat().st_mode & 0o777 == 0o600
    assert portal("config", "import", "site.yaml") == "Nothing to change: the site is as the file says.\n"
    file.write_text(file.read_text().replace("site.name: Nightdesk", "site.name: Acme"))
    dry = portal("config", "import", "site.yaml", "--dry-run")
    assert dry == "This would change:\n  settings: site.name: 'Nightdesk' becomes 'Acme'\n"
    assert "becomes 'Acme'" in portal("config", "import", "site.yaml")
    assert "site.name: Acme" in portal("config", "export", "-")


def test_an_import_prints_the_links_of_new_people(portal):
    said = portal("config", "import", "-", input="people: [{mail: bob@a.example, name: Bob}]")
    assert "bob@a.example chooses a password here: https://help.acme.example/link/" in said


def test_a_file_with_faults_names_each_line(portal):
    said = portal("config", "import", "-", input="people:\n  - {name: Bob}\nrooms: 1\n", code=1)
    assert [line.split(":")[0] for line in said.strip().split("\n")] == ["Line 2", "Line 3"]


def test_a_file_that_is_no_text_is_refused(portal, tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe")
    assert portal("config", "import", "x.yaml", code=1) == "The file is not text in UTF-8.\n"
