"""`portal sandbox ...` and `portal explain`: the pretended phones, and a ticket's whole way, from the command line."""

from __future__ import annotations

import json

import click

from portal.config import load_config
from portal.core.errors import DomainError
from portal.core.ports import SentSms
from portal.integrations.sandbox.adapter import FAULT_CODES, SandboxGateway
from portal.services.answers import ask_provider_soon
from portal.services.explain import explain_ticket
from portal.services.settings import load_settings
from portal.wiring import build, sandbox_gateway


@click.group()
def sandbox() -> None:
    """The sandbox phones: what arrived, answering as their owner, and scripted failures."""


@sandbox.command("texts")
@click.option("--json", "as_json", is_flag=True, help="One JSON list, oldest first.")
@click.option("--to", default="", help="Only texts to this number.")
def list_texts(as_json: bool, to: str) -> None:
    """Print every text the sandbox has accepted."""
    texts = [text for text in _provider().list_texts() if not to or text.to == to]
    if as_json:
        click.echo(json.dumps([_as_json(text) for text in texts], ensure_ascii=False, indent=1))
        return
    for text in texts:
        click.echo(
            f"{text.created_at:%Y-%m-%d %H:%M:%S}  {text.to}  {text.state:11}  {' / '.join(text.text.splitlines())}"
        )


@sandbox.command("reply")
@click.option("--from", "sender", required=True, help="The phone that answers, like +15550101.")
@click.option("--text", required=True, help="What it says.")
def reply(sender: str, text: str) -> None:
    """Answer as a phone would."""
    received = _provider().reply(sender, text)
    context = build(load_config())
    with context.database.unit_of_work() as uow:
        ask_provider_soon(uow)
    click.echo(received.provider_id)


@sandbox.command("fail")
@click.option("--code", required=True, help=f"What goes wrong: {', '.join(FAULT_CODES)}.")
@click.option("--next", "count", type=int, default=1, show_default=True, help="How many texts in a row.")
def fail(code: str, count: int) -> None:
    """Script the next texts to go wrong."""
    _provider().fail(code, next_k=count)
    click.echo(f"The next {count} will fail with {code}.")


@click.command()
@click.argument("number")
def explain(number: str) -> None:
    """Print a ticket's whole way: mail, triage, decisions, claims, what the provider said, answers."""
    context = build(load_config())
    with context.database.read_session() as session:
        settings = load_settings(session)
        digits = number.removeprefix(settings.site_prefix).lstrip("#")
        lines = explain_ticket(session, int(digits), zone=settings.zone) if digits.isdecimal() else None
    if lines is None:
        raise DomainError(f"There is no ticket {number}.")
    for line in lines:
        click.echo(line)


def _provider() -> SandboxGateway:
    config = load_config()
    return sandbox_gateway(config, build(config).clock)


def _as_json(text: SentSms) -> dict[str, str]:
    return {
        "id": text.provider_id,
        "to": text.to,
        "text": text.text,
        "state": text.state,
        "created_at": text.created_at.isoformat(),
        "error_code": text.error_code,
        "error_text": text.error_text,
    }
