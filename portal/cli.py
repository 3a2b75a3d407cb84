"""The `portal` command line. Each area's commands live beside it; this file gathers them."""

from __future__ import annotations

import re
import sys

import click
import structlog
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.cli_admin import db, user
from portal.cli_config import config
from portal.cli_hours import hours
from portal.cli_mail import mail, tickets
from portal.cli_oncall import oncall
from portal.cli_paging import explain, sandbox
from portal.cli_status import status
from portal.config import ConfigError
from portal.core.errors import DomainError

_NO_TABLE = re.compile(r"no such (?:table|column)|(?:relation|column) .* does not exist")


class _Sentences(click.Group):
    """What a person did wrong is one sentence on the error output, not a trace."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (DomainError, ConfigError) as error:
            click.echo(str(error), err=True)
        except (OperationalError, ProgrammingError) as error:
            if not _NO_TABLE.search(str(error.orig)):
                raise
            click.echo("The database is not of this version. Start Nightdesk once, or run: portal db upgrade", err=True)
        sys.exit(1)


@click.group(cls=_Sentences)
def main() -> None:
    """Nightdesk from the command line. Commands read the same NIGHTDESK_ settings as the program."""
    # Standard output belongs to what a command answers.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


for command in (db, user, config, mail, tickets, sandbox, explain, hours, oncall, status):
    main.add_command(command)


if __name__ == "__main__":
    main()
