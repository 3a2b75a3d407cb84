"""The template filters: times in the site's zone, sizes, plain text as paragraphs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup, escape

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


def format_time(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """`02:10` today, `Mon 16 Nov, 02:10` this year, `16 Nov 2025, 02:10` before. All in `zone`."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    clock = f"{local:%H:%M}"
    return clock if local.date() == today else f"{format_day(local.date(), today)}, {clock}"


def format_day(day: date, today: date) -> str:
    """`Mon 16 Nov`, with the year instead of the weekday when it is another year."""
    return f"{day:%a} {day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def format_ago(at: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `2 days ago`; `in 5 min` for what is to come."""
    seconds = int((now - at) / timedelta(seconds=1))
    span = _span(abs(seconds))
    if span is None:
        return "just now"
    return f"{span} ago" if seconds > 0 else f"in {span}"


def _span(seconds: int) -> str | None:
    if seconds < 45:
        return None
    if seconds < 3600:
        return f"{max(1, round(seconds / 60))} min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"


def format_size(size: int) -> str:
    """Bytes for people: `512 B`, `4 KB`, `1.3 MB`."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{round(size / 1000)} KB"
    return f"{size / 1_000_000:.1f} MB"


def format_paragraphs(text: str) -> Markup:
    """Plain text, escaped, with paragraphs, line breaks, and web addresses as links that tell nobody where from."""
    blocks = [block for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip("\n")) if block.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(_linked(block)) for block in blocks)


def _linked(block: str) -> Markup:
    parts, end = [], 0
    for match in _LINK.finditer(block):
        link = Markup('<a href="{0}" rel="noreferrer noopener nofollow">{0}</a>').format(match.group())
        parts += [escape(block[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(block[end:])]).replace("\n", Markup("<br>\n"))


def time_tag(at: datetime, text: str, zone: ZoneInfo) -> Markup:
    """`text` as a `<time>`: machine time in UTC, the exact local time on hover."""
    local = at.astimezone(zone)
    exact = local.strftime(f"%A {local.day} %B %Y, %H:%M:%S %Z")
    # Fifty a page: put together by hand, since Markup.format costs ten times as much.
    return Markup(f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}" title="{escape(exact)}">{escape(text)}</time>')  # noqa: S704 - every part is escaped


def register(app: Flask, *, zone: Callable[[], ZoneInfo], now: Callable[[], datetime]) -> None:
    """Add the filters `when`, `ago`, `day`, `clock`, `filesize` and `paragraphs`.

    `zone` gives the site's zone and `now` the product time, both asked at each use.
    """

    def when(at: datetime | None) -> Markup | str:
        return time_tag(at, format_time(at, zone(), now()), zone()) if at else ""

    def ago(at: datetime | None) -> Markup | str:
        return time_tag(at, format_ago(at, now()), zone()) if at else ""

    def day(at: datetime | date | None) -> str:
        value = at.astimezone(zone()).date() if isinstance(at, datetime) else at
        return format_day(value, now().astimezone(zone()).date()) if value else ""

    def clock(at: datetime | None) -> str:
        return f"{at.astimezone(zone()):%H:%M}" if at else ""

    filters = {"when": when, "ago": ago, "day": day, "clock": clock}
    app.jinja_env.filters.update(filters, filesize=format_size, paragraphs=format_paragraphs)
