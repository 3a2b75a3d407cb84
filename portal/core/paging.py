"""Whether an event pages: one decision per cause, with the reasons a person is shown (decisions.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.core.quoting import own_words


class Cause(StrEnum):
    """What made somebody ask whether to page."""

    CREATED = "created"
    REOPENED = "reopened"
    RAISED = "raised"
    EMERGENCY = "emergency"
    MANUAL = "manual"


class Verdict(StrEnum):
    """`page` rings now, `digest` joins the one late page of this tick, `none` rings nobody."""

    PAGE = "page"
    DIGEST = "digest"
    NONE = "none"


class WakeFor(StrEnum):
    """The answer to the first run's question "wake for what?"."""

    EVERYTHING = "everything"
    URGENT = "urgent"
    EMERGENCIES = "emergencies"


@dataclass(frozen=True)
class PageFacts:
    """What is known of the ticket when the question comes up.

    Args:
        cause: why it comes up; `occurrence` tells two of the same kind apart (the id of the reopening message).
        priority: 1 to 4.
        received_at: when the words of this cause reached the house (decisions.md 6); the future counts as now.
        source: "form", "mail", "api", "staff" or "import".
        emergency: the requester's word: True declared and confirmed, False "not an emergency", None not asked.
        mail_verdict: the ledger's verdict where a mail is behind it; only "ticket" and "reply" may page.
        is_quiet: an import or a mailbox's first connection, which pages nothing.
        rule: the routing rule that speaks about paging, and `rule_pages` what it says.
        is_over: the ticket was resolved before the question came up.
        has_open_page: somebody is being asked about this ticket already.
        asked_by: who pressed "Page now".
    """

    cause: Cause
    priority: int
    received_at: datetime
    source: str = "mail"
    emergency: bool | None = None
    mail_verdict: str = ""
    is_quiet: bool = False
    rule: str = ""
    rule_pages: bool | None = None
    is_over: bool = False
    has_open_page: bool = False
    asked_by: str = ""
    occurrence: str = ""


@dataclass(frozen=True)
class PagePolicy:
    """The shop's settings for the decision."""

    wake_for: WakeFor = WakeFor.EVERYTHING
    late_after: timedelta = timedelta(minutes=60)


@dataclass(frozen=True)
class HoursFacts:
    """The calendar's word for this moment. `holiday` is its name, empty on ordinary days."""

    is_open: bool
    holiday: str = ""


@dataclass(frozen=True)
class PageDecision:
    """The verdict and, in order, the sentences that led to it."""

    verdict: Verdict
    reasons: tuple[str, ...]


_MACHINE_MAIL = {
    "automatic": "Automatic mail never pages.",
    "bounce": "A bounced mail never pages.",
    "ignored": "A mail that a rule ignores never pages.",
    "duplicate": "A second copy of a mail never pages.",
    "quarantined": "A mail in quarantine never pages.",
}
_ALREADY = "A page for this ticket is already open, so nobody is rung a second time."
_OVER = "It was resolved before anybody was rung."
_STAFF = 'Entered by staff: nobody is rung by itself. "Page now" is there.'
_QUIET = "An import or a first connection pages nobody."
_NOT_EMERGENCY = 'The requester chose "not an emergency".'
_WAKE_REASON = {
    WakeFor.EVERYTHING: "The setting is to wake for everything.",
    WakeFor.URGENT: "The setting is to wake for P1, P2 and emergencies",
    WakeFor.EMERGENCIES: "The setting is to wake for confirmed emergencies",
}


def cause_key(facts: PageFacts) -> str:
    """The text that is unique per ticket: one decision each, however often the question is asked."""
    return f"{facts.cause}:{facts.occurrence}" if facts.occurrence else str(facts.cause)


def confirms_emergency(body: str) -> bool:
    """Whether a requester's reply begins with the one word that declares an emergency (product.md 4)."""
    lines = (line.strip() for line in own_words(body).splitlines())
    first = next((line for line in lines if line and not line.startswith(">")), "")
    return first.strip(" \t.,;:!\"'“”‘’*").casefold() == "urgent"


