"""When something that failed outside is tried again. One plan for texts, mails and mailboxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class RetryPolicy:
    """Waits in seconds after the first, second, ... failed try; the last repeats. `give_up_after` 0: never given up."""

    waits: tuple[float, ...]
    give_up_after: int


# A text wakes somebody: first again at once, then every half minute; after that the escalation is the better answer.
SMS = RetryPolicy(waits=(2, 5, 10, 20, 30), give_up_after=12)
# RFC 5321 section 4.5.4.1 asks senders to keep trying for days; nine tries over about two.
MAIL = RetryPolicy(waits=(30, 120, 600, 1800, 3600, 4 * 3600, 12 * 3600), give_up_after=9)
# A mailbox is never given up; it is only asked less often.
MAILBOX = RetryPolicy(waits=(5, 20, 60, 120, 300), give_up_after=0)
# A calendar of holidays is read once a day and never given up.
FEED = RetryPolicy(waits=(300, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600), give_up_after=0)

MAX_ASKED_WAIT = 3600.0


@dataclass(frozen=True)
class RetryPlan:
    """`due_at` is when to try again; None means give up. `reason` is shown to people."""

    due_at: datetime | None
    reason: str


def plan_retry(
    policy: RetryPolicy,
    *,
    tries: int,
    now: datetime,
    permanent: bool = False,
    retry_after: float | None = None,
) -> RetryPlan:
    """What follows a failed try.

    Args:
        policy: the waits.
        tries: how many tries have failed, this one included.
        now: product time, aware.
        permanent: GatewayError.permanent: trying again cannot help.
        retry_after: seconds the other side asked for (RFC 9110 section 10.2.3). Believed up to an hour, and never
            shortens our own wait.
    """
    if permanent:
        return RetryPlan(None, "Trying again cannot help.")
    if policy.give_up_after and tries >= policy.give_up_after:
        return RetryPlan(None, f"Given up after {tries} tries.")
    wait = policy.waits[min(max(tries, 1), len(policy.waits)) - 1]
    if retry_after is not None:
        wait = max(wait, min(retry_after, MAX_ASKED_WAIT))
    return RetryPlan(now + timedelta(seconds=wait), f"Next try in {_format_wait(wait)}.")


def _format_wait(seconds: float) -> str:
    for size, name in ((3600, "hour"), (60, "minute"), (1, "second")):  # noqa: B007 - the last one is the default
        if seconds >= size:
            break
    count = round(seconds / size)
    return f"{count} {name}{'' if count == 1 else 's'}"
