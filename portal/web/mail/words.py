"""The words of the ledger's pages: verdicts and decisions as people say them."""

from __future__ import annotations

from dataclasses import dataclass

from portal.services.mail_quarantine import Decision, Outcome

LABELS = {
    "ticket": "Tickets",
    "reply": "Replies",
    "automatic": "Automatic",
    "bounce": "Bounces",
    "ignored": "Ignored",
    "duplicate": "Duplicates",
    "quarantined": "Quarantine",
    "waiting": "Waiting",
    "unexplained": "Unexplained",
    "": "Waiting",
}
VERDICT_WORDS = {
    "ticket": "It became a ticket.",
    "reply": "It joined a ticket as somebody’s words.",
    "automatic": "A machine wrote it: kept as a note where it belongs to a ticket, answered by nobody, woke nobody.",
    "bounce": "It reports that a mail of ours did not arrive.",
    "ignored": "It was left alone.",
    "duplicate": "We have the same mail already.",
    "quarantined": "It waits for a person to decide.",
    "": "It was stored and is about to be taken in.",
}


@dataclass(frozen=True)
class DecisionWords:
    """A decision on its button, and after it was carried out, for one mail and for several."""

    button: str
    icon: str
    one: str
    many: str
    help: str


DECISIONS = {
    Decision.RELEASE: DecisionWords(
        "Let in", "check", "It is let in now; no rule looks at it again.", "{} are let in now.",
        "It is taken in as if no rule had kept it out.",
    ),
    Decision.RETRY: DecisionWords(
        "Try again", "refresh-cw", "It is tried again now.", "{} are tried again now.",
        "It is read once more, and the rules as they are now decide.",
    ),
    Decision.TEXT: DecisionWords(
        "Import as plain text", "file-text", "It becomes a ticket with its plain text now.",
        "{} become tickets with their plain text now.",
        "A ticket with the mail as it stands, the original attached.",
    ),
    Decision.IGNORE: DecisionWords(
        "Set aside", "trash-2", "It is set aside. Its original stays here.",
        "{} are set aside. Their originals stay here.", "No ticket. It stays in the ledger.",
    ),
}  # fmt: skip


def tell_outcome(outcome: Outcome, decision: Decision, *, me: str) -> tuple[str, str]:
    """What happened as a sentence or two, and their tone."""
    words, told = DECISIONS[decision], []
    if outcome.done:
        told.append(words.one if outcome.done == 1 else words.many.format(f"{outcome.done} mails"))
    if outcome.late:
        others = [name for name in outcome.faster if name != me]
        who = " and ".join(others) if others else "You" if outcome.faster else "Somebody else"
        verb = "were" if who == "You" or len(others) > 1 else "was"
        what = "one mail" if outcome.late == 1 else f"{outcome.late} mails"
        told.append(f"{who} {verb} faster: {what} had been decided already and stayed as decided.")
    if outcome.unfit:
        what = "one mail" if outcome.unfit == 1 else f"{outcome.unfit} mails"
        told.append(f"“{words.button}” does not apply to {what}, which stayed as before.")
    if not told:
        return "Choose at least one mail first.", "warn"
    return " ".join(told), "warn" if outcome.late or outcome.unfit else "good"
