"""Who may do what only one may do at a time. All times here are machine time (decisions.md 2), never product time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

JUMP_SECONDS = 5.0
LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class ClockWatch:
    """Notices that the machine's clock jumped, by holding wall time against the monotonic clock (decisions.md 2).

    Attributes:
        wall: machine time at the last look.
        monotonic: seconds of the monotonic clock at the last look.
        held_until: monotonic seconds until which no lease may be taken over.
    """

    wall: datetime
    monotonic: float
    held_until: float = float("-inf")

    def look(self, wall: datetime, *, monotonic: float) -> ClockWatch:
        """The watch after another look. A jump of more than 5 s, either way, holds for one lease length."""
        passed = (wall - self.wall).total_seconds()
        jumped = abs(passed - (monotonic - self.monotonic)) > JUMP_SECONDS
        return ClockWatch(wall, monotonic, monotonic + LEASE_SECONDS if jumped else self.held_until)

    @property
    def may_take_over(self) -> bool:
        """Whether an expired lease may be believed to be abandoned."""
        return self.monotonic >= self.held_until


def decide_lease(*, owner: str, until: datetime, me: str, now: datetime, seconds: float, may_take_over: bool) -> str:
    """What to do about a lease somebody has or had: `keep` it, `take` it (again), or `leave` it to its owner.

    One's own is written again only when half of it is over. One that reaches further than any lease can was written
    before the clock went back, and counts as over.
    """
    left = (until - now).total_seconds()
    is_valid = 0 < left <= 2 * seconds
    if owner == me:
        return "keep" if is_valid and left > seconds / 2 else "take"
    return "take" if not is_valid and may_take_over else "leave"


def lease_end(now: datetime, *, seconds: float = LEASE_SECONDS) -> datetime:
    """Until when a lease taken now is valid."""
    return now + timedelta(seconds=seconds)
