"""The red banner, and the texts that carry it to a person."""

from dataclasses import replace

import pytest

from portal.models import Alarm, Notification, Page, Phone
from portal.services.alarms import alarm_silent_pages, end_alarm, open_alarms, page_key, raise_alarm, raise_page_alarm
from tests.services.paging_world import (
    ALICE,
    CAROL,
    NOW,
    RULES,
    add_people,
    add_ticket,
    decide,
    later,
    rows,
    texts,
)


@pytest.fixture
def shop(database):
    add_people(database)
    return database


def test_an_alarm_of_a_kind_shows_once_until_it_ends(shop):
    with shop.unit_of_work() as uow:
        assert raise_alarm(uow, "disk", "The disk is full.", now=NOW)
        assert not raise_alarm(uow, "disk", "The disk is full.", now=NOW)
        assert [alarm.text for alarm in open_alarms(uow.session)] == ["The disk is full."]
        end_alarm(uow, "disk", now=later(minutes=1), by="Alice")
        uow.session.flush()
        assert open_alarms(uow.session) == []
        assert raise_alarm(uow, "disk", "Again.", now=NOW)
    first = rows(shop, Alarm)[0]
    assert (first.ended_at, first.ended_by) == (later(minutes=1), "Alice")


def test_a_page_alarm_texts_managers_and_the_fallback_with_a_code_each(shop):
    decide(shop, add_ticket(shop))
    with shop.unit_of_work() as uow:
        page = uow.session.get_one(Page, 1)
        rules = replace(RULES, fallback=CAROL)
        assert raise_page_alarm(uow, page, "Nobody answered the page.", rules=rules)
        assert not raise_page_alarm(uow, page, "Nobody answered the page.", rules=rules)
        assert open_alarms(uow.session)[0].key == page_key(page)
    alarms = [row for row in rows(shop, Notification) if row.text.startswith("ALARM #1: Nobody answered")]
    assert [row.user_id for row in alarms] == [ALICE, CAROL]
    assert all(row.text.endswith("Reply 1A to take it") for row in alarms)


def test_a_page_no_phone_got_for_two_minutes_is_told_to_people(shop):
    decide(shop, add_ticket(shop))
    with shop.unit_of_work() as uow:
        assert alarm_silent_pages(uow, rules=replace(RULES, now=later(seconds=119))) == 0
        assert alarm_silent_pages(uow, rules=replace(RULES, now=later(seconds=120))) == 1
        assert alarm_silent_pages(uow, rules=replace(RULES, now=later(seconds=180))) == 0
    assert [alarm.text for alarm in rows(shop, Alarm)] == ["#1: No phone has got this page for two minutes."]
    assert texts(shop, ALICE)[0][2].startswith("ALARM #1: No phone has got this page for two minutes.")


def test_a_page_that_rang_one_phone_is_well(shop):
    decide(shop, add_ticket(shop))
    with shop.unit_of_work() as uow:
        uow.session.get_one(Notification, 1).state = "accepted"
    with shop.unit_of_work() as uow:
        assert alarm_silent_pages(uow, rules=replace(RULES, now=later(minutes=9))) == 0


def test_late_tickets_that_wait_too_long_for_their_digest_raise_an_alarm_that_ends(shop):
    decide(shop, add_ticket(shop, received_at=later(minutes=-200)))
    with shop.unit_of_work() as uow:
        assert alarm_silent_pages(uow, rules=replace(RULES, now=later(minutes=2))) == 1
    with shop.unit_of_work() as uow:
        from portal.services.paging import open_digests

        open_digests(uow, rules=replace(RULES, now=later(minutes=2)))
        alarm_silent_pages(uow, rules=replace(RULES, now=later(minutes=3)))
    assert [alarm.ended_at for alarm in rows(shop, Alarm)] == [later(minutes=3)]


def test_an_alarm_without_any_phone_still_shows(shop):
    with shop.unit_of_work() as uow:
        uow.session.query(Phone).delete()
    decide(shop, add_ticket(shop))
    assert rows(shop, Notification) == []
    assert len(rows(shop, Alarm)) == 1
