"""The kinds of work, how urgent each is, and which worker's lane does it (decisions.md 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass

URGENT = "urgent"
OUTSIDE = "outside"

TRIAGE = "triage"
PAGES = "pages"
NOTIFY = "notify"
TEXTS = "texts"
URGENT_CHORES = "urgent_chores"
MAIL_FETCH = "mail_fetch"
MAIL_INTAKE = "mail_intake"
MAIL_OUT = "mail_out"
CHECKS = "checks"
CHORES = "chores"

MAX_OUTSIDE_LANES = 8


@dataclass(frozen=True)
class Lane:
    """One thread of a worker: the kinds it does, most urgent first. `per_account`: one such lane for each account."""

    name: str
    role: str
    kinds: tuple[str, ...]
    per_account: bool = False


# Most urgent first. No lane of the urgent worker waits for another, so that a slow SMS provider does not hold up a
# page decision. `intake` has a lane of its own: in the one "for the rest" a long report would hold up a page
# (docs/adr/intake-lane.md).
LANES = (
    Lane("triage", URGENT, (TRIAGE,)),
    Lane("pages", URGENT, (PAGES,)),
    Lane("notify", URGENT, (NOTIFY,)),
    Lane("texts", URGENT, (TEXTS,)),
    Lane("urgent_chores", URGENT, (URGENT_CHORES,)),
    Lane("intake", OUTSIDE, (MAIL_INTAKE,)),
    Lane("account", OUTSIDE, (MAIL_FETCH,), per_account=True),
    Lane("rest", OUTSIDE, (MAIL_OUT, CHECKS, CHORES)),
)


def all_kinds() -> tuple[str, ...]:
    """Every kind of work, most urgent first."""
    return tuple(kind for lane in LANES for kind in lane.kinds)


def plan_lanes(role: str, *, accounts: int) -> list[Lane]:
    """The threads a worker of this role needs, `accounts` being how many mailboxes (later desks) there are.

    The outside worker has at most eight (decisions.md 4). Lanes for accounts are alike: each takes the next account
    that is due and that no other lane has, so with more accounts than lanes a slow one holds up no single neighbour.
    """
    lanes = [lane for lane in LANES if lane.role == role]
    fixed = [lane for lane in lanes if not lane.per_account]
    room = MAX_OUTSIDE_LANES - len(fixed)
    for lane in lanes:
        if lane.per_account:
            fixed += [lane] * max(1, min(accounts, room))
    return fixed


def count_wakes(kind: str, *, due: int, waiting: bool) -> int:
    """How many wake-ups the ticker sends for `due` unclaimed rows: none while one waits, one for each free account."""
    if not due or waiting:
        return 0
    per_account = any(lane.per_account and kind in lane.kinds for lane in LANES)
    return min(due, MAX_OUTSIDE_LANES) if per_account else 1
