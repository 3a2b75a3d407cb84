"""`portal mail authorize`: sign in for a mailbox at a terminal, where a LAN address is no redirect."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import click

from portal.config import load_config
from portal.core.errors import DomainError, GatewayError
from portal.core.ports import MailSignIn, SignInStep
from portal.services.mail_authorize import find_by_name, record_signed_in
from portal.services.mail_tokens import open_account
from portal.wiring import build

_LOOK_EVERY_S = 5.0  # RFC 8628 section 3.5


@click.command("authorize")
@click.argument("name")
def authorize(name: str) -> None:
    """Sign in for the mailbox NAME by OAuth: open a link, or type a code, as its settings say."""
    context = build(load_config())
    with context.database.read_session() as session:
        row = find_by_name(session, name)
        mailbox_id, account = row.id, open_account(row, context)
    try:
        sign_in = context.mail.sign_in(account)
        who = _finish(sign_in, sign_in.begin())
    except GatewayError as error:
        raise DomainError(error.message) from error
    record_signed_in(context, mailbox_id, who)
    click.echo(f"Signed in as {who}." if who else "Signed in: the application may sign in by its own right.")


def _finish(sign_in: MailSignIn, step: SignInStep) -> str:
    if step.code:
        click.echo(f"Open {step.url} in any browser, type {step.code} and sign in. Waiting ...")
        return _wait(sign_in, step)
    if not step.url:
        return sign_in.finish(step.state, "") or ""
    click.echo(f"Open this address and sign in:\n\n{step.url}\n")
    click.echo("Your browser ends on an empty page, or on one that cannot be found. Copy its whole address.")
    while True:
        try:
            return sign_in.finish(step.state, click.prompt("The address")) or ""
        except GatewayError as error:
            if error.code != "answer":
                raise
            click.echo(error.message)


def _wait(sign_in: MailSignIn, step: SignInStep) -> str:
    until = step.expires_at or datetime.now(UTC) + timedelta(minutes=15)
    while (who := _look(sign_in, step)) is None:
        if datetime.now(UTC) > until:
            raise DomainError("The code was not entered in time. Begin again.")
        time.sleep(_LOOK_EVERY_S)
    return who


def _look(sign_in: MailSignIn, step: SignInStep) -> str | None:
    """A provider that is away for a moment ends nothing: somebody may be typing the code."""
    try:
        return sign_in.finish(step.state, "")
    except GatewayError as error:
        if error.permanent:
            raise
        return None
