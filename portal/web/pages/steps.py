"""Who is asked, and who is asked next: the steps every new page starts with."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request, url_for
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.escalation import FALLBACK, MANAGERS, ON_CALL, EscalationPolicy, person_target, policy_from_json
from portal.services.escalation_steps import load_policy, save_policy
from portal.services.schedules import list_members
from portal.web.auth import requires
from portal.web.htmx import refused, render_partial, saved
from portal.web.pages import bp
from portal.web.state import change, reads, write

_PAGE, _PARTIAL = "pages/steps.html", "pages/_steps.html"
_ROLES = ((ON_CALL, "Everyone on call"), (FALLBACK, "The fallback person"), (MANAGERS, "All managers and admins"))


@dataclass(frozen=True)
class Row:
    """One line of the form, as typed."""

    target: str = ""
    wait: str = "5"
    repeats: str = "1"


@bp.get("/steps")
@requires("pages.edit")
def steps() -> str:
    """The steps, with one empty line to add another."""
    policy = load_policy(g.read)
    rows = [Row(step.targets[0], str(step.wait), str(step.repeats)) for step in policy.steps]
    return render_partial(_PAGE, _PARTIAL, rows=[*rows, Row()], targets=_targets(), error="")


@bp.post("/steps")
@requires("pages.edit")
def save_steps() -> Response | tuple[str, int]:
    """Lines without a target are left out."""
    names = ("target", "wait", "repeats")
    rows = [Row(*line) for line in zip(*(request.form.getlist(name) for name in names), strict=False)]
    try:
        policy = _policy([row for row in rows if row.target])
        with write() as uow:
            save_policy(uow, policy, change=change())
    except DomainError as error:
        return refused(_PAGE, _PARTIAL, rows=rows or [Row()], targets=_targets(), error=str(error))
    return saved(url_for("pages.index"), "New pages follow these steps. Pages that run keep theirs.")


def _policy(rows: list[Row]) -> EscalationPolicy:
    steps = [{"targets": [row.target], "wait": _whole(row.wait), "repeats": _whole(row.repeats)} for row in rows]
    return policy_from_json({"steps": steps})


def _whole(text: str) -> int | str:
    """A number where it is one; what is not is refused by the rules, which say how it should be."""
    return int(text) if text.strip().isascii() and text.strip().isdigit() else text


def _targets() -> list[tuple[str, str]]:
    people = [person for person in list_members(reads()) if person.is_active]
    return [*_ROLES, *((person_target(person.id), person.name) for person in people)]
