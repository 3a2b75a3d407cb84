import pytest

from portal.core.work import all_kinds, count_wakes, plan_lanes


def names(lanes):
    return [lane.name for lane in lanes]


def test_every_kind_is_in_exactly_one_lane():
    assert len(all_kinds()) == len(set(all_kinds())) == 10


def test_a_page_decision_is_the_most_urgent_work_and_chores_the_least():
    assert all_kinds()[0] == "triage"
    assert all_kinds()[-1] == "chores"


def test_whatever_talks_to_mail_servers_is_never_the_urgent_workers():
    kinds = {kind for lane in plan_lanes("urgent", accounts=3) for kind in lane.kinds}
    assert kinds == {"triage", "pages", "notify", "texts", "urgent_chores"}


def test_the_urgent_worker_has_one_thread_a_kind():
    assert names(plan_lanes("urgent", accounts=5)) == ["triage", "pages", "notify", "texts", "urgent_chores"]


@pytest.mark.parametrize(
    ("accounts", "lanes"),
    [(0, 1), (1, 1), (3, 3), (6, 6), (7, 6), (200, 6)],
)
def test_each_mailbox_has_a_lane_until_there_are_eight(accounts, lanes):
    planned = plan_lanes("outside", accounts=accounts)
    assert names(planned).count("account") == lanes
    assert len(planned) == lanes + 2 <= 8
    assert names(planned)[:2] == ["intake", "rest"]


@pytest.mark.parametrize(
    ("kind", "due", "waiting", "wakes"),
    [
        ("notify", 0, False, 0),
        ("notify", 1, False, 1),
        ("notify", 500, False, 1),
        ("notify", 500, True, 0),
        ("mail_fetch", 3, False, 3),
        ("mail_fetch", 300, False, 8),
        ("mail_fetch", 3, True, 0),
        ("mail_intake", 300, False, 1),
    ],
)
def test_wake_ups_are_one_a_kind_and_one_for_each_due_mailbox(kind, due, waiting, wakes):
    assert count_wakes(kind, due=due, waiting=waiting) == wakes
