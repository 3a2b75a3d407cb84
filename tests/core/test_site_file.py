from datetime import date, datetime

import pytest

from portal.core.roster import HolidayPolicy
from portal.core.settings import SPECS
from portal.core.site_file import SECTIONS, EnvRef, Fault, SiteFileError, read_site_file, write_site_file


def faults_of(text):
    with pytest.raises(SiteFileError) as refused:
        read_site_file(text)
    return [(fault.line, fault.text) for fault in refused.value.faults]


def test_an_empty_file_says_nothing():
    assert read_site_file("").sections == {}
    assert read_site_file("# only words\n").sections == {}


def test_values_have_their_kinds_and_what_is_left_out_its_default():
    file = read_site_file(
        """
settings: {site.live: yes, mail.reopen_days: 7, site.name: "007", sms.twilio_token: {env: TWILIO_TOKEN}}
people: [{mail: bob@a.example, name: Bob, phones: [+4915112345678]}]
hours: {mon: "08:00-12:00", tue: [22:00-02:00], wed:}
holidays: [{date: 2026-12-25, name: Christmas}]
shifts: [{person: b@a.b, starts: 2026-11-21 17:00, ends: 2026-11-22T8:30}]
words: {category: {Printer: {toner: 2, paper jam: 1.5}}}
queues:
"""
    )
    assert file.sections["settings"] == {
        "site.live": True, "mail.reopen_days": 7, "site.name": "007", "sms.twilio_token": EnvRef("TWILIO_TOKEN"),
    }  # fmt: skip
    bob = {"mail": "bob@a.example", "name": "Bob", "phones": ["+4915112345678"], "role": "technician", "active": True}
    assert file.sections["people"] == [bob]
    assert file.sections["hours"] == {"mon": ["08:00-12:00"], "tue": ["22:00-02:00"], "wed": []}
    assert file.sections["holidays"] == [{"date": date(2026, 12, 25), "name": "Christmas", "state": "accepted"}]
    shift = file.sections["shifts"][0]
    assert (shift["starts"], shift["ends"]) == (datetime(2026, 11, 21, 17), datetime(2026, 11, 22, 8, 30))
    assert file.sections["words"] == {"category": {"Printer": {"toner": 2.0, "paper jam": 1.5}}}
    assert file.sections["queues"] == []


def test_a_setting_that_is_left_out_is_left_alone():
    assert read_site_file("settings:\n  site.name: Acme\n").sections["settings"] == {"site.name": "Acme"}


def test_lines_are_known_by_key_and_by_place():
    file = read_site_file(
        "settings:\n  site.name: Acme\npeople:\n  - {mail: a@b.c, name: A}\n\n  - mail: b@b.c\n    name: B\n"
    )
    assert file.line("settings", "site.name") == 2
    assert [file.line("people", place) for place in (0, 1)] == [4, 6]
    assert file.line("people", 7) == file.line("people") == 3
    assert file.line("rules") == 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: [", 1, "This is not YAML"),
        ("people:\n\t- x", 2, "This is not YAML"),
        ("a: \x00", 1, "This is not YAML"),
        ("- a", 1, "must be a mapping of sections"),
        ("\nzettings: {}", 2, "“zettings” is not a section"),
        ("[a]: 1", 1, "“?” is not a section"),
        ("queues: []\nqueues: []", 2, "stands here twice"),
        ("settings:\n  site.zonk: 1", 2, "“site.zonk” is not known here"),
        ("settings:\n  site.name: A\n  site.name: B", 3, "“site.name” stands here twice"),
        ("settings:\n  site.name: [A]", 2, "a single value"),
        ("settings: Acme", 1, "keys with values"),
        ("settings:\n  [a]: 1", 2, "A key must be a word"),
        ("people: Bob", 1, "Here must stand a list"),
        ("people:\n  - {name: Bob}", 2, "“mail” is missing"),
        ("people:\n  - Bob", 2, "keys with values"),
        ("people:\n  - {mail: a, name: A,\n     active: maybe}", 3, "“maybe” must be true or false"),
        ("settings:\n  mail.reopen_days: 7.5", 2, "“7.5” must be a whole number"),
        ("holidays: [{date: 25.12.2026, name: X}]", 1, "is not a date"),
        ("shifts: [{person: a, starts: 2026-11-21, ends: 2026-11-21 24:01}]", 1, "is not a date and time"),
        ("shifts: [{person: a, starts: 2026-11-21 07:00, ends: 2026-11-21 24:01}]", 1, "“2026-11-21 24:01”"),
        ("settings:\n  sms.twilio_token: geheim", 2, "A secret is not written here"),
        ("settings:\n  sms.twilio_token: {file: x}", 2, "A secret is not written here"),
        ("settings:\n  sms.twilio_token: {env: A B}", 2, "A secret is not written here"),
        ("words: {category: {Printer: {toner: much}}}", 1, "The weight of “toner” must be a number"),
        ("words: {category: {Printer: {toner: [1]}}}", 1, "The weight of “toner” must be a number"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, line, words):
    found = faults_of(text)
    assert any(at == line and words in sentence for at, sentence in found), found


def test_entries_of_a_list_are_names_or_mappings_and_deep_ones_have_their_own_line():
    file = read_site_file(
        "queues:\n- Phones\n- {name: Servers, schedule: Nights}\n"
        "schedules:\n- name: Nights\n  holidays:\n  - {date: 2026-12-24, policy: nobody}\n"
    )
    assert file.sections["queues"] == ["Phones", {"name": "Servers", "schedule": "Nights"}]
    assert (file.line("queues", 1), file.line("schedules", (0, "holidays", 0))) == (3, 7)
    assert file.sections["schedules"][0]["holidays"][0]["policy"] == HolidayPolicy.NOBODY


def test_every_fault_is_named_at_once_in_the_order_of_the_lines():
    found = faults_of("shifts: 1\npeople:\n  - {}\nfoo:\n")
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    assert len(found) == 4
    assert str(Fault(3, "No.")) == "Line 3: No."


def test_a_secret_that_is_refused_is_not_repeated():
    assert "geheim" not in str(faults_of("settings: {sms.twilio_token: geheim}"))


def test_a_file_beyond_all_measure_and_one_that_refers_to_itself_are_refused():
    assert "larger" in faults_of("#" * 5_000_001)[0][1]
    assert faults_of("people: &a [*a]")


def test_what_is_written_is_read_back_the_same():
    sections = {
        "settings": {
            "site.name": "Ümläut: #1",
            "form.intro": "two\nlines",
            "sms.twilio_token": EnvRef("T"),
            "site.prefix": "#",
        },
        "hours": {"mon": ["08:00-12:00"]},
        "holidays": [{"date": date(2026, 12, 25), "name": "No", "state": "accepted"}],
        "queues": ["yes", "1.0", "Servers"],
    }  # fmt: skip
    text = write_site_file(sections)
    assert text.index("settings:") < text.index("queues:") < text.index("hours:")
    assert "{env: T}" in text
    assert read_site_file(text).sections == sections


def test_every_setting_of_the_site_is_in_the_schema():
    (settings,) = (section for section in SECTIONS if section.name == "settings")
    assert [key.name for key in settings.shape.keys] == [spec.key for spec in SPECS]
    assert all(key.help for section in SECTIONS for key in section.shape.keys)
