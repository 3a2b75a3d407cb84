import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.settings import SiteSettings
from portal.integrations.system.keyfile import KeyFileBox
from portal.models import AuditEvent, SettingRow, User
from portal.services.audit import Change
from portal.services.settings import (
    forget_secret,
    list_chosen,
    list_set_secrets,
    load_settings,
    open_secret,
    save_settings,
)
from tests.services.ticket_world import ALICE, BOB, NOW, counted_statements

BOX = KeyFileBox(b"k" * 32)
CHANGE = Change(ALICE, NOW)
TOKEN = "sms.twilio_token"


def save(database, values):
    with database.unit_of_work() as uow:
        return save_settings(uow, values, change=CHANGE, box=BOX)


def read(database, function, *args, **kwargs):
    with database.read_session() as session:
        return function(session, *args, **kwargs)


def test_a_new_site_has_the_defaults_in_one_statement(database):
    with database.read_session() as session, counted_statements(session) as seen:
        assert load_settings(session) == SiteSettings()
    assert len(seen) == 1


def test_what_is_saved_is_loaded_and_only_what_changed_leaves_a_trace(database):
    assert save(database, {"site.name": "Acme", "site.live": False}) == ["site.name"]
    assert save(database, {"site.name": "Acme"}) == []
    assert read(database, load_settings).site_name == "Acme"
    events = read(database, lambda session: session.scalars(select(AuditEvent)).all())
    assert [(e.action, e.subject, e.data) for e in events] == [
        ("setting.edit", "site.name", {"before": "Nightdesk", "after": "Acme"})
    ]


def test_choosing_the_default_is_remembered_as_a_choice(database):
    assert read(database, list_chosen) == set()
    assert save(database, {"site.zone": "UTC"}) == []
    assert read(database, list_chosen) == {"site.zone"}


def test_several_wrong_values_are_all_named_and_nothing_is_saved(database):
    with pytest.raises(DomainError) as refused:
        save(database, {"site.name": "Acme", "site.zone": "Mars", "mail.reopen_days": "x"})
    assert len(str(refused.value).split("\n")) == 2
    assert read(database, load_settings) == SiteSettings()


def test_a_person_must_work_here(database):
    save(database, {"paging.fallback": BOB})
    with database.unit_of_work() as uow:
        uow.session.get_one(User, BOB).is_active = False
    with pytest.raises(DomainError, match="not here any more"):
        save(database, {"paging.fallback": BOB})
    save(database, {"paging.fallback": 0})


def test_a_secret_is_sealed_kept_by_an_empty_value_and_never_in_the_trace(database):
    assert save(database, {TOKEN: "geheim"}) == [TOKEN]
    assert save(database, {TOKEN: ""}) == []
    assert save(database, {TOKEN: "geheim"}) == []
    assert read(database, list_set_secrets) == {TOKEN}
    assert read(database, open_secret, TOKEN, box=BOX) == "geheim"
    assert read(database, load_settings).sms_twilio_token == ""
    rows = read(
        database, lambda s: [*s.scalars(select(SettingRow.value)), *map(str, s.scalars(select(AuditEvent.data)))]
    )
    assert not any("geheim" in row for row in rows)


def test_a_forgotten_secret_is_gone(database):
    save(database, {TOKEN: "geheim"})
    with database.unit_of_work() as uow:
        forget_secret(uow, TOKEN, change=CHANGE)
    assert read(database, list_set_secrets) == set()
    assert read(database, open_secret, TOKEN, box=BOX) == ""


def test_another_key_does_not_open_a_secret(database):
    save(database, {TOKEN: "geheim"})
    with pytest.raises(DomainError):
        read(database, open_secret, TOKEN, box=KeyFileBox(b"x" * 32))
