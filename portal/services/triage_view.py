"""What triage found on a ticket, as its page shows it: signs, rules, and the word diff of the corrections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.spelling import SpellingChange
from portal.core.triage import Aspect
from portal.core.worddiff import Segment, diff_lines
from portal.models import Message, Ticket
from portal.services.tickets import REQUEST

SIGNS_SHOWN = 8


@dataclass(frozen=True)
class TriageView:
    """For `templates/tickets/_triage.html`.

    Attributes:
        category: what the words say, "" for nothing; the ticket itself may have been sorted otherwise since.
        confidence: whole percent.
        category_signs, priority_signs: phrases, strongest first.
        rules: sentences of the rules that applied.
        diff: the changed lines of subject and body, each as segments.
    """

    category: str
    runner_up: str
    confidence: int
    priority: int
    category_signs: tuple[str, ...]
    priority_signs: tuple[str, ...]
    rules: tuple[str, ...]
    diff: tuple[tuple[Segment, ...], ...]


def load_triage_view(session: Session, ticket: Ticket) -> TriageView | None:
    """None while the ticket waits for triage. At most one statement, none when nothing was corrected in the body."""
    if ticket.triage is None:
        return None
    first = select(Message.body, Message.corrections).where(Message.ticket_id == ticket.id, Message.kind == REQUEST)
    body, corrections = session.execute(first.order_by(Message.id).limit(1)).one_or_none() or ("", [])
    return view_triage(ticket.triage, subject=ticket.subject, body=body, corrections=corrections)


def view_triage(
    triage: Mapping[str, Any], *, subject: str, body: str, corrections: Iterable[Mapping[str, Any]]
) -> TriageView:
    """The same from the stored values, also for what is only tried out. Unknown keys are passed over."""
    reasons = triage.get("reasons", [])
    is_category = str(Aspect.CATEGORY)
    signs = [reason["text"] for reason in reasons if reason["aspect"] == is_category]
    others = [reason["text"] for reason in reasons if reason["aspect"] != is_category]
    return TriageView(
        category=triage.get("category", ""),
        runner_up=triage.get("runner_up", ""),
        confidence=round(100 * triage.get("confidence", 0.0)),
        priority=triage.get("priority", 3),
        category_signs=tuple(signs[:SIGNS_SHOWN]),
        priority_signs=tuple(others[:SIGNS_SHOWN]),
        rules=tuple(triage.get("rules", [])),
        diff=(
            *diff_lines(subject, _changes(triage.get("subject_changes", []), subject)),
            *diff_lines(body, _changes(corrections, body)),
        ),
    )


def _changes(stored: Iterable[Mapping[str, Any]], text: str) -> list[SpellingChange]:
    """Changes that still fit the text: a subject may have been edited since."""
    names = [field.name for field in fields(SpellingChange)]
    changes = [SpellingChange(**{name: one[name] for name in names}) for one in stored]
    return [change for change in changes if text[change.start : change.end] == change.wrong]
