import pytest

from portal.core.site_file import SECTIONS
from portal.services.site_file_export import collect_sections, secret_name
from tests.services.ticket_world import NOW


def test_every_section_of_the_schema_is_collected(database):
    with database.read_session() as session:
        sections = collect_sections(session, now=NOW)
    assert list(sections) == [section.name for section in SECTIONS]
    assert "sms.twilio_token" not in sections["settings"]


@pytest.mark.parametrize(
    ("words", "name"),
    [(("twilio_token",), "TWILIO_TOKEN"), (("mailbox", "Über & Söhne", "", "password"), "MAILBOX_BER_S_HNE_PASSWORD")],
)
def test_a_secret_is_named_by_what_it_opens(words, name):
    assert secret_name(*words) == name
