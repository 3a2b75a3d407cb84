"""The list of pages, and the buttons that take one, send one, or end an alarm."""

from __future__ import annotations

from flask import abort, g, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.tickets import format_number
from portal.models import Page, Ticket, User
from portal.services.alarms import end_alarm, open_alarms
from portal.services.page_changes import take_page
from portal.services.page_timeline import list_live_pages, load_timeline
from portal.services.paging import page_now as page_ticket_now
from portal.services.paging import page_test
from portal.services.paging_rules import load_paging_rules
from portal.services.schedules import list_members
from portal.web.auth import requires
from portal.web.htmx import local_path, render_partial, saved, wants_partial
from portal.web.pages import bp
from portal.web.state import now, reads, site, write


@bp.get("")
@requires("pages.view")
def index() -> str:
    """Every page that has not ended, and the alarms."""
    return _list("", "good")


@bp.post("/<int:page_id>/acknowledge")
@requires("pages.answer")
def acknowledge(page_id: int) -> Response | str:
    """Take a page. Somebody else may have been quicker: then it says who."""
    try:
        with write() as uow:
            page = uow.session.get(Page, page_id)
            if page is None:
                abort(404)
            ticket_id = page.ticket_id
            user = uow.session.get_one(User, current_user.id)
            take_page(uow, page, user, rules=load_paging_rules(uow.session, now=now()))
        message, tone = "It is yours. The others have been told.", "good"
    except DomainError as error:
        message, tone = str(error), "warn"
    return _back(message, tone, ticket_id=ticket_id)


def _back(message: str, tone: str, *, ticket_id: int | None) -> Response | str:
    """To where the button was: the ticket's timeline, the list, or the page it names."""
    if wants_partial() and request.form.get("view") == "ticket" and ticket_id:
        timeline = load_timeline(reads(), ticket_id)
        return render_template(
            "tickets/_page_timeline.html", timeline=timeline, ticket_id=ticket_id, message=message, tone=tone
        )
    if wants_partial():
        return _list(message, tone)
    return saved(local_path(request.form.get("next"), url_for("pages.index")), message, tone)


def _list(message: str, tone: str) -> str:
    return render_partial(
        "pages/index.html",
        "pages/_list.html",
        pages=list_live_pages(g.read),
        alarm_rows=open_alarms(g.read),
        people=[person for person in list_members(g.read) if person.is_active and person.has_phone],
        message=message,
        tone=tone,
    )


@bp.get("/now/<int:ticket_id>")
@requires("pages.answer")
def ask_page_now(ticket_id: int) -> str:
    """The question before somebody is woken."""
    ticket = reads().get(Ticket, ticket_id)
    if ticket is None:
        abort(404)
    cover = load_paging_rules(reads(), now=now()).of_queue(ticket.queue_id).cover
    names = {person.id: person.name for person in list_members(reads())}
    people = " and ".join(names[user_id] for user_id in cover.on_call if user_id in names)
    nobody = "the managers are asked" if cover.has_managers else "the fallback person is asked"
    number = format_number(ticket.id, prefix=site().site_prefix)
    return render_partial(
        "confirm.html",
        "_confirm.html",
        title=f"Page now for {number}",
        text=f"{people} will get a text at once." if people else f"Nobody is on call: {nobody}.",
        url=url_for("pages.page_now", ticket_id=ticket_id),
        yes="Page now",
        cancel_url=url_for("tickets.show", ticket_id=ticket_id),
        kind="lamp",
    )


@bp.post("/now/<int:ticket_id>")
@requires("pages.answer")
def page_now(ticket_id: int) -> Response:
    """Wake whoever is on call for this ticket, at any hour."""
    with write() as uow:
        ticket = uow.session.get(Ticket, ticket_id)
        if ticket is None:
            abort(404)
        user = uow.session.get_one(User, current_user.id)
        rules = load_paging_rules(uow.session, now=now())
        row = page_ticket_now(uow, ticket, rules=rules, asked_by=user)
        page = uow.session.get_one(Page, row.page_id) if row.page_id else None
        reason = str(row.reasons[-1])
    url = url_for("tickets.show", ticket_id=ticket_id)
    if page is None:
        return saved(url, reason, "warn")
    if page.state == "expired":
        return saved(
            url, "Nobody can be reached by text, so the alarm was raised. Check the roster and the phones.", "bad"
        )
    if page.state == "resolved":
        return saved(url, "Watch mode: the page is on record, its texts were held back.", "warn")
    return saved(url, "The page has begun.")


@bp.post("/test")
@requires("pages.answer")
def test() -> Response:
    """A test page to one person; watch mode lets it through."""
    with write() as uow:
        person = uow.session.get(User, request.form.get("person", type=int) or current_user.id)
        if person is None or not person.is_active:
            abort(404)
        page_test(uow, person, rules=load_paging_rules(uow.session, now=now()))
        name = person.name
    default = url_for("pages.index")
    return saved(local_path(request.form.get("next"), default), f"A test page is on its way to {name}.")


@bp.post("/alarms/end")
@requires("pages.answer")
def end() -> Response | str:
    """Somebody has seen an alarm and acts: its banner goes."""
    with write() as uow:
        end_alarm(uow, request.form.get("key", ""), now=now(), by=current_user.name)
    return _back("The alarm is off.", "good", ticket_id=None)
