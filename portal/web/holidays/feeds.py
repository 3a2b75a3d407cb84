"""Calendars on the web that propose holidays, and the accepted days of which they now say otherwise."""

from __future__ import annotations

from typing import Any

from flask import abort, g, request
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.services.holiday_feeds import (
    FeedEntry,
    add_feed,
    ask_read,
    edit_feed,
    find_feed,
    follow_feed,
    keep_day,
    list_feeds,
    remove_feed,
)
from portal.web.auth import may, requires
from portal.web.holidays import bp
from portal.web.holidays.forms import FeedForm
from portal.web.holidays.page import answer_changed
from portal.web.holidays.place import Place, find_place
from portal.web.htmx import dialog_done, refused, render_partial, saved, wants_partial
from portal.web.state import change, write

INDEX = ("holidays/feeds.html", "holidays/_feeds.html")
FEED = ("holidays/feed.html", "holidays/_feed.html")
REMOVE = ("holidays/feed_remove.html", "holidays/_feed_remove.html")
Answer = Response | str | tuple[str, int]


@bp.get("/feeds")
@requires("schedule.view")
def feeds() -> str:
    """The feeds of the calendar: when each was read, and what went wrong. It looks again while one is being read."""
    return render_partial(*INDEX, **_index_values(find_place()))


@bp.route("/feeds/new", methods=["GET", "POST"])
@requires("calendar.edit")
def new_feed() -> Answer:
    """Read an address once a day from now on."""
    place, form = find_place(), FeedForm()
    values: dict[str, Any] = {
        "place": place,
        "form": form,
        "title": "Read a calendar on the web",
        "url": place.url("new_feed"),
    }
    if request.method == "GET":
        return render_partial(*FEED, **values)
    if not form.validate():
        return refused(*FEED, **values)
    try:
        with write() as uow:
            add_feed(uow, form.name.data, form.url.data, calendar_id=place.calendar_id, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*FEED, **values)
    return _changed(place, f"{form.name.data} is added and being read.")


@bp.route("/feeds/<int:feed_id>", methods=["GET", "POST"])
@requires("calendar.edit")
def feed(feed_id: int) -> Answer:
    """Rename a feed or give it another address."""
    place, entry = _find(feed_id)
    form = FeedForm(data={"name": entry.name, "url": entry.url})
    values: dict[str, Any] = {
        "place": place,
        "form": form,
        "title": "Edit the calendar on the web",
        "url": place.url("feed", feed_id=feed_id),
        "remove_url": place.url("drop_feed", feed_id=feed_id),
    }
    if request.method == "GET":
        return render_partial(*FEED, **values)
    if not form.validate():
        return refused(*FEED, **values)
    try:
        with write() as uow:
            name, url = form.name.data, form.url.data
            edit_feed(uow, feed_id, name=name, url=url, is_enabled=entry.is_enabled, change=change())
    except DomainError as error:
        form.form_errors.append(str(error))
        return refused(*FEED, **values)
    return _changed(place, f"{form.name.data} is saved.")


@bp.post("/feeds/<int:feed_id>/read")
@requires("calendar.edit")
def read_feed(feed_id: int) -> Answer:
    """Read it now."""
    place, entry = _find(feed_id)
    try:
        with write() as uow:
            ask_read(uow, feed_id, change=change())
    except DomainError as error:
        return refused(*INDEX, **_index_values(place), wrong=str(error))
    return _changed(place, f"{entry.name} is being read.")


@bp.post("/feeds/<int:feed_id>/switch")
@requires("calendar.edit")
def switch_feed(feed_id: int) -> Answer:
    """Switch it off, or on again."""
    place, entry = _find(feed_id)
    is_enabled = request.form.get("on") == "1"
    with write() as uow:
        edit_feed(uow, feed_id, name=entry.name, url=entry.url, is_enabled=is_enabled, change=change())
    return _changed(place, f"{entry.name} is {'read again' if is_enabled else 'not read any more'}.")


@bp.route("/feeds/<int:feed_id>/remove", methods=["GET", "POST"])
@requires("calendar.edit")
def drop_feed(feed_id: int) -> Answer:
    """Ask, then read it no more."""
    place, entry = _find(feed_id)
    if request.method == "GET":
        return render_partial(*REMOVE, place=place, entry=entry)
    with write() as uow:
        remove_feed(uow, feed_id, change=change())
    return _changed(place, f"{entry.name} is removed. Days that were accepted stay.")


@bp.post("/<int:holiday_id>/follow")
@requires("calendar.edit")
def follow(holiday_id: int) -> Answer:
    """Do as the feed now says, or keep the day as it is: one click each."""
    place = find_place()
    act = keep_day if request.form.get("answer") == "keep" else follow_feed
    try:
        with write() as uow:
            difference = act(uow, holiday_id, seen=request.form.get("seen", ""), today=place.today, change=change())
    except DomainError as error:
        return saved(place.url("show"), str(error), "warn")
    name = difference.day.name
    return answer_changed(
        place, f"{name} stays as it is." if act is keep_day else f"{name} is now as the calendar says."
    )


def _find(feed_id: int) -> tuple[Place, FeedEntry]:
    entry = find_feed(g.read, feed_id) or abort(404)
    return find_place(calendar_id=entry.calendar_id), entry


def _index_values(place: Place) -> dict[str, Any]:
    found = list_feeds(g.read, place.calendar_id)
    return {
        "place": place,
        "feeds": found,
        "is_busy": any(one.is_busy for one in found),
        "may_edit": may("calendar.edit"),
    }


def _changed(place: Place, message: str) -> Response:
    if wants_partial():
        return dialog_done(render_partial(*INDEX, **_index_values(place), done=message), "#holiday-feeds")
    return saved(place.url("feeds"), message)
