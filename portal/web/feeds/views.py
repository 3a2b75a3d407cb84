"""Make the address of a feed, see it again, make a new one, take it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, g, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.core.errors import DomainError
from portal.core.permissions import Role
from portal.services.calendar_feeds import Feed, add_feed, find_feed, list_feeds, open_token, renew_feed, revoke_feed
from portal.services.schedules import ROLES, list_schedules
from portal.web.auth import requires
from portal.web.feeds import bp
from portal.web.htmx import refused, render_partial, saved
from portal.web.roster_frame import asked_schedule, roster_frame
from portal.web.state import change, context, write

OWN = "own"
_LIST = ("feeds/index.html", "feeds/_list.html")
Answer = Response | str | tuple[str, int]


@dataclass(frozen=True)
class ShownFeed:
    """A feed with the address it is read at; "" when the key file is another one."""

    feed: Feed
    address: str

    @property
    def what(self) -> str:
        return self.feed.schedule or "Your own duties"

    @property
    def webcal(self) -> str:
        """What a browser hands to the calendar program of its machine."""
        return f"webcal://{self.address.partition('://')[2]}"


@bp.get("")
@requires("schedule.view")
def index() -> str:
    """One's own feeds; for administrators everybody's as well."""
    return render_partial(*_LIST, **_values())


@bp.post("")
@requires("schedule.view")
def add() -> Answer:
    """A new address."""
    chosen = request.form.get("of", "")
    if chosen not in [value for value, _ in _choices()]:
        return refused(*_LIST, **_values("Choose whose duties the feed is to show."))
    schedule_id = None if chosen == OWN else int(chosen)
    try:
        with write() as uow:
            feed_id = add_feed(
                uow, schedule_id=schedule_id, random=context().random, box=context().box, change=change()
            )
    except DomainError as error:
        return refused(*_LIST, **_values(str(error)))
    return saved(url_for("feeds.index", _anchor=f"feed-{feed_id}"), "The feed is ready. Copy its address.")


@bp.route("/<int:feed_id>/revoke", methods=["GET", "POST"])
@requires("schedule.view")
def revoke(feed_id: int) -> Answer:
    """Asked first: every calendar that reads it goes without."""
    feed = _own_or_404(feed_id)
    if request.method == "GET":
        text = f"{_named(feed)}: every calendar that reads it goes without from now on. This cannot be undone."
        return _asked("Revoke this feed?", text, url_for("feeds.revoke", feed_id=feed_id), "Revoke")
    with write() as uow:
        revoke_feed(uow, feed_id, change=change())
    return saved(url_for("feeds.index"), "The feed is revoked. Its address leads nowhere any more.")


@bp.route("/<int:feed_id>/renew", methods=["GET", "POST"])
@requires("schedule.view")
def renew(feed_id: int) -> Answer:
    """Asked first: a new address for the same, and the old one leads nowhere. For nobody but its owner to see."""
    feed = _own_or_404(feed_id)
    if feed.owner_id != current_user.id:
        abort(404)
    if request.method == "GET":
        text = f"{_named(feed)}: the old address leads nowhere then. Every calendar that reads it needs the new one."
        return _asked("Make a new address?", text, url_for("feeds.renew", feed_id=feed_id), "Make a new address")
    with write() as uow:
        renew_feed(uow, feed_id, random=context().random, box=context().box, change=change())
    return saved(url_for("feeds.index", _anchor=f"feed-{feed_id}"), "This is the new address. The old one is revoked.")


def _asked(title: str, text: str, url: str, yes: str) -> str:
    values = {"title": title, "text": text, "url": url, "yes": yes, "cancel_url": url_for("feeds.index")}
    return render_partial("confirm.html", "_confirm.html", **values)


def _named(feed: Feed) -> str:
    return f"“{feed.schedule or 'Own duties'}” of {feed.owner}"


def _own_or_404(feed_id: int) -> Feed:
    """One's own feed, or as an administrator anybody's."""
    feed = find_feed(g.read, feed_id)
    if feed is None or (feed.owner_id != current_user.id and current_user.role != Role.ADMIN):
        abort(404)
    return feed


def _values(error: str = "") -> dict[str, Any]:
    feeds = list_feeds(g.read)
    is_admin = current_user.role == Role.ADMIN
    return {
        "mine": [_shown(feed) for feed in feeds if feed.owner_id == current_user.id],
        "others": [feed for feed in feeds if feed.owner_id != current_user.id] if is_admin else [],
        "choices": _choices(),
        "chosen": request.form.get("of", ""),
        "error": error,
        "is_public": bool(context().site_url),
        **roster_frame(asked_schedule(), "feeds.index"),
        "schedules": [],
    }


def _choices() -> list[tuple[str, str]]:
    own = [(OWN, "Your own duties, in all schedules")] if current_user.role in ROLES else []
    return own + [(str(one.id), f"Everybody in “{one.name}”") for one in list_schedules(g.read)]


def _shown(feed: Feed) -> ShownFeed:
    token = open_token(feed, box=context().box)
    base = context().site_url or request.url_root.rstrip("/")
    return ShownFeed(feed, f"{base}/feeds/{token}.ics" if token else "")
