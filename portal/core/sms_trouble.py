"""What a provider's error code asks a person to do: mend the account, the number, text START, or nothing but wait."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """Whose trouble it is."""

    ACCOUNT = "account"
    NUMBER = "number"
    STOPPED = "stopped"
    WAIT = "wait"


# https://www.twilio.com/docs/api/errors; the sandbox uses the same numbers.
_ACCOUNT = {"20003", "20005", "20404", "21212", "21606", "21659", "30001", "30002", "30032", "30034", "30454"}
_STOPPED = {"21610"}
# Our own code for "no provider is set up".
SETUP = "setup"


def sort_trouble(code: str, *, permanent: bool) -> Trouble:
    """Where a failed text belongs.

    ACCOUNT: no number would do better, so the text keeps waiting and a person must act. NUMBER: this phone will not
    get it. STOPPED: its owner texted STOP. WAIT: try again.
    """
    if code in _STOPPED:
        return Trouble.STOPPED
    if code in _ACCOUNT or code == SETUP:
        return Trouble.ACCOUNT
    return Trouble.NUMBER if permanent else Trouble.WAIT
