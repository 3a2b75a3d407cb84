"""Paste a ticket and see what would happen to it, and why. Nothing is stored and nobody is told."""

from __future__ import annotations

from flask import g, render_template, request

from portal.core.paging import Cause, HoursFacts, PageDecision, PageFacts, decide_page
from portal.services.paging_rules import load_paging_rules
from portal.services.triage import Finding, Request, examine, load_desk
from portal.services.triage_view import view_triage
from portal.web.auth import requires
from portal.web.htmx import refused, render_partial
from portal.web.rules import bp
from portal.web.rules.forms import TryForm
from portal.web.state import context, now


@bp.route("/try", methods=["GET", "POST"])
@requires("rules.view")
def try_out() -> tuple[str, int] | str:
    """The form, and below it what would happen."""
    form = TryForm()
    if request.method == "GET":
        return render_template("rules/try.html", form=form, result=None)
    if not form.validate():
        return refused("rules/try.html", "rules/_try.html", form=form, result=None)
    wanted = Request(
        subject=form.subject.data or "",
        body=form.body.data or "",
        source=form.source.data,
        sender=(form.sender.data or "").strip(),
        is_emergency=form.is_emergency.data,
    )
    desk = load_desk(context().database, g.read)
    finding = examine(wanted, desk=desk, is_after_hours=form.is_after_hours.data)
    stored = finding.as_json()
    changes = [vars(change) for change in finding.body.changes]
    triage = view_triage(stored, subject=wanted.subject, body=wanted.body, corrections=changes)
    decision = _decide(finding, wanted, is_after_hours=form.is_after_hours.data)
    values = {"routing": finding.routing, "triage": triage, "decision": decision}
    return render_partial("rules/try.html", "rules/_try.html", form=form, result=values)


def _decide(finding: Finding, wanted: Request, *, is_after_hours: bool) -> PageDecision:
    rules = load_paging_rules(g.read, now=now())
    facts = PageFacts(
        cause=Cause.CREATED,
        priority=finding.routing.priority,
        received_at=rules.now,
        source=wanted.source,
        emergency=wanted.is_emergency or None,
        is_quiet=wanted.source == "import",
        rule=finding.routing.page_rule,
        rule_pages=finding.routing.page,
    )
    return decide_page(facts, policy=rules.policy, hours=HoursFacts(is_open=not is_after_hours), now=rules.now)
