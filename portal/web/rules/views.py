"""The list of rules, and the page of one."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.rules import LABELS, describe_actions
from portal.core.tickets import SOURCES
from portal.services.categories import list_categories, list_queues
from portal.services.rules import (
    RuleEntry,
    find_rule,
    list_assignees,
    list_rules,
    load_rule_choices,
    move_rule,
    remove_rule,
    save_rule,
    switch_rule,
)
from portal.web.auth import may, requires
from portal.web.htmx import refused, render_partial, saved, wants_partial
from portal.web.rules import bp
from portal.web.rules.forms import RuleForm
from portal.web.state import change, write


@bp.get("")
@requires("rules.view")
def index() -> str:
    """All rules in their order."""
    return _list()


@bp.route("/new", methods=["GET", "POST"])
@requires("rules.edit")
def add() -> Response | tuple[str, int] | str:
    """A new rule, at the end of the list."""
    return _edit(None)


@bp.route("/<int:rule_id>", methods=["GET", "POST"])
@requires("rules.edit")
def edit(rule_id: int) -> Response | tuple[str, int] | str:
    """Change a rule."""
    return _edit(_load(rule_id))


@bp.post("/<int:rule_id>/switch")
@requires("rules.edit")
def switch(rule_id: int) -> Response | str:
    """On or off."""
    with write() as uow:
        switch_rule(uow, rule_id, on=request.form.get("on") == "yes", change=change())
    return _list() if wants_partial() else saved(url_for("rules.index"))


@bp.post("/<int:rule_id>/move")
@requires("rules.edit")
def move(rule_id: int) -> Response | str:
    """Earlier or later in the list."""
    with write() as uow:
        move_rule(uow, rule_id, up=request.form.get("way") == "up", change=change())
    return _list() if wants_partial() else saved(url_for("rules.index"))


@bp.route("/<int:rule_id>/remove", methods=["GET", "POST"])
@requires("rules.edit")
def remove(rule_id: int) -> Response | str:
    """Ask, then remove."""
    name = _load(rule_id).rule.name
    if request.method == "GET":
        return render_partial(
            "confirm.html",
            "_confirm.html",
            title=f"Remove “{name}”?",
            text="New tickets are then sorted without it. Tickets it has sorted stay where they are.",
            url=url_for("rules.remove", rule_id=rule_id),
            yes="Remove the rule",
            cancel_url=url_for("rules.index"),
        )
    with write() as uow:
        remove_rule(uow, rule_id, change=change())
    return saved(url_for("rules.index"), f"“{name}” is removed.")


def describe_conditions(entry: RuleEntry) -> list[str]:
    """Each condition as a phrase for the list."""
    return [" ".join(filter(None, (LABELS[one.kind], one.value))) for one in entry.rule.conditions]


def _list() -> str:
    rows = [(entry, describe_conditions(entry), describe_actions(entry.rule.actions)) for entry in list_rules(g.read)]
    return render_partial("rules/index.html", "rules/_list.html", rows=rows, may_edit=may("rules.edit"))


def _load(rule_id: int) -> RuleEntry:
    return find_rule(g.read, rule_id) or abort(404)


def _edit(entry: RuleEntry | None) -> Response | tuple[str, int] | str:
    form = RuleForm()
    form.offer(
        categories=[category.name for category in list_categories(g.read)],
        queues=[queue.name for queue in list_queues(g.read)],
        people=list_assignees(g.read),
    )
    values = {"form": form, "entry": entry, "suggestions": _suggestions(), "url": request.path}
    if request.method == "GET":
        form.fill(entry.rule if entry else None)
        return render_template("rules/rule.html", **values)
    if not form.validate():
        return refused("rules/rule.html", "rules/_rule.html", **values)
    rule = form.read_rule()
    try:
        with write() as uow:
            save_rule(uow, rule, rule_id=entry.id if entry else None, change=change())
    except DomainError as error:
        form.form_errors.extend(str(error).splitlines())
        return refused("rules/rule.html", "rules/_rule.html", **values)
    return saved(url_for("rules.index"), f"“{rule.name}” is saved and holds for the next ticket.")


def _suggestions() -> list[str]:
    """What the values of conditions may name, offered while typing."""
    choices: Any = load_rule_choices(g.read)
    return [*sorted(choices.categories), *sorted(choices.mailboxes), *SOURCES[:3], "P1", "P2", "P3", "P4"]
