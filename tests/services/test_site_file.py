"""The settings file against a database: import, export, again."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from portal.core.site_file import SiteFileError, read_site_file
from portal.integrations.system.keyfile import KeyFileBox
from portal.models import AuditEvent, Category, HolidayRow, MailboxRow, MailFolder, Phone, Queue, ShiftRow, User
from portal.services import people
from portal.services.calendars import load_week
from portal.services.context import Context
from portal.services.escalation_steps import load_policy
from portal.services.lexicon import load_classifier
from portal.services.rules import list_rules
from portal.services.settings import load_settings, open_secret
from portal.services.setup_token import ensure_setup_token
from portal.services.site_file import export_site, import_site
from tests.services.ticket_world import make_database
from tests.web.conftest import CountingRandom, StillClock

ENVIRON = {"TWILIO_TOKEN": "geheim", "MAIL_PW": "mail geheim", "ERIN_PW": "correct horse"}
WHOLE = """
settings:
  site.name: Acme
  site.zone: Europe/Berlin
  sms.provider: twilio
  sms.twilio_token: {env: TWILIO_TOKEN}
  paging.fallback: bob@a.example
people:
  - {mail: erin@a.example, name: Erin, role: admin, password: {env: ERIN_PW}}
  - {mail: bob@a.example, name: Bob, phones: ["+49 151 12345678", "+49 30 1234567"]}
  - {mail: frank@a.example, name: Frank, role: viewer}
queues: [Servers, Desktop, Phones]
categories: [{name: Printer, queue: Desktop}, {name: Backup, queue: Servers}]
words:
  category: {Printer: {toner: 3}, Backup: {veeam: 2.5}}
  urgency: {blocked: {cannot work: 2}}
hours: {mon: ["08:00-12:00", "13:00-17:00"], fri: 08:00-14:00}
holidays:
  - {date: 2026-12-25, name: Christmas}
  - {date: 2026-12-24, name: Christmas Eve, state: ignored}
escalation:
  - {ask: on_call, wait_minutes: 3, repeats: 2}
  - {ask: erin@a.example}
shifts:
  - {person: bob@a.example, starts: 2026-11-21 17:00, ends: 2026-11-22 08:00, note: night}
mailboxes:
  - name: Support
    address: help@a.example
    queue: Servers
    signature: |
      Your IT
      Acme
    folder: [INBOX, Desk]
    sent_folder: Sent
    secret_expires_on: 2027-01-31
    takes_duplicates: true
    imap: {host: imap.a.example, port: 993, user: help, password: {env: MAIL_PW}}
    smtp: {host: smtp.a.example, port: 587, security: starttls}
rules:
  - name: Backups
    conditions: [{kind: subject_has, value: veeam}]
    actions: {category: Backup, priority: 2, page: true}
  - name: Nights
    enabled: false
    match: any
    conditions: [{kind: after_hours}]
    actions: {queue: Servers}
