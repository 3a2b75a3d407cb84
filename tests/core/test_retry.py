from datetime import UTC, datetime, timedelta

import pytest

from portal.core.retry import MAIL, MAILBOX, SMS, RetryPlan, RetryPolicy, plan_retry

NOW = datetime(2026, 12, 25, 2, 10, tzinfo=UTC)
POLICY = RetryPolicy(waits=(1, 60, 7200), give_up_after=5)


def wait(plan):
    return None if plan.due_at is None else (plan.due_at - NOW).total_seconds()


@pytest.mark.parametrize(("tries", "seconds"), [(0, 1), (1, 1), (2, 60), (3, 7200), (4, 7200), (5, None), (9, None)])
def test_waits_grow_and_then_it_is_given_up(tries, seconds):
    assert wait(plan_retry(POLICY, tries=tries, now=NOW)) == seconds


def test_a_permanent_failure_is_not_tried_again():
    assert plan_retry(POLICY, tries=1, now=NOW, permanent=True) == RetryPlan(None, "Trying again cannot help.")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 60), (0, 60), (30, 60), (90, 90), (3600, 3600), (86400, 3600)],
)
def test_what_the_other_side_asks_for_is_kept_up_to_an_hour(asked, seconds):
    assert wait(plan_retry(POLICY, tries=2, now=NOW, retry_after=asked)) == seconds


def test_an_asked_wait_does_not_save_what_is_given_up():
    assert plan_retry(POLICY, tries=5, now=NOW, retry_after=10).due_at is None


@pytest.mark.parametrize(
    ("tries", "reason"),
    [
        (1, "Next try in 1 second."),
        (2, "Next try in 1 minute."),
        (3, "Next try in 2 hours."),
        (5, "Given up after 5 tries."),
    ],
)
def test_the_reason_can_be_shown(tries, reason):
    assert plan_retry(POLICY, tries=tries, now=NOW).reason == reason


@pytest.mark.parametrize("policy", [SMS, MAIL, MAILBOX])
def test_every_policy_waits_longer_each_time(policy):
    assert list(policy.waits) == sorted(policy.waits)
    assert policy.waits[0] > 0


def test_a_text_is_tried_for_some_minutes_only():
    tries, at = 1, NOW
    while (plan := plan_retry(SMS, tries=tries, now=at)).due_at:
        tries, at = tries + 1, plan.due_at
    assert timedelta(minutes=2) < at - NOW < timedelta(minutes=5)


def test_a_mailbox_is_never_given_up():
    assert wait(plan_retry(MAILBOX, tries=10_000, now=NOW)) == 300
