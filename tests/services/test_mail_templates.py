"""A shop writes its own words, and goes back to ours."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.core.errors import DomainError
from portal.core.mail_templates import ANSWER, CONFIRMATION, EVENTS, LANGUAGES, Template
from portal.models import AuditEvent, MailTemplate
from portal.services.mail_templates import (
    list_own_templates,
    load_template,
    reset_template,
    save_template,
    shipped_template,
)
from tests.services.mail_world import make_mail_world
from tests.services.runtime_world import read, write

OWN = Template("Yes: {{ subject }}", "Hi {{ name }}")


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def test_without_own_words_ours_are_in_force(world):
    for event in EVENTS:
        for language in LANGUAGES:
            entry = read(world, load_template, event, language)
            assert entry.template == shipped_template(event, language) and not entry.is_own
    assert read(world, list_own_templates) == []


def test_own_words_are_in_force_for_their_event_and_language_until_reset(world):
    assert write(world, save_template, CONFIRMATION, "de", OWN)
    assert not write(world, save_template, CONFIRMATION, "de", OWN)
    entry = read(world, load_template, CONFIRMATION, "de")
    assert entry.template == OWN and entry.is_own and read(world, list_own_templates) == [entry]
    assert not read(world, load_template, CONFIRMATION, "en").is_own
    assert write(world, reset_template, CONFIRMATION, "de") and not write(world, reset_template, CONFIRMATION, "de")
    assert not read(world, load_template, CONFIRMATION, "de").is_own


def test_saving_our_words_is_a_reset(world):
    write(world, save_template, ANSWER, "en", Template("x", "{{ words }}"))
    ours = shipped_template(ANSWER, "en")
    assert write(world, save_template, ANSWER, "en", Template(ours.subject, ours.body.replace("\n", "\r\n") + "\r\n"))
    assert read(world, list_own_templates) == []
    assert not write(world, save_template, ANSWER, "en", ours)


def test_what_cannot_be_used_is_refused_with_every_fault(world):
    with pytest.raises(DomainError) as refused:
        write(world, save_template, ANSWER, "en", Template("{{ foo }}", "Hi\r\n{{ bar }}"))
    assert [line.split(":")[0] for line in str(refused.value).split("\n")] == ["Subject", "Line 1", "Line 2"]
    for event, language in (("alarm", "en"), (ANSWER, "xx"), ("../en/answer", "en")):
        with pytest.raises(DomainError, match="There are no words"):
            write(world, save_template, event, language, OWN)


def test_each_change_counts_up_and_leaves_what_was_before(world):
    write(world, save_template, CONFIRMATION, "en", OWN)
    write(world, save_template, CONFIRMATION, "en", Template("b", "c"))
    write(world, reset_template, CONFIRMATION, "en")
    with world.database.read_session() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert session.scalars(select(MailTemplate)).all() == []
    assert [event.action for event in events] == ["mail_words.edit", "mail_words.edit", "mail_words.reset"]
    assert events[1].data["before"]["body"] == "Hi {{ name }}" and events[2].data["before"]["body"] == "c"
