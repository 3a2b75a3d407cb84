"""The list of mail rules, the page of one, and its rehearsal."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.mail_heads import read_headers
from portal.core.mail_rule_presets import PRESETS, find_preset, rule_from_mail
from portal.core.mail_rules import ACTIONS, MailRule, check_mail_rule, describe_conditions
from portal.services.mail_ledger import list_ledger_mailboxes, load_ledger_row
from portal.services.mail_rehearsal import rehearse_rules, with_rule
from portal.services.mail_rules import (
    find_mail_rule,
    list_mail_rules,
    load_head,
    move_mail_rule,
    remove_mail_rule,
    save_mail_rule,
    switch_mail_rule,
)
from portal.web.auth import may, requires
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.mail_rules import bp
from portal.web.mail_rules.forms import MailRuleForm
from portal.web.state import change, write


@bp.get("")
@requires("mail.view")
def index() -> str:
    """All rules in their order."""
    return _list()


@bp.route("/new", methods=["GET", "POST"])
@requires("mail.decide")
def add() -> Response | tuple[str, int] | str:
    """A new rule, at the end of the list: empty, from a proposal (`preset`) or from a mail of the ledger (`mail`)."""
    return _edit(None)


@bp.route("/<int:rule_id>", methods=["GET", "POST"])
@requires("mail.decide")
def edit(rule_id: int) -> Response | tuple[str, int] | str:
    """Change a rule."""
    return _edit(_load(rule_id))


@bp.post("/<int:rule_id>/switch")
@requires("mail.decide")
def switch(rule_id: int) -> Response | str:
    """On or off."""
    _load(rule_id)
    with write() as uow:
        switch_mail_rule(uow, rule_id, on=request.form.get("on") == "yes", change=change())
    return _list() if wants_partial() else saved(url_for("mail_rules.index"))


@bp.post("/<int:rule_id>/move")
@requires("mail.decide")
def move(rule_id: int) -> Response | str:
    """Earlier or later in the list."""
    _load(rule_id)
    with write() as uow:
        move_mail_rule(uow, rule_id, up=request.form.get("way") == "up", change=change())
    return _list() if wants_partial() else saved(url_for("mail_rules.index"))


@bp.route("/<int:rule_id>/remove", methods=["GET", "POST"])
@requires("mail.decide")
def remove(rule_id: int) -> Response | str:
    """Ask, then remove."""
    name = _load(rule_id).name
    if request.method == "GET":
        return render_partial(
            "confirm.html",
            "_confirm.html",
            title=f"Remove “{name}”?",
            text="New mail is then decided without it. What it has decided stays as it is, and can still be let in.",
            url=url_for("mail_rules.remove", rule_id=rule_id),
            yes="Remove the rule",
            cancel_url=url_for("mail_rules.index"),
        )
    with write() as uow:
        remove_mail_rule(uow, rule_id, change=change())
    return saved(url_for("mail_rules.index"), f"“{name}” is removed.")


def _list() -> str:
    names = {mailbox.id: mailbox.name for mailbox in list_ledger_mailboxes(g.read)}
    return render_partial(
        "mail_rules/index.html",
        "mail_rules/_list.html",
        rows=[(rule, describe_conditions(rule), ACTIONS[rule.action]) for rule in list_mail_rules(g.read)],
        names=names,
        presets=PRESETS,
        may_edit=may("mail.decide"),
        here="rules",
    )


def _load(rule_id: int) -> MailRule:
    return find_mail_rule(g.read, rule_id) or abort(404)


def _proposed() -> MailRule | None:
    """What a new form begins with."""
    preset = find_preset(request.args.get("preset", ""))
    if preset is not None:
        return preset.rule
    row = load_ledger_row(g.read, request.args.get("mail", 0, type=int))
    return rule_from_mail(row.sender, read_headers(load_head(g.read, row.sha256))) if row is not None else None


def _edit(rule: MailRule | None) -> Response | tuple[str, int] | str:
    form = MailRuleForm()
    form.offer([(one.id, one.name) for one in list_ledger_mailboxes(g.read) if one.kind != "removed"])
    preset = find_preset(request.args.get("preset", "")) if rule is None else None
    values: dict[str, Any] = {"form": form, "rule": rule, "url": request.path, "preset": preset, "rehearsal": None}
    if request.method == "GET":
        form.fill(rule or _proposed())
        return render_template("mail_rules/rule.html", **values)
    if not form.validate():
        return refused("mail_rules/rule.html", "mail_rules/_rule.html", **values)
    typed = form.read_rule(rule.id if rule else 0)
    problems = check_mail_rule(typed)
    if problems:
        form.form_errors.extend(problems)
        return refused("mail_rules/rule.html", "mail_rules/_rule.html", **values)
    if request.form.get("do") == "try":
        values["rehearsal"] = rehearse_rules(g.read, with_rule(list_mail_rules(g.read), typed))
        return render_partial("mail_rules/rule.html", "mail_rules/_rule.html", **values)
    try:
        with write() as uow:
            save_mail_rule(uow, typed, change=change())
    except DomainError as error:
        form.form_errors.extend(str(error).splitlines())
        return refused("mail_rules/rule.html", "mail_rules/_rule.html", **values)
    return saved(url_for("mail_rules.index"), f"“{typed.name}” is saved and holds for the next mail.")
