"""What a correction did to a text, word by word, as segments a page can mark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from portal.core.spelling import SpellingChange


@dataclass(frozen=True)
class Segment:
    """A stretch of text. `equal` and `removed` together are the original, `equal` and `added` the corrected text."""

    kind: Literal["equal", "removed", "added"]
    text: str


def diff_words(original: str, changes: Iterable[SpellingChange]) -> tuple[Segment, ...]:
    """The whole text in reading order; what was removed stands before what replaced it.

    It follows the recorded changes and compares nothing, so a mail of any length costs one pass.
    """
    segments, position = [], 0
    for change in changes:
        segments += [
            Segment("equal", original[position : change.start]),
            Segment("removed", original[change.start : change.end]),
            Segment("added", change.right),
        ]
        position = change.end
    segments.append(Segment("equal", original[position:]))
    return tuple(segment for segment in segments if segment.text)


def diff_lines(original: str, changes: Iterable[SpellingChange]) -> tuple[tuple[Segment, ...], ...]:
    """Only the lines that hold a change, each as segments without the line break."""
    by_line: dict[int, list[SpellingChange]] = {}
    for change in changes:
        by_line.setdefault(original.rfind("\n", 0, change.start) + 1, []).append(change)
    return tuple(
        _diff_line(original, start, found) for start, found in sorted(by_line.items(), key=lambda entry: entry[0])
    )


def _diff_line(original: str, start: int, changes: list[SpellingChange]) -> tuple[Segment, ...]:
    end = original.find("\n", start)
    line = original[start : len(original) if end < 0 else end].rstrip("\r")
    moved = (SpellingChange(c.start - start, c.end - start, c.wrong, c.right, c.reason) for c in changes)
    return diff_words(line, moved)
