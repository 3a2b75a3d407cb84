"""`portal status`: what runs, and what waits."""

from __future__ import annotations

import json

import click

from portal.config import load_config
from portal.jobs.steps import count_due
from portal.runtime.status import report
from portal.services.status import load_status
from portal.wiring import build


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Processes, schema version, due work, unexplained mails and open pages."""
    config = load_config()
    context = build(config)
    with context.database.read_session() as session:
        site = load_status(session, now=context.clock.now())
    found = report(config.data_dir, site, count_due(context) if site.schema else {})
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(found["address"] or "Nightdesk does not run on this machine.")
    for process in found["processes"]:
        click.echo(f"  {process['role']:<16} {process['pid']:>8}  since {process['started_at'][:19]}Z")
    click.echo(f"Schema {found['schema'] or 'not made yet'}")
    for kind, count in found["due"].items():
        click.echo(f"  due {kind:<14} {count:>6}")
    click.echo(f"Unexplained mails: {found['unexplained_mails']}. Open pages: {found['open_pages']}.")
