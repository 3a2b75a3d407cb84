from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.core.mail_health import (
    EXPIRY_DAYS,
    ReadState,
    advise,
    decide_state,
    expiry_stage,
    expiry_words,
    unread_since,
)

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
LIMIT = timedelta(minutes=15)
WELL = ReadState(True, True, NOW + timedelta(seconds=9), NOW, None, "")
LONG_AGO, LATELY = NOW - timedelta(minutes=15), NOW - timedelta(minutes=14)


@pytest.mark.parametrize(
    ("state", "since", "word"),
    [
        (WELL, None, "good"),
        (replace(WELL, last_ok_at=None), None, "new"),
        (replace(WELL, error="Sent is gone"), None, "trouble"),
        (replace(WELL, error="away", failing_since=LATELY), None, "trouble"),
        (replace(WELL, error="away", failing_since=LONG_AGO), LONG_AGO, "unread"),
        (replace(WELL, next_at=LATELY), None, "good"),
        (replace(WELL, next_at=LONG_AGO), LONG_AGO, "unread"),
        (replace(WELL, next_at=LATELY, failing_since=LONG_AGO), LONG_AGO, "unread"),
        (replace(WELL, failing_since=LONG_AGO, is_enabled=False), None, "off"),
        (replace(WELL, is_enabled=False, is_started=False), None, "waiting"),
        (replace(WELL, last_ok_at=None, failing_since=LONG_AGO), LONG_AGO, "unread"),
    ],
)
def test_a_mailbox_is_unread_when_it_failed_or_nobody_tried_for_too_long(state, since, word):
    assert unread_since(state, now=NOW, limit=LIMIT) == since
    assert decide_state(state, now=NOW, limit=LIMIT) == word


@pytest.mark.parametrize(
    ("left", "stage"),
    [(31, None), (30, 30), (15, 30), (14, 14), (8, 14), (7, 7), (2, 7), (1, 1), (0, 0), (-5, 0), (400, None)],
)
def test_the_warning_is_that_of_the_days_left(left, stage):
    today = date(2026, 12, 25)
    assert expiry_stage(today + timedelta(days=left), today=today) == stage


def test_every_day_of_the_last_month_has_one_stage_and_each_stage_comes_once():
    ends_on = date(2027, 3, 1)
    stages = [expiry_stage(ends_on, today=ends_on - timedelta(days=left)) for left in range(40, -3, -1)]
    seen = list(dict.fromkeys(stages))
    assert seen == [None, *EXPIRY_DAYS, 0]


@pytest.mark.parametrize(
    ("left", "words"),
    [(30, "ends in 30 days, on 24 January 2027"), (1, "ends in 1 day,"), (0, "ended on 25 December 2026")],
)
def test_the_warning_says_what_ends_when_and_what_to_do(left, words):
    today = date(2026, 12, 25)
    text = expiry_words("Help", "The password", today + timedelta(days=left), today=today)
    assert words in text and text.startswith("The password of the mailbox Help") and "Renew it" in text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("The mail server m refused the login: no", "Check how it signs in"),
        ("The certificate of m cannot be trusted: expired", "valid certificate"),
        ("The mail server m offers no STARTTLS: nothing was sent.", "Choose port and encryption"),
        (
            "The mail server m broke off: this port does not speak the encryption that was chosen (x)",
            "143 with STARTTLS",
        ),
        ("The folder Desk cannot be opened: gone", "Correct the folder’s name"),
        ("A stored secret cannot be opened with this key file. Please enter it again.", "key file"),
        ("The mail server m broke off: timed out", "tried again by itself"),
    ],
)
def test_each_trouble_has_its_advice_and_no_mail_is_lost_by_it(error, words):
    assert words in advise(error) and advise(error).endswith("as soon as reading works again.")
