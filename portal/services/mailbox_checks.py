"""The test button of a mailbox: what works, how much lies there by age, and where sent mail lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.core.errors import GatewayError
from portal.core.ports import Mailbox
from portal.models import MailboxRow
from portal.services.context import Context
from portal.services.mail_claims import Claimed
from portal.services.mailboxes import IMAP

# What "from when?" offers, in days.
LOOK_BACK_DAYS = (1, 7, 30)


@dataclass(frozen=True)
class MailboxFindings:
    """What the test found. `counts`: days back (as text) and "all" -> how many messages; `sent`: the folder of mail
    sent by hand, "" where there is none."""

    words: str
    counts: Mapping[str, int]
    sent: str


def check_account(context: Context, claimed: Claimed, mailbox: Mailbox) -> MailboxFindings:
    """Ask both servers. Raises GatewayError with the first thing that does not work."""
    totals = [(one.name, mailbox.count(one.name)) for one in claimed.folders]
    lines = [f"Reading works: {count:,} message{'' if count == 1 else 's'} in {name}." for name, count in totals]
    inboxes = [one.name for one in claimed.folders if not one.is_sent]
    counts = _count_by_age(mailbox, inboxes, context.clock.now())
    counts["all"] = sum(count for name, count in totals if name in inboxes)
    if claimed.account.smtp.get("host") or claimed.account.kind != IMAP:
        lines.append(f"Sending works: {context.mail.sender(claimed.account).check()}")
    else:
        lines.append("This mailbox sends nothing: no server for outgoing mail is entered.")
    return MailboxFindings(" ".join(lines), counts, _find_sent(mailbox))


def save_findings(row: MailboxRow, found: MailboxFindings) -> None:
    """Keep them where the page of the mailbox looks."""
    row.check_asked_at, row.check_result, row.check_ok = None, found.words, True
    row.options = {**row.options, "found": {"counts": dict(found.counts), "sent": found.sent}}


def _count_by_age(mailbox: Mailbox, folders: Sequence[str], now: datetime) -> dict[str, int]:
    since = now - timedelta(days=max(LOOK_BACK_DAYS))
    times = [received_at for folder in folders for _, received_at in mailbox.list_ids(folder, since)]
    return {str(days): sum(at >= now - timedelta(days=days) for at in times) for days in LOOK_BACK_DAYS}


def _find_sent(mailbox: Mailbox) -> str:
    """A server that cannot list its folders can be read all the same."""
    try:
        return mailbox.find_sent()
    except GatewayError:
        return ""
