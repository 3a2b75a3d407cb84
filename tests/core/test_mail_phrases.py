"""What a template cannot know is said in every language."""

from dataclasses import fields
from datetime import date

import pytest

from portal.core.mail_phrases import PHRASES, phrases_of
from portal.core.mail_templates import LANGUAGES
from portal.core.tickets import STATUSES


def test_every_language_of_the_mails_has_its_phrases() -> None:
    assert set(PHRASES) == set(LANGUAGES)
    assert phrases_of("xx") is PHRASES["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_lacks_nothing(language: str) -> None:
    phrases = phrases_of(language)
    assert all(getattr(phrases, field.name) for field in fields(phrases))
    assert set(phrases.statuses) == set(STATUSES) and all(phrases.statuses.values())
    assert len(set(phrases.weekdays)) == 7 and len(set(phrases.months)) == 12
    assert "CLOSE" in phrases.by_mail and "RATE 5" in phrases.rate and "RATE 1" in phrases.rate


def test_a_day_is_said_as_the_language_says_it() -> None:
    day = date(2026, 11, 23)
    said = {language: phrases_of(language).format_day(day) for language in LANGUAGES}
    assert said == {
        "en": "on Monday, 23 November", "de": "am Montag, dem 23. November", "fr": "le lundi 23 novembre",
        "es": "el lunes 23 de noviembre", "nl": "op maandag 23 november",
    }  # fmt: skip


def test_people_are_greeted_by_name_where_it_is_known() -> None:
    assert phrases_of("de").greet("Dana") == "Guten Tag Dana," and phrases_of("de").greet("") == "Guten Tag,"
