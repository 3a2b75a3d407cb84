"""The navigation: what stands in the side bar, for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app, request


@dataclass(frozen=True)
class NavItem:
    """One entry. `is_main` ones stand in the bottom bar of a phone, the others behind "More"."""

    endpoint: str
    label: str
    icon: str
    is_main: bool = False
    parts: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """True on every page of the entry's area, and of those it is made of (mail: mail_rules, mailboxes)."""
        return (request.blueprint or "").startswith((self.endpoint.split(".")[0], *self.parts))


ITEMS = (
    NavItem("dashboard.show", "Dashboard", "gauge", is_main=True),
    NavItem("tickets.index", "Tickets", "inbox", is_main=True),
    NavItem("pages.index", "Paging", "bell-ring", is_main=True),
    NavItem(
        "oncall.show", "On call", "phone-call", True, ("overrides", "swaps", "holiday_duty", "roster_report", "feeds")
    ),
    NavItem("holidays.show", "Holidays", "calendar-days"),
    NavItem("hours.show", "Business hours", "clock"),
    NavItem("mail.index", "Mail", "mail"),
    NavItem("rules.index", "Rules", "route"),
    NavItem("customers.index", "Customers", "building-2"),
    NavItem("people.index", "People", "users"),
    NavItem("jobs.index", "Jobs", "activity"),
    NavItem("sandbox.show", "Sandbox phones", "smartphone"),
    NavItem("settings.show", "Settings", "settings"),
    NavItem("system.show", "System", "monitor"),
)


def visible_items(may_visit: Callable[[str], bool]) -> list[NavItem]:
    """The entries whose page exists and which `may_visit(endpoint)` allows the signed-in person."""
    return [item for item in ITEMS if item.endpoint in current_app.view_functions and may_visit(item.endpoint)]
