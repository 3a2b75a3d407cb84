"""The pages of the ledger."""

from __future__ import annotations

from flask import Response as FlaskResponse
from flask import abort, g, request

from portal.core.intake import QUARANTINED, VERDICTS
from portal.core.mail_heads import cut_head
from portal.services import mail_ledger
from portal.services.breaker import count_trips
from portal.services.mail_quarantine import mark_of, offered_decisions
from portal.services.mail_rules import find_mail_rule, load_head
from portal.web.auth import may, requires
from portal.web.htmx import render_partial
from portal.web.mail import bp
from portal.web.mail.query import KINDS, day_bounds, last_days, read_query
from portal.web.mail.words import DECISIONS, LABELS, VERDICT_WORDS
from portal.web.state import now, site

DAYS = 14


@bp.get("")
@requires("mail.view")
def index() -> str:
    """Every message, newest first. Eight statements, whatever the size of the ledger."""
    query = read_query(request.args, zone=site().zone)
    found = mail_ledger.list_ledger(g.read, query.wanted, query.place, now=now())
    offers = {line.id: offered_decisions(line) for line in found.lines} if may("mail.decide") else {}
    mailboxes = mail_ledger.list_ledger_mailboxes(g.read)
    return render_partial(
        "mail/index.html",
        "mail/_list.html",
        found=found,
        query=query,
        labels=LABELS,
        kinds=KINDS,
        offers=offers,
        decisions={one: words for one, words in DECISIONS.items() if any(one in offer for offer in offers.values())},
        mark_of=mark_of,
        mailboxes=mailboxes,
        names={mailbox.id: mailbox.name for mailbox in mailboxes},
        counts=mail_ledger.count_ledger(g.read, now=now()),
        stopped=count_trips(g.read),
        here="quarantine" if query.wanted.verdict == QUARANTINED else "messages",
    )


@bp.get("/days")
@requires("mail.view")
def show_days() -> str:
    """How many mails came on each of the last 14 days, and what became of them."""
    days = last_days(now(), zone=site().zone, number=DAYS)
    starts = [day_bounds(day, zone=site().zone)[0] for day in reversed(days)]
    counted = mail_ledger.count_days(g.read, [*starts, day_bounds(days[0], zone=site().zone)[1]])
    rows = list(zip(days, reversed(counted), strict=True))
    return render_partial(
        "mail/days.html",
        "mail/_days.html",
        rows=rows,
        verdicts=("", *VERDICTS),
        labels=LABELS,
        here="days",
    )


@bp.get("/<int:ledger_id>")
@requires("mail.view")
def show(ledger_id: int) -> str:
    """One message: where it came from, its verdict and why."""
    row = mail_ledger.load_ledger_row(g.read, ledger_id)
    if row is None:
        abort(404)
    names = {mailbox.id: mailbox.name for mailbox in mail_ledger.list_ledger_mailboxes(g.read)}
    return render_partial(
        "mail/show.html",
        "mail/_row.html",
        row=row,
        names=names,
        kinds=KINDS,
        labels=LABELS,
        meaning=VERDICT_WORDS.get(row.verdict, ""),
        rule=find_mail_rule(g.read, row.rule_id) if row.rule_id else None,
        twins=mail_ledger.list_twins(g.read, row),
        ticket_subject=mail_ledger.load_ticket_subject(g.read, row.ticket_id),
        head=cut_head(load_head(g.read, row.sha256)).decode("utf-8", "replace").replace("\x00", ""),
        mark=mark_of(row),
        decisions={one: DECISIONS[one] for one in offered_decisions(row)} if may("mail.decide") else {},
    )


@bp.get("/<int:ledger_id>/original")
@requires("mail.view")
def original(ledger_id: int) -> FlaskResponse:
    """The message as it came, to keep or to open in a mail program. Never shown in the browser."""
    raw = mail_ledger.load_original(g.read, ledger_id)
    if raw is None:
        abort(404)
    response = FlaskResponse(raw, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{ledger_id}.eml"'
    return response