"""


@pytest.fixture
def world(tmp_path):
    database = make_database(tmp_path)
    context = Context(
        database=database, clock=StillClock(), random=CountingRandom(), box=KeyFileBox(b"k" * 32), queue=None,
        sms=None, mail=None, data_dir=tmp_path, site_url="",
    )  # fmt: skip

    def read(function, *args, **kwargs):
        with database.read_session() as session:
            return function(session, *args, **kwargs)

    def take(text, environ=ENVIRON, **kwargs):
        return import_site(context, text, environ=environ, **kwargs)

    def rows(query):
        return read(lambda session: session.scalars(query).all())

    yield SimpleNamespace(database=database, context=context, read=read, take=take, rows=rows)
    database.dispose()


def export(world):
    return world.read(export_site, context=world.context)


def faults(world, text, environ=ENVIRON):
    with pytest.raises(SiteFileError) as refused:
        world.take(text, environ)
    return str(refused.value)


def test_a_whole_file_makes_the_whole_site(world):
    done = world.take(WHOLE)
    settings = world.read(load_settings)
    assert (settings.site_name, settings.site_zone, settings.paging_fallback) == ("Acme", "Europe/Berlin", 2)
    assert world.read(open_secret, "sms.twilio_token", box=world.context.box) == "geheim"
    assert world.read(people.verify_sign_in, "erin@a.example", "correct horse").role == "admin"
    assert world.rows(select(Phone.number).order_by(Phone.position)) == ["+4915112345678", "+49301234567"]
    assert world.rows(select(Queue.name).order_by(Queue.position)) == ["Servers", "Desktop", "Phones"]
    assert world.rows(select(Category.name).order_by(Category.position)) == ["Printer", "Backup"]
    assert [len(day) for day in world.read(load_week).days] == [2, 0, 0, 0, 1, 0, 0]
    assert world.rows(select(HolidayRow.state).order_by(HolidayRow.observed_on)) == ["ignored", "accepted"]
    assert [step.targets for step in world.read(load_policy).steps] == [("on_call",), ("person:3",)]
    assert world.rows(select(ShiftRow.note)) == ["night"]
    (mailbox,) = world.rows(select(MailboxRow))
    assert world.context.box.open(mailbox.secrets["imap"]) == "mail geheim"
    assert (mailbox.signature, mailbox.secret_expires_on) == ("Your IT\nAcme", date(2027, 1, 31))
    assert mailbox.takes_duplicates and mailbox.options["folders"] == ["INBOX", "Desk"]
    assert world.rows(select(MailFolder.role).order_by(MailFolder.id)) == ["inbox", "inbox", "sent"]
    assert [(entry.rule.name, entry.rule.is_enabled) for entry in world.read(list_rules)] == [
        ("Backups", True),
        ("Nights", False),
    ]
    assert world.read(load_classifier) is not None
    assert {mail for mail, _ in done.links} == {"frank@a.example"}


def test_the_same_file_again_changes_nothing_and_leaves_no_trace(world):
    world.take(WHOLE)
    before = world.read(lambda s: s.scalar(select(func.count()).select_from(AuditEvent)))
    again = world.take(WHOLE)
    assert (again.changes, again.links) == ((), ())
    assert world.read(lambda s: s.scalar(select(func.count()).select_from(AuditEvent))) == before


def test_the_example_of_the_docs_can_be_imported(world):
    docs = (Path(__file__).parents[2] / "docs" / "config.md").read_text(encoding="utf-8")
    example = docs.split("```yaml\n")[1].split("```")[0]
    environ = {**ENVIRON, "ALICE_PASSWORD": "correct horse"}
    assert "schedules: Servers: rotations: Nights added" in world.take(example, environ).changes
    assert world.take(example, environ).changes == ()


def test_what_is_exported_is_imported_without_a_change_and_holds_no_secret(world):
    world.take(WHOLE)
    text = export(world)
    assert "geheim" not in text and "correct horse" not in text
    assert "sms.twilio_token: {env: TWILIO_TOKEN}" in text
    assert "{env: MAILBOX_SUPPORT_PASSWORD}" in text
    done = world.take(text, {})
    assert done.changes == ()
    assert len(done.notes) == 2 and "stays as it is" in done.notes[0]


def test_an_exported_site_can_be_made_again_elsewhere(world, tmp_path):
    world.take(WHOLE)
    text = export(world)
    folder = tmp_path / "other"
    folder.mkdir()
    other = make_database(folder)
    context = Context(**{**world.context.__dict__, "database": other, "data_dir": folder})
    environ = {"TWILIO_TOKEN": "geheim", "MAILBOX_SUPPORT_PASSWORD": "mail geheim"}
    import_site(context, text, environ=environ)
    with other.read_session() as session:
        assert export_site(session, context=context) == text
    other.dispose()


def test_a_dry_run_says_what_would_change_and_changes_nothing(world):
    before = export(world)
    done = world.take(WHOLE, dry_run=True)
    assert "settings: site.name: 'Nightdesk' becomes 'Acme'" in done.changes
    assert "people: erin@a.example added" in done.changes
    assert done.links == ()
    assert export(world) == before
    assert done.changes == world.take(WHOLE).changes


def test_sections_that_are_whole_lose_what_the_file_does_not_name(world):
    world.take(WHOLE)
    done = world.take("holidays: []\nshifts: []\nrules: []\nwords: {}\nhours: {}\n")
    assert [line.split(":")[0] for line in done.changes] == [
        "hours", "words", "holidays", "holidays", "shifts", "rules", "rules",
    ]  # fmt: skip
    assert world.rows(select(HolidayRow)) == world.rows(select(ShiftRow)) == world.read(list_rules) == []


def test_people_queues_and_mailboxes_that_are_not_named_stay(world):
    world.take(WHOLE)
    world.take("people: []\nqueues: []\ncategories: []\nmailboxes: []\n")
    assert len(world.rows(select(User))) == 4 and len(world.rows(select(MailboxRow))) == 1


def test_days_and_shifts_that_are_over_stay(world):
    shift = "{person: bob@a.example, starts: 2020-01-01 0:00, ends: 2020-01-02 0:00}"
    world.take(f"holidays: [{{date: 2020-01-01, name: Old}}]\nshifts: [{shift}]")
    assert world.take("holidays: []\nshifts: []").changes == ()
    assert "2020" not in export(world)


def test_changes_of_what_is_there_are_made_and_named(world):
    world.take(WHOLE)
    changed = (
        WHOLE.replace("name: Frank, role: viewer", "name: Franka, role: viewer, active: false")
        .replace("note: night", "note: long night")
        .replace("port: 993", "port: 143")
        .replace("Backup: {veeam: 2.5}", "Backup: {veeam: 1}")
        .replace("{name: Backup, queue: Servers}", "{name: Backup}")
        .replace("priority: 2", "priority: 1")
        .replace("state: ignored", "state: accepted")
        .replace("[Servers, Desktop, Phones]", "[Phones, Servers, Desktop]")
        .replace("repeats: 2", "repeats: 0")
    )
    assert world.take(changed).changes == (
        "people: frank@a.example changed",
        "people: frank@a.example disabled",
        "queues: another order",
        "categories: Backup goes to no queue",
        "words: 1 set, 0 removed",
        "holidays: 2026-12-24 Christmas Eve accepted",
        "escalation: changed",
        "shifts: bob@a.example 2026-11-21 17:00 to 2026-11-22 08:00 has another note",
        "mailboxes: Support changed",
        "rules: Backups changed",
    )
    assert world.take(changed).changes == ()


def test_rules_take_the_order_of_the_file(world):
    world.take(WHOLE)
    rules = read_site_file(WHOLE).sections["rules"]
    swapped = "rules:\n" + "".join(
        f"  - {{name: {r['name']}, match: {r['match']}, enabled: {str(r['enabled']).lower()}, "
        f"conditions: [{{kind: {r['conditions'][0]['kind']}, value: '{r['conditions'][0]['value']}'}}], actions: "
        f"{str(r['actions']).replace('True', 'true')}}}\n"
        for r in reversed(rules)
    )
    assert world.take(swapped).changes == ("rules: another order",)
    assert [entry.rule.name for entry in world.read(list_rules)] == ["Nights", "Backups"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("settings:\n  site.zone: Mars", "Line 2: Time zone: Mars is not a zone"),
        ("settings:\n  paging.fallback: x@a.example", "Line 2: Nobody here has the address x@a.example."),
        ("settings:\n  sms.twilio_token: {env: NOT_SET}", "Line 2: NOT_SET is not set in the environment"),
        ("people:\n  - {mail: x@a.example, name: X, role: boss}", "Line 2: A role is one of"),
        ("people:\n  - {mail: bob@a.example, name: B, phones: ['12']}", "Line 2: Write the number"),
        ("people:\n  - {mail: x@a.example, name: X, password: {env: NOT_SET}}", "Line 2: NOT_SET is not set"),
        ("people:\n  - {mail: x@a.example, name: X}\n  - {mail: X@A.example, name: Y}",
         "Line 3: x@a.example stands here twice"),
        ("people:\n  - {mail: alice@a.example, name: A, role: viewer}", "Line 2: Somebody must stay administrator"),
        ("queues:\n  - ''", "Line 2: Give the queue a name."),
        ("categories:\n  - {name: X, queue: Nowhere}", "Line 2: There is no queue “Nowhere”."),
        ("words:\n  category: {Nowhere: {x: 1}}", "Line 2: There is no category Nowhere."),
        ("words:\n  scope: {everyone: {x: 99}}", "Line 2: A weight lies between"),
        ("hours:\n  mon: 9-9", "Line 1: Monday: “9-9” has no length"),
        ("holidays:\n  - {date: 2026-12-25, name: ''}", "Line 2: The day needs a name"),
        ("holidays:\n  - {date: 2026-12-25, name: X, state: maybe}", "Line 2: “maybe” is neither"),
        ("escalation: []", "Line 1: An escalation needs at least one step."),
        ("escalation:\n  - {ask: nobody@a.example}", "Line 2: Nobody here has the address"),
        ("escalation:\n  - {ask: on_call, wait_minutes: 0}", "Line 1: Step 1: the wait must be"),
        ("shifts:\n  - {person: bob@a.example, starts: 2026-11-21 17:00, ends: 2026-11-21 08:00}",
         "Line 2: The shift ends before"),
        ("mailboxes:\n  - {name: S, address: s@a.example, imap: {host: h, port: 993, user: u}}",
         "Line 2: Please enter the password for h."),
        ("rules:\n  - {name: R, conditions: [{kind: smells_like}], actions: {stop: true}}",
         "Line 2: There is no condition"),
        ("rules:\n  - {name: R, conditions: [{kind: emergency}], actions: {queue: Nowhere}}",
         "Line 2: There is no queue"),
    ],
)  # fmt: skip
def test_what_the_database_refuses_is_said_with_its_line_and_nothing_is_changed(world, text, said):
    before = export(world)
    assert said in faults(world, f"{text}\n")
    assert export(world) == before


def test_all_faults_are_named_at_once(world):
    said = faults(world, "settings: {site.zone: Mars}\nqueues: ['']\nhours: {mon: x}\n").split("\n")
    assert [line.split(":")[0] for line in said] == ["Line 1", "Line 2", "Line 3"]


def test_a_password_in_the_environment_never_replaces_one_somebody_chose(world):
    world.take(WHOLE)
    world.take(WHOLE, {**ENVIRON, "ERIN_PW": "another horse"})
    assert world.read(people.verify_sign_in, "erin@a.example", "correct horse")


def test_an_import_that_brings_an_administrator_ends_the_first_run_but_a_dry_run_does_not(world):
    with world.database.unit_of_work() as uow:
        uow.session.get_one(User, 1).role = "viewer"
    token = world.context.data_dir / "setup-token"
    ensure_setup_token(world.context, world.context.data_dir)
    world.take("settings: {site.name: Acme}")
    world.take(WHOLE, dry_run=True)
    assert token.exists()
    world.take(WHOLE)
    assert not token.exists()


def test_a_site_without_queues_gets_the_shipped_ones(world):
    with world.database.unit_of_work() as uow:
        uow.session.query(Category).delete()
        uow.session.query(Queue).delete()
    assert world.take("").changes == ("words: the shipped queues, categories and words",)
    assert world.take("").changes == ()
