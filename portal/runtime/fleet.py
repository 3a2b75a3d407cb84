"""One generation of child processes, and who of them is to be started again when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.runtime.children import Child

# Whoever lived this long has recovered: the next death counts as the first again.
_HEALTHY_SECONDS = 60.0
_BACK_OFF = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def back_off(failures: int) -> float:
    """Seconds to wait before a child is started again after this many deaths in a row."""
    return _BACK_OFF[min(max(failures, 1), len(_BACK_OFF)) - 1]


@dataclass
class Slot:
    """A place a child fills. `due` is when to fill it again (monotonic seconds)."""

    role: str
    child: Child | None = None
    is_ready: bool = False
    failures: int = 0
    restarts: int = 0
    due: float = 0.0
    born: float = field(default_factory=time.monotonic)


class Fleet:
    """The children that serve together. Before `release` they only load; afterwards the dead are replaced."""

    def __init__(self, roles: list[str], spawn: Callable[[str], Child]) -> None:
        self._spawn = spawn
        self._slots: list[Slot] = []
        self._orders_for: Callable[[Child], dict[str, Any]] | None = None
        self.add(roles)

    def add(self, roles: list[str]) -> None:
        """More places, each filled at once."""
        for role in roles:
            slot = Slot(role)
            self._slots.append(slot)
            self._fill(slot)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots)

    @property
    def children(self) -> list[Child]:
        return [slot.child for slot in self._slots if slot.child]

    @property
    def is_warm(self) -> bool:
        """Everybody is there and has loaded what it needs."""
        return all(slot.child and slot.child.is_warm for slot in self._slots)

    @property
    def has_lost_one(self) -> bool:
        return any(slot.child is None for slot in self._slots)

    def is_ready(self, role_prefix: str) -> bool:
        """Whether all processes of this kind do their work."""
        return all(slot.is_ready for slot in self._slots if slot.role.startswith(role_prefix))

    def slot_of(self, child: Child | None) -> Slot | None:
        return next((slot for slot in self._slots if child is not None and slot.child is child), None)

    @property
    def is_released(self) -> bool:
        return self._orders_for is not None

    def release(self, orders_for: Callable[[Child], dict[str, Any]]) -> None:
        """Let them begin, each with its orders; whoever gets warm later begins at once."""
        self._orders_for = orders_for
        for child in self.children:
            self.start(child)

    def start(self, child: Child) -> None:
        """Tell one child to begin, if it has loaded and the fleet is released."""
        if self._orders_for is not None and child.is_warm:
            child.tell("go", **self._orders_for(child))

    def bury(self, slot: Slot) -> float:
        """Take note of a death. Returns how many seconds later the place is filled again."""
        now = time.monotonic()
        slot.failures = 1 if now - slot.born > _HEALTHY_SECONDS else slot.failures + 1
        slot.child, slot.is_ready = None, False
        wait = back_off(slot.failures)
        slot.due = now + wait
        return wait

    def next_due(self) -> float | None:
        """When the next empty place is to be filled, in monotonic seconds."""
        return min((slot.due for slot in self._slots if slot.child is None), default=None)

    def revive(self) -> bool:
        """Fill the places that are due. Whether there were any."""
        due = [slot for slot in self._slots if slot.child is None and slot.due <= time.monotonic()]
        for slot in due:
            slot.restarts += 1
            self._fill(slot)
        return bool(due)

    def _fill(self, slot: Slot) -> None:
        slot.child, slot.born = self._spawn(slot.role), time.monotonic()
