"""`portal mail ...` and `portal tickets ...`: requests from files."""

from __future__ import annotations

from pathlib import Path

import click

from portal.cli_mail_authorize import authorize
from portal.cli_mail_listen import check, listen
from portal.cli_mail_parse import parse
from portal.config import load_config
from portal.core.errors import DomainError
from portal.services.mail_files import import_mails
from portal.services.ticket_files import import_tickets
from portal.wiring import build

_SHOWN = 50


@click.group()
def mail() -> None:
    """Mail from files, and the mailboxes."""


mail.add_command(check)
mail.add_command(listen)


mail.add_command(parse)
mail.add_command(authorize)


@mail.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--page", "may_page", is_flag=True, help="Let the mails page as if they had just arrived.")
def import_mail(paths: tuple[Path, ...], may_page: bool) -> None:
    """Take in .eml files, mbox files and folders of them. Pages nobody unless --page is given."""
    report = import_mails(build(load_config()), paths, may_page=may_page)
    for name, reason in report.skipped[:_SHOWN]:
        click.echo(f"{name}: {reason}", err=True)
    if len(report.skipped) > _SHOWN:
        click.echo(f"... and {len(report.skipped) - _SHOWN} more files that hold no mail.", err=True)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(report.verdicts.items()))
    click.echo(f"{report.found} mails: {report.stored} new, {report.known} known already. {verdicts or 'No verdicts'}.")


@click.group()
def tickets() -> None:
    """Tickets from other systems."""


@tickets.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_ticket_file(file: Path) -> None:
    """Take in a CSV file with a header line, or a file with one JSON object a line. Pages and mails nobody.

    Columns: title, body, created, status, priority, requester, reply.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            is_json = lines.read(1024).lstrip().startswith("{")
            lines.seek(0)
            report = import_tickets(build(load_config()), lines, is_json=is_json)
    except UnicodeDecodeError as error:
        raise DomainError(f"{file.name} is not UTF-8 text (byte {error.start}). Rows before it were taken.") from error
    for row in report.refused[:_SHOWN]:
        click.echo(f"line {row.line}: {row.reason}", err=True)
    if len(report.refused) > _SHOWN:
        click.echo(f"... and {len(report.refused) - _SHOWN} more rows that could not be taken.", err=True)
    numbers = f", #{report.first_id} to #{report.last_id}" if report.taken else ""
    click.echo(f"{report.taken} tickets taken{numbers}; {len(report.refused)} rows not taken.")
