import pytest

from portal.core.errors import DomainError
from portal.core.tickets import (
    STATUSES,
    TRANSITIONS,
    check_priority,
    clean_subject,
    decide_status_change,
    format_number,
    is_open_status,
    next_statuses,
    status_after_reply,
)


def test_nothing_goes_back_to_new_and_what_is_closed_is_reopened_first():
    assert set(TRANSITIONS) == set(STATUSES)
    assert all("new" not in after for after in TRANSITIONS.values())
    assert next_statuses("closed") == ("open",)
    assert next_statuses("resolved") == ("open", "closed")


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_only_what_the_table_says_follows(before, after):
    if after in TRANSITIONS[before]:
        change = decide_status_change(before, after, resolution="New toner.")
        assert (change.before, change.after) == (before, after)
        assert change.is_reopened == (not is_open_status(before) and is_open_status(after))
        assert change.is_resolved == (after == "resolved")
    else:
        with pytest.raises(DomainError, match="cannot become"):
            decide_status_change(before, after, resolution="x")


@pytest.mark.parametrize("note", ["", "  \n"])
def test_resolving_asks_for_a_note(note):
    with pytest.raises(DomainError, match="how it was solved"):
        decide_status_change("open", "resolved", resolution=note)


def test_a_status_nobody_has_heard_of_is_refused():
    with pytest.raises(DomainError, match="no status"):
        decide_status_change("open", "stuck")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("new", "new"),
        ("in progress", "in progress"),
        ("on hold", "on hold"),
        ("waiting for third party", "waiting for third party"),
        ("waiting for requester", "open"),
        ("resolved", "open"),
        ("closed", "open"),
    ],
)
def test_the_requesters_words_open_what_waited_for_them_or_had_ended(before, after):
    assert status_after_reply(before) == after


@pytest.mark.parametrize("priority", [0, 5, -1])
def test_there_are_four_priorities(priority):
    assert check_priority(4) == 4
    with pytest.raises(DomainError):
        check_priority(priority)


@pytest.mark.parametrize(
    ("subject", "body", "line"),
    [
        ("  Printer\r\n broken ", "", "Printer broken"),
        ("", "\n\n  It smokes \nHelp", "It smokes"),
        ("", "", "(no subject)"),
        ("x" * 400, "", "x" * 300),
        ("", "y" * 400, "y" * 100),
    ],
)
def test_a_subject_is_one_line(subject, body, line):
    assert clean_subject(subject, body=body) == line


def test_a_number_has_the_sites_sign_before_it():
    assert format_number(12) == "#12"
    assert format_number(12, prefix="ND-") == "ND-12"
