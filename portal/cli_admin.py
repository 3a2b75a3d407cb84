"""`portal db ...` and `portal user ...`: the database and the way in."""

from __future__ import annotations

import click

from portal.config import load_config
from portal.core.errors import DomainError
from portal.core.permissions import Role
from portal.models.schema import current_version, newest_version, upgrade
from portal.services import people, tickets
from portal.services.audit import Change
from portal.services.context import Context
from portal.wiring import build


@click.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the version this program wants."""
    context = build(load_config())
    before = current_version(context.database)
    upgrade(context.database)
    after = newest_version()
    click.echo(
        f"The database is at {after}." if before == after else f"The database went from {before or '0'} to {after}."
    )


@db.command("recount")
def recount_tickets() -> None:
    """Make the ticket counters anew and say how many were wrong."""
    context = build(load_config())
    with context.database.unit_of_work() as uow:
        wrong = tickets.recount(uow)
    click.echo(f"{wrong} counters were wrong.")


@click.group()
def user() -> None:
    """The people who work here."""


@user.command("add")
@click.argument("email")
@click.option("--name", required=True, help="How colleagues call them.")
@click.option("--role", type=click.Choice([str(role) for role in Role]), default="technician", show_default=True)
@click.option("--phone", multiple=True, help="With country code; may be given several times.")
def add_user(email: str, name: str, role: str, phone: tuple[str, ...]) -> None:
    """Add somebody and print the link by which they choose a password."""
    context = build(load_config())
    change = Change(None, context.clock.now())
    with context.database.unit_of_work() as uow:
        person = people.add_person(uow, people.Profile(email, name, role, phone), change=change)
        token = people.make_link(uow, person, people.INVITE, random=context.random, change=change)
    click.echo(_link(context, token))


@user.command("reset-password")
@click.argument("email")
def reset_password(email: str) -> None:
    """Print a link by which somebody chooses a new password. Works once, for three days."""
    context = build(load_config())
    change = Change(None, context.clock.now())
    with context.database.unit_of_work() as uow:
        person = people.find_by_email(uow.session, email)
        if person is None:
            raise DomainError(f"Nobody here has the address {email}.")
        token = people.make_link(uow, person, people.RESET, random=context.random, change=change)
    click.echo(_link(context, token))


def _link(context: Context, token: str) -> str:
    """The whole address where one is known; else what to put behind it."""
    return f"{context.site_url or '(the address of Nightdesk)'}/link/{token}"
