from itertools import pairwise

import pytest

from portal.core.permissions import ACTIONS, Role, is_allowed


def test_an_administrator_may_everything():
    assert all(is_allowed(Role.ADMIN, action) for action in ACTIONS)


def test_whoever_stands_higher_may_whatever_those_below_may():
    roles = list(Role)
    for higher, lower in pairwise(roles):
        assert all(is_allowed(higher, action) for action in ACTIONS if is_allowed(lower, action)), (higher, lower)


def test_a_viewer_changes_nothing_but_their_own_account():
    allowed = {action for action in ACTIONS if is_allowed(Role.VIEWER, action)}
    assert {action for action in allowed if not action.endswith(".view")} == {"account.own"}


@pytest.mark.parametrize("action", ["settings.edit", "people.edit", "system.restart", "mail.edit", "jobs.edit"])
def test_what_can_break_the_site_is_the_administrators(action):
    assert [role for role in Role if is_allowed(role, action)] == [Role.ADMIN]


def test_an_unknown_role_may_nothing_and_an_unknown_action_is_a_mistake():
    assert not is_allowed("intern", "tickets.view")
    with pytest.raises(KeyError):
        is_allowed(Role.ADMIN, "tickets.destroy")
