"""Where reading stands in a folder: a link of the delta query, and what of its page was handed over already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Cursor:
    """`link` is a nextLink or deltaLink. What was received before `since` is left alone.

    `old`: digests of ids that came in the very second of `since`, before we did. `done`: digests of ids of its page
    that came before a limit was reached. `is_first`: the first round, in which everything that lies there is listed, is
    not over. `at` is the server's clock when the link was given. `stuck`: digests of ids of its page that Graph does
    not hand over, and since when.
    """

    link: str
    since: datetime
    old: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    is_first: bool = True
    at: datetime | None = None
    stuck: Mapping[str, datetime] = field(default_factory=dict)

    def write(self) -> str:
        """As the opaque string of the Mailbox port."""
        times: dict[str, object] = {"since": self.since.isoformat(), "at": self.at.isoformat() if self.at else None}
        times["stuck"] = {key: at.isoformat() for key, at in self.stuck.items()}
        return json.dumps({**asdict(self), **times}, separators=(",", ":"))


def read_cursor(text: str) -> Cursor | None:
    """None for what is no cursor of ours, such as one of IMAP."""
    try:
        kept = json.loads(text)
        at = datetime.fromisoformat(kept["at"]) if kept["at"] else None
        since = datetime.fromisoformat(kept["since"])
        stuck = {str(key): datetime.fromisoformat(text) for key, text in kept.get("stuck", {}).items()}
        old, done = tuple(kept["old"]), tuple(kept["done"])
        return Cursor(str(kept["link"]), since, old, done, bool(kept["is_first"]), at, stuck)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def digest(provider_id: str) -> str:
    """Ids are 150 letters and a page has many."""
    return hashlib.sha256(provider_id.encode()).hexdigest()[:20]
