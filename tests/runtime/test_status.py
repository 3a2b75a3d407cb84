import json
import os

from click.testing import CliRunner

from portal.cli import main
from portal.models import Database
from portal.models.schema import upgrade
from portal.runtime.runfile import RunFile, RunningProcess, write_run_file
from portal.runtime.status import report
from portal.services.status import SiteStatus

SITE = SiteStatus("0001", 2, 1)
DEAD = 2**22 + 1  # above the kernel's highest pid


def test_without_a_run_file_nothing_runs(tmp_path):
    found = report(tmp_path, SITE, {"notify": 3})
    assert found == {
        "address": "",
        "processes": [],
        "schema": "0001",
        "due": {"notify": 3},
        "unexplained_mails": 2,
        "open_pages": 1,
    }


def test_the_supervisor_and_its_children_are_listed_and_the_dead_left_out(tmp_path):
    processes = [RunningProcess("web-1", os.getpid(), "2026", 1), RunningProcess("worker-urgent", DEAD, "2026")]
    write_run_file(tmp_path, RunFile(os.getppid(), "http://x", "2026", processes=processes))
    found = report(tmp_path, SITE, {})["processes"]
    assert [(process["role"], process["pid"]) for process in found] == [
        ("supervisor", os.getppid()),
        ("web-1", os.getpid()),
    ]


def run(monkeypatch, tmp_path, *arguments):
    monkeypatch.setenv("NIGHTDESK_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(main, ["status", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_works_before_the_first_start(monkeypatch, tmp_path):
    assert "Nightdesk does not run on this machine." in run(monkeypatch, tmp_path)
    assert json.loads(run(monkeypatch, tmp_path, "--json"))["schema"] == ""


def test_the_command_counts_due_work_by_kind(monkeypatch, tmp_path):
    database = Database(f"sqlite:///{tmp_path}/nightdesk.sqlite3")
    upgrade(database)
    database.dispose()
    found = json.loads(run(monkeypatch, tmp_path, "--json"))
    assert set(found["due"]) >= {
        "triage",
        "pages",
        "notify",
        "texts",
        "mail_fetch",
        "mail_intake",
        "mail_out",
        "chores",
    }
    assert found["schema"]
    assert "due triage" in run(monkeypatch, tmp_path)
