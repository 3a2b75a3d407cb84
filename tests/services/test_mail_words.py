"""What a mail says, in which language, with and without a page to link to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.core.mail_templates import ANSWER, CONFIRMATION, EVENTS, LANGUAGES, RESOLVED, Template
from portal.core.settings import SiteSettings
from portal.models import Message, Ticket
from portal.services.mail_templates import save_template
from portal.services.mail_words import Letter, language_of, preview_letter, render_letter
from tests.services.mail_world import make_mail_world
from tests.services.paging_world import add_ticket
from tests.services.runtime_world import write

SETTINGS = SiteSettings(site_name="Shop Help Desk")
REF = "nd.7.1.aebagbaf.abcdefghijklmnop"
LINK = "https://help.shop.example/r/7-abc"
MORE = {
    "words": "Turned it off.\nAnd on.\n\nIt works & prints.", "author": "Bob", "promise": "We look at it today.",
    "status": "on hold", "what": "Reply", "sender": "Dana", "priority": "P1", "price": "",
}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    return make_mail_world(tmp_path)


def letter(world, **changes):
    with world.database.read_session() as session:
        ticket = Ticket(id=7, subject="Printer on <fire>")
        made = Letter(CONFIRMATION, "en", ticket, SETTINGS, REF, name="Dana", link=LINK, more=MORE)
        return render_letter(session, replace(made, **changes))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_mail_names_ticket_site_and_reference_once(world, event, language):
    words = letter(world, event=event, language=language)
    assert words.subject.startswith("[#7] ") and "Printer on <fire>" in words.subject
    assert words.text.count(REF) == 1 and words.html.count(REF) == 1
    assert "Shop Help Desk" in words.text and "\n\n\n" not in words.text and "{{" not in words.text
    assert "<fire>" not in words.html and f'<html lang="{language}">' in words.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", [one for one in EVENTS if one != "team_notice"])
def test_without_a_public_address_no_mail_has_a_link_and_each_says_what_a_reply_can_do(world, event, language):
    words = letter(world, event=event, language=language, link="")
    assert "http" not in words.text and "href" not in words.html and not words.text.rstrip().endswith(":")
    assert ("RATE 5" if event == RESOLVED else "CLOSE") in words.text
    assert event != "after_hours" or "URGENT" in words.text


def test_with_a_link_the_page_does_what_the_words_did(world):
    words = letter(world)
    assert LINK in words.text and f'href="{LINK}"' in words.html and "CLOSE" not in words.text


def test_the_mailboxs_signature_takes_the_place_of_the_shops_name(world):
    assert "Your friends at Shop\n+49 30 1234" in letter(world, signature="Your friends at Shop\n+49 30 1234\n").text


@pytest.mark.parametrize("name", ["", "Win money at www.evil.example", "https://evil.example", "a@b.example", "x" * 61])
def test_a_name_that_is_none_is_not_repeated(world, name):
    words = letter(world, name=name)
    assert words.text.startswith("Hello,\n") and (not name or name not in words.text)


def test_the_shops_own_words_are_used(world):
    write(world, save_template, ANSWER, "en", Template("Your {{ subject }}", "{{ words }}\n\nBye {{ name }}"))
    words = letter(world, event=ANSWER)
    assert words.subject == "[#7] Your Printer on <fire>" and words.text.endswith("Bye Dana\n\nRef: " + REF + "\n")


def language(world, body, **settings):
    ticket_id = add_ticket(world.database)
    with world.database.unit_of_work() as uow:
        uow.session.query(Message).filter_by(ticket_id=ticket_id).one().body = body
    with world.database.read_session() as session:
        return language_of(session, session.get_one(Ticket, ticket_id), SiteSettings(**settings))


GERMAN = "Guten Tag, der Drucker funktioniert nicht mehr, bitte helfen Sie mir."
POLISH = "Nie działa drukarka, proszę o pomoc, dziękuję."


def test_the_requesters_language_is_used_where_it_is_known_else_the_sites(world):
    assert language(world, GERMAN) == "de"
    assert language(world, "Printer kaputt", site_language="fr") == "fr"
    assert language(world, POLISH, site_language="nl") == "nl"
    assert language(world, GERMAN, mail_match_language=False) == "en"


def test_a_quoted_mail_does_not_say_what_language_its_reader_speaks(world):
    quoted = "\n".join(f"> {GERMAN}" for _ in range(5))
    assert language(world, f"The printer does not work and I need it.\n\nOn Monday Bob wrote:\n{quoted}") == "en"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("site_url", ["", "https://help.shop.example"])
def test_the_preview_fills_every_place_with_an_invented_ticket(event, language, site_url):
    spec = EVENTS[event]
    template = Template("s", "\n".join(f"{name}: {{{{ {name} }}}}" for name in spec.places))
    settings = SiteSettings(site_name="Shop", form_price="120")
    words = preview_letter(template, event, language, settings=settings, site_url=site_url)
    missing = {name for name in spec.places if f"{name}: " not in words.text}
    assert missing == ({"by_mail"} if site_url else {"link"}) and "[#1234]" in words.subject


def test_the_preview_takes_words_that_are_not_finished():
    words = preview_letter(Template("", "Hi {{ foo }}x\nHello {{ na"), "answer", "en", settings=SETTINGS, site_url="")
    assert words.text.startswith("Hello {{ na\n") and words.subject == "[#1234]"