def decide_page(facts: PageFacts, *, policy: PagePolicy, hours: HoursFacts, now: datetime) -> PageDecision:
    """Page, digest or none. Hours are those of `now`: nobody needs waking while somebody is at work.

    Order of the rules: what never pages; the shop's own rules and hours; what the shop wakes for; lateness.
    """
    if refusal := _refusal(facts):
        return PageDecision(Verdict.NONE, (refusal,))
    if facts.cause is Cause.MANUAL:
        return PageDecision(Verdict.PAGE, (f'{facts.asked_by or "Somebody"} pressed "Page now".',))
    reasons: list[str] = []
    if not _time_allows(facts, hours, reasons) or not _is_worth_waking(facts, policy, reasons):
        return PageDecision(Verdict.NONE, tuple(reasons))
    return PageDecision(_by_lateness(facts, policy, now, reasons), tuple(reasons))


def _refusal(facts: PageFacts) -> str:
    """Why this event may not page whatever the hour, or nothing."""
    if facts.has_open_page:
        return _ALREADY
    if facts.cause is Cause.MANUAL:
        return ""
    if facts.is_over:
        return _OVER
    if facts.mail_verdict in _MACHINE_MAIL:
        return _MACHINE_MAIL[facts.mail_verdict]
    if facts.is_quiet:
        return _QUIET
    if facts.cause is Cause.CREATED and facts.source == "staff":
        return _STAFF
    if facts.emergency is False and facts.cause in (Cause.CREATED, Cause.REOPENED):
        return _NOT_EMERGENCY
    return f'The rule "{facts.rule}" says not to page.' if facts.rule_pages is False else ""


def _time_allows(facts: PageFacts, hours: HoursFacts, reasons: list[str]) -> bool:
    if facts.rule_pages:
        reasons.append(f'The rule "{facts.rule}" says to page.')
    elif hours.holiday:
        reasons.append(f"Today is a holiday: {hours.holiday}.")
    elif not hours.is_open:
        reasons.append("It is outside business hours.")
    else:
        reasons.append("It is inside business hours, so nobody is woken.")
        return False
    return True


def _is_worth_waking(facts: PageFacts, policy: PagePolicy, reasons: list[str]) -> bool:
    if facts.rule_pages:
        return True
    if policy.wake_for is WakeFor.EVERYTHING:
        reasons.append(_WAKE_REASON[policy.wake_for])
        return True
    is_urgent = policy.wake_for is WakeFor.URGENT and facts.priority <= 2
    what = "an emergency" if facts.emergency else f"P{facts.priority}"
    fits = bool(facts.emergency) or is_urgent
    reasons.append(f"{_WAKE_REASON[policy.wake_for]}, and this {'is' if fits else 'is only'} {what}.")
    return fits


def _by_lateness(facts: PageFacts, policy: PagePolicy, now: datetime, reasons: list[str]) -> Verdict:
    late_by = now - min(facts.received_at, now)
    if late_by <= policy.late_after:
        return Verdict.PAGE
    came = f"It came in {_spell(late_by)} ago, longer than the limit of {_spell(policy.late_after)}"
    if facts.emergency or facts.priority == 1:
        reasons.append(f"{came}, but {'an emergency' if facts.emergency else 'a P1'} always rings by itself.")
        return Verdict.PAGE
    reasons.append(f"{came}: it goes into one page with the other late requests.")
    return Verdict.DIGEST


def _spell(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"


@dataclass(frozen=True)
class BurstPolicy:
    """After `free` page texts to one person within `window`, the next ones wait for each other."""

    free: int = 60
    window: timedelta = timedelta(minutes=5)
    gather: timedelta = timedelta(seconds=60)


def plan_burst(sent_at: Sequence[datetime], *, policy: BurstPolicy, now: datetime) -> datetime:
    """When the next page text to one person may leave; what is due by then goes out as one.

    `sent_at` are the times of this person's latest page texts. The first ones always go at once; from then on at most
    one leaves per `gather`, and it carries everything that waits.
    """
    recent = [at for at in sent_at if now - policy.window < at <= now]
    return now if len(recent) < policy.free else max(now, max(recent) + policy.gather)
