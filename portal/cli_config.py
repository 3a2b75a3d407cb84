"""`portal config ...`: the settings as a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

import click

from portal.config import load_config
from portal.services.site_file import export_site, import_site
from portal.wiring import build


@click.group()
def config() -> None:
    """The settings as a YAML file. docs/config.md describes it."""


@config.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
def export_config(file: Path) -> None:
    """Write all settings to FILE ("-" prints them). Secrets stay out: the file names variables for them."""
    context = build(load_config())
    with context.database.read_session() as session:
        text = export_site(session, context=context)
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    fresh.replace(file)
    click.echo(f"The settings are in {file}.")


@config.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def import_config(file: TextIO, dry_run: bool) -> None:
    """Make the site as FILE says ("-" reads the standard input). Importing it again changes nothing."""
    try:
        text = file.read()
    except UnicodeDecodeError:
        click.echo("The file is not text in UTF-8.", err=True)
        sys.exit(1)
    context = build(load_config())
    done = import_site(context, text, environ=os.environ, dry_run=dry_run)
    for note in done.notes:
        click.echo(note, err=True)
    if not done.changes:
        click.echo("Nothing to change: the site is as the file says.")
    elif dry_run:
        click.echo("This would change:")
    for line in done.changes:
        click.echo(f"  {line}")
    for mail, token in done.links:
        click.echo(f"{mail} chooses a password here: {context.site_url or '(the address of Nightdesk)'}/link/{token}")
