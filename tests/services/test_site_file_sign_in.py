"""Mailboxes that sign in by OAuth, in the settings file: written, read again, and never with a secret inside."""

import pytest

from portal.core.errors import DomainError
from portal.core.site_file import EnvRef, SiteFileError
from portal.models import MailboxRow
from portal.services.mailboxes_graph import GraphPlace
from portal.services.site_file import export_site, import_site
from portal.services.site_file_sign_in import export_sign_in, read_oauth, read_place, read_secret_reference
from tests.login_simulator import CLIENT_ID, SECRET, TENANT
from tests.services.graph_world import every
from tests.services.mail_world import make_mail_world

FILE = f"""
mailboxes:
  - name: Help
    address: help@shop.example
    folder: [inbox, Inbox/Support]
    sent_folder: sentitems
    graph:
      tenant: {TENANT}
      client_id: {CLIENT_ID}
      client_secret: {{env: MAILBOX_HELP_CLIENT_SECRET}}
      cloud: us
  - name: Google
    address: help@gmail.example
    imap: {{host: imap.gmail.example, port: 993, user: help@gmail.example}}
    oauth:
      provider: google
      client_id: desk
      client_secret: {{env: MAILBOX_GOOGLE_CLIENT_SECRET}}
"""
ENVIRON = {"MAILBOX_HELP_CLIENT_SECRET": SECRET, "MAILBOX_GOOGLE_CLIENT_SECRET": "google-secret"}
GRAPH = {"tenant": TENANT, "client_id": CLIENT_ID, "sign_in": "app", "cloud": "global", "url": "", "login_url": ""}


@pytest.fixture
def world(tmp_path):
    world = make_mail_world(tmp_path)
    world.data_dir = tmp_path
    return world


def test_a_file_makes_the_mailboxes_and_again_changes_nothing(world):
    report = import_site(world, FILE, environ=ENVIRON)
    assert "mailboxes: Help added" in report.changes and "mailboxes: Google added" in report.changes
    help_, google = every(world, MailboxRow)
    assert help_.kind == "graph" and help_.secrets == {"oauth": f"sealed:{SECRET}"}
    assert help_.options["graph"] == {"address": "help@shop.example", "cloud": "us"}
    assert google.options["oauth"] == {
        "protocol": "imap", "provider": "google", "client_id": "desk", "flow": "code", "user": "help@gmail.example"
    }  # fmt: skip
    assert import_site(world, FILE, environ=ENVIRON).changes == ()


def test_an_export_says_the_same_and_names_its_secrets(world):
    import_site(world, FILE, environ=ENVIRON)
    with world.database.read_session() as session:
        text = export_site(session, context=world)
    assert SECRET not in text and "google-secret" not in text
    assert all(name in text for name in ("MAILBOX_HELP_CLIENT_SECRET", "MAILBOX_GOOGLE_CLIENT_SECRET"))
    assert not [line for line in import_site(world, text, environ=ENVIRON).changes if "mailboxes" in line]


def test_a_changed_tenant_is_a_change(world):
    import_site(world, FILE, environ=ENVIRON)
    report = import_site(world, FILE.replace(TENANT, "other.example"), environ=ENVIRON)
    assert report.changes == ("mailboxes: Help changed",)


def test_a_missing_secret_is_named_with_its_line(world):
    with pytest.raises(SiteFileError, match="MAILBOX_HELP_CLIENT_SECRET is not set"):
        import_site(world, FILE, environ={"MAILBOX_GOOGLE_CLIENT_SECRET": "x"})


def test_a_mailbox_is_at_one_place():
    assert read_place({"name": "Help", "imap": {"host": "x"}}, None) is None
    assert read_place({"name": "Help", "graph": GRAPH}, None) == GraphPlace(TENANT, CLIENT_ID)
    for entry in ({"name": "Help"}, {"name": "Help", "imap": {"host": "x"}, "graph": GRAPH}):
        with pytest.raises(DomainError, match="needs either"):
            read_place(entry, None)
    with pytest.raises(DomainError, match="of another kind"):
        read_place({"name": "Help", "graph": GRAPH}, MailboxRow(kind="imap"))


def test_what_is_not_told_is_taken_for_granted():
    options = {"oauth": {"tenant": TENANT, "client_id": CLIENT_ID, "flow": "app", "cloud": "global"}, "graph": {}}
    row = MailboxRow(kind="graph", options=options, secrets={"oauth": "x"})
    assert export_sign_in(row, secret="S") == {
        "graph": {"tenant": TENANT, "client_id": CLIENT_ID, "client_secret": EnvRef("S")}
    }
    assert export_sign_in(MailboxRow(kind="imap", options={}, secrets={}), secret="S") == {}


def test_a_password_needs_no_application():
    assert read_oauth({"imap": {"user": "x"}}) == {} and read_secret_reference({"imap": {}}) is None
    assert read_secret_reference({"graph": {"client_secret": EnvRef("S")}}) == EnvRef("S")
