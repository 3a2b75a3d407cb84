"""Who may do what. Every route names one action; the table in the docs is printed from here."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """From most to least."""

    ADMIN = "admin"
    MANAGER = "manager"
    TECHNICIAN = "technician"
    VIEWER = "viewer"


ALL = frozenset(Role)
WORKING = frozenset({Role.ADMIN, Role.MANAGER, Role.TECHNICIAN})
LEADING = frozenset({Role.ADMIN, Role.MANAGER})
ADMINS = frozenset({Role.ADMIN})

ACTIONS: dict[str, tuple[str, frozenset[Role]]] = {
    "account.own": ("change one's own password, log out", ALL),
    "dashboard.view": ("see the dashboard", ALL),
    "tickets.view": ("read tickets, search, download attachments", ALL),
    "tickets.work": ("create, answer, assign and change tickets", WORKING),
    "pages.view": ("see pages and their texts", ALL),
    "pages.answer": ("acknowledge, page now", WORKING),
    "pages.edit": ("change who is asked when a page is not answered", LEADING),
    "schedule.view": ("see the on-call schedule and holidays", ALL),
    "schedule.swap": ("ask a colleague to take a duty, and answer when asked", WORKING),
    "schedule.edit": ("change shifts", LEADING),
    "schedule.pay": ("download hours on call for pay", LEADING),
    "calendar.edit": ("change business hours and holidays", LEADING),
    "rules.view": ("see categories, queues, words and rules", WORKING),
    "rules.edit": ("change categories, queues, words and rules", LEADING),
    "mail.view": ("see the mail ledger", WORKING),
    "mail.decide": ("decide mail in quarantine, let mail in, change mail rules", LEADING),
    "mail.edit": ("set up mailboxes", ADMINS),
    "customers.view": ("see the customers", WORKING),
    "customers.edit": ("add, change and remove customers", LEADING),
    "people.view": ("see who works here", LEADING),
    "people.edit": ("invite, change and disable people", ADMINS),
    "jobs.view": ("see scheduled jobs and their runs", LEADING),
    "jobs.edit": ("switch, change and run jobs", ADMINS),
    "settings.edit": ("change the site's settings, go live", ADMINS),
    "system.restart": ("restart Nightdesk from the web", ADMINS),
    "sandbox.use": ("use the sandbox phones", WORKING),
}


def is_allowed(role: str, action: str) -> bool:
    """Whether a role may do this. An unknown action raises KeyError: it is a mistake in the program."""
    return role in ACTIONS[action][1]
