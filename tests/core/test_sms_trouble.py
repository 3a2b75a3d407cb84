"""Error codes sorted by who must act."""

import pytest

from portal.core.sms_trouble import SETUP, Trouble, sort_trouble


@pytest.mark.parametrize(
    ("code", "permanent", "trouble"),
    [
        ("20003", True, Trouble.ACCOUNT),
        (SETUP, False, Trouble.ACCOUNT),
        ("30034", False, Trouble.ACCOUNT),
        ("21211", True, Trouble.NUMBER),
        ("30003", True, Trouble.NUMBER),
        ("21610", True, Trouble.STOPPED),
        ("20429", False, Trouble.WAIT),
        ("", False, Trouble.WAIT),
        ("", True, Trouble.NUMBER),
    ],
)
def test_each_code_says_who_must_act(code, permanent, trouble):
    assert sort_trouble(code, permanent=permanent) is trouble
