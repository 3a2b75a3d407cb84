"""Swaps for who is signed in: one's own duties, what one is asked, what one has asked."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import SelectChoice

from portal.core.errors import DomainError
from portal.core.swaps import SwapState, WallSpan, thanks_text
from portal.services.schedules import StoredSchedule, list_members, list_schedules, load_schedule
from portal.services.swaps import (
    DutyView,
    answer_swap,
    ask_swap,
    list_duties,
    list_own_duties,
    list_swaps,
    withdraw_swap,
)
from portal.web.auth import may, requires
from portal.web.htmx import refused, render_partial, saved
from portal.web.roster_frame import asked_schedule, asked_wall, member_label, roster_frame, schedule_args
from portal.web.state import change, context, now, write
from portal.web.swaps import bp
from portal.web.swaps.forms import SwapForm, duty_value

ASK = ("swaps/ask.html", "swaps/_ask.html")
_SHOWN = 20
Answer = Response | str | tuple[str, int]


@bp.get("/oncall/swaps")
@requires("schedule.swap")
def index() -> str:
    """What one is asked, one's duties, one's requests; for managers those of everybody."""
    person_id = _person()
    views = list_swaps(g.read, now=now(), person_id=None if may("schedule.edit") else current_user.id)
    is_open = [one for one in views if one.state is SwapState.ASKED]
    own = current_user.id
    return render_template(
        "swaps/index.html",
        asked=[one for one in is_open if one.terms.to_id == own],
        waiting=[one for one in is_open if one.terms.to_id != own],
        ended=[one for one in views if one.ended][:_SHOWN],
        duties=list_own_duties(g.read, person_id, now=now()),
        asked_for={(one.schedule_id, one.terms.span) for one in is_open if one.terms.from_id == person_id},
        person_id=person_id,
        people=[(one.id, member_label(one)) for one in list_members(g.read)] if may("schedule.edit") else [],
        own_id=own,
        may_manage=may("schedule.edit"),
        has_schedules=len(list_schedules(g.read)) > 1,
        **roster_frame(asked_schedule(), "swaps.index"),
    )


@bp.route("/oncall/swaps/new", methods=["GET", "POST"])
@requires("schedule.swap")
def ask() -> Answer:
    """Ask a colleague for a whole duty or a part of one."""
    stored, person_id = asked_schedule(), _person()
    form = SwapForm()
    members = [one for one in list_members(g.read) if one.is_active]
    form.to_id.choices = [SelectChoice(one.id, member_label(one)) for one in members if one.id != person_id]
    if request.method == "GET":
        starts, ends = asked_wall("starts"), asked_wall("ends")
        if starts and ends and starts < ends:
            form.suggest(WallSpan(starts, ends))
        return render_partial(*ASK, **_ask_values(form, stored, person_id))
    terms = form.read_terms(person_id)
    if terms is None:
        return refused(*ASK, **_ask_values(form, stored, person_id))
    try:
        with write() as uow:
            note = (form.note.data or "").strip()
            ask_swap(context(), uow, terms, change=change(), note=note, schedule_id=stored.head.id)
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*ASK, **_ask_values(form, asked_schedule(), person_id))
    return saved(
        url_for("swaps.index"), f"{stored.names[terms.to_id]} is asked. The duty stays where it is until a yes."
    )


@bp.post("/oncall/swaps/<int:swap_id>/answer")
@requires("schedule.swap")
def answer(swap_id: int) -> Response:
    """Yes or no, by the person asked."""
    said = request.form.get("answer")
    if said not in ("yes", "no"):
        abort(400, "Please press yes or no.")
    try:
        with write() as uow:
            done = answer_swap(
                context(), uow, swap_id, person_id=current_user.id, accept=said == "yes", how="page", at=now()
            )
    except DomainError as error:
        return saved(url_for("swaps.index"), str(error), "warn")
    return saved(url_for("swaps.index"), f"{thanks_text(done.asker, done.terms, accept=said == 'yes')}.")


@bp.post("/oncall/swaps/<int:swap_id>/withdraw")
@requires("schedule.swap")
def withdraw(swap_id: int) -> Response:
    """Ask no longer."""
    try:
        with write() as uow:
            withdraw_swap(context(), uow, swap_id, change=change(), may_manage=may("schedule.edit"))
    except DomainError as error:
        return saved(url_for("swaps.index"), str(error), "warn")
    return saved(url_for("swaps.index"), "The request is withdrawn.")


def _person() -> int:
    """Whose duties are meant: one's own; a manager may act for somebody else."""
    person_id = request.args.get("person", current_user.id, type=int)
    if person_id != current_user.id and not may("schedule.edit"):
        abort(403)
    return int(person_id) if person_id in load_schedule(g.read).names else abort(404)


def _ask_values(form: SwapForm, stored: StoredSchedule, person_id: int) -> dict[str, Any]:
    args = {**schedule_args(stored.head.id), **({} if person_id == current_user.id else {"person": person_id})}
    duties = list_duties(g.read, now=now(), schedule_id=stored.head.id)
    theirs = [one for one in duties if one.person_id != person_id and one.is_whole]
    named = sorted(theirs, key=lambda one: (stored.names[one.person_id], one.span.starts))
    offers = [_offer(one, stored.names[one.person_id]) for one in named]
    form.back.choices = [SelectChoice("", "Nothing"), *offers]
    return {
        "form": form,
        "person": stored.names.get(person_id, ""),
        "is_own": person_id == current_user.id,
        "url": url_for("swaps.ask", **args),
        "cancel_url": url_for("swaps.index"),
        "zone_name": stored.roster.zone.key,
    }


def _offer(duty: DutyView, name: str) -> SelectChoice:
    return SelectChoice(duty_value(duty), f"{name}: {duty.span}", optgroup=name)
