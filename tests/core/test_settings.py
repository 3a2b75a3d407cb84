import pytest

from portal.core.errors import DomainError
from portal.core.settings import BY_KEY, GROUPS, SPECS, SiteSettings, build_settings, parse_value


def test_every_setting_belongs_to_a_group_and_its_default_passes_its_own_check():
    for spec in SPECS:
        assert spec.key.split(".")[0] in GROUPS
        assert parse_value(spec.key, spec.default) == spec.default, spec.key


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("site.name", "  Acme \r\n", "Acme"),
        ("form.intro", "a\r\nb", "a\nb"),
        ("site.live", "on", True),
        ("site.live", None, None),
        ("site.live", True, True),
        ("site.live", "", False),
        ("mail.reopen_days", " 7 ", 7),
        ("mail.reopen_days", 0, 0),
        ("mail.reopen_days", 365, 365),
        ("paging.wake_for", "urgent", "urgent"),
        ("paging.fallback", "", 0),
        ("paging.fallback", None, 0),
        ("paging.fallback", "3", 3),
        ("site.zone", "Europe/Berlin", "Europe/Berlin"),
        ("sms.twilio_url", "", ""),
        ("sms.twilio_url", "http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        ("sms.twilio_token", None, ""),
        ("sms.provider", None, ""),
    ],
)
def test_what_forms_and_files_hold_becomes_a_value(key, given, value):
    if value is None:
        with pytest.raises(DomainError):
            parse_value(key, given)
    else:
        assert parse_value(key, given) == value


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("site.name", "", "Name of the help desk: please give one."),
        ("site.name", "x" * 81, "at most 80 characters"),
        ("site.name", "a\nb", "one line only"),
        ("site.zone", "Mars/Olympus", "Mars/Olympus is not a zone"),
        ("site.zone", "", "nothing is not a zone"),
        ("site.live", "perhaps", "yes or no"),
        ("mail.reopen_days", "366", "a whole number from 0 to 365"),
        ("mail.reopen_days", "-1", "a whole number"),
        ("mail.reopen_days", True, "a whole number"),
        ("mail.reopen_days", "٣", "a whole number"),
        ("paging.late_minutes", "4", "from 5 to 1440"),
        ("paging.wake_for", "never", "one of everything, urgent, emergencies"),
        ("sms.provider", "pigeon", "one of nothing, sandbox, twilio"),
        ("paging.fallback", "bob", "choose a person"),
        ("paging.fallback", "-1", "choose a person"),
        ("sms.twilio_url", "ftp://x", "must begin with https://"),
        ("site.zonk", "x", "site.zonk is not a setting"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(key, given, words):
    with pytest.raises(DomainError, match=r".+") as refused:
        parse_value(key, given)
    assert words in str(refused.value)


def test_what_is_missing_has_its_default_and_what_is_unknown_is_passed_over():
    settings = build_settings({"site.name": "Acme", "gone.key": 1})
    assert settings == SiteSettings(site_name="Acme")
    assert (settings.name, settings.is_live, str(settings.zone)) == ("Acme", False, "UTC")


def test_a_secret_is_not_shown_when_settings_are_printed():
    assert "geheim" not in repr(SiteSettings(sms_twilio_token="geheim"))
    assert BY_KEY["sms.twilio_token"].kind == "secret"
