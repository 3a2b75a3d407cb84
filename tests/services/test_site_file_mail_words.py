"""The words of mails in the settings file."""

import pytest

from portal.core.mail_templates import Template
from portal.core.site_file import SiteFileError, read_site_file, write_site_file
from portal.services.audit import Change
from portal.services.mail_templates import list_own_templates
from portal.services.site_file_import import Run
from portal.services.site_file_mail_words import apply_mail_words, collect_mail_words
from tests.services.mail_world import NOW, make_mail_world
from tests.services.runtime_world import read

FILE = """
mail_words:
  - mail: answer
    language: de
    subject: "{{ subject }}"
    text: |
      Liebe Grüße an {{ name }},

      {{ words }}
  - mail: confirmation
    language: en
    subject: Got it
    text: "Thanks."
"""


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def take(world, text):
    file = read_site_file(text)
    with world.database.unit_of_work() as uow:
        run = Run(uow, file, Change(None, NOW), context=world, environ={})
        apply_mail_words(run, file.sections["mail_words"])
        if run.faults:
            raise SiteFileError(run.faults)
        return run.changes


def test_the_file_brings_words_and_the_same_file_changes_nothing(world):
    assert take(world, FILE) == ["mail_words: answer in de changed", "mail_words: confirmation in en changed"]
    own = {(one.event, one.language): one.template for one in read(world, list_own_templates)}
    assert own["answer", "de"] == Template("{{ subject }}", "Liebe Grüße an {{ name }},\n\n{{ words }}")
    assert take(world, FILE) == []


def test_what_is_exported_reads_like_a_mail_and_is_imported_without_a_change(world):
    take(world, FILE)
    text = write_site_file({"mail_words": read(world, collect_mail_words, NOW)})
    assert "    text: |-\n      Liebe Grüße an {{ name }},\n\n      {{ words }}\n" in text
    assert take(world, text) == []


def test_words_the_file_does_not_name_are_ours_again(world):
    take(world, FILE)
    assert take(world, "mail_words: []") == [
        "mail_words: confirmation in en are ours again", "mail_words: answer in de are ours again",
    ]  # fmt: skip
    assert read(world, list_own_templates) == []


def test_every_fault_is_named_with_its_line(world):
    with pytest.raises(SiteFileError) as refused:
        take(
            world, FILE + FILE.partition("mail_words:\n")[2] + "  - {mail: alarm, language: en, subject: a, text: b}\n"
        )
    assert "The words of answer in de stand here twice." in str(refused.value)
    assert "There are no words for “alarm” in “en”." in str(refused.value)
    with pytest.raises(SiteFileError, match="Line 3: Line 1: there is no “foo” here"):
        take(world, '\nmail_words:\n  - {mail: answer, language: en, subject: a, text: "{{ foo }} {{ words }}"}\n')
