"""`portal config import` and `export`: the settings file (core/site_file.py) against the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.core.site_file import SiteFileError, read_site_file, write_site_file
from portal.services.audit import Change
from portal.services.context import Context
from portal.services.lexicon import seed_triage
from portal.services.setup_token import end_setup, has_admin
from portal.services.site_file_export import collect_sections
from portal.services.site_file_import import Run, apply_sections

_TRIAGE = ("queues", "categories", "words")


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do. `links` are (mail address, token) of new people without a password."""

    changes: tuple[str, ...]
    notes: tuple[str, ...]
    links: tuple[tuple[str, str], ...]


class _DryRun(Exception):
    """Not an error: it takes the transaction back."""


def export_site(session: Session, *, context: Context) -> str:
    """The text of a file that says how the site is. Secrets stand in it as references only."""
    return write_site_file(collect_sections(session, now=context.clock.now()))


def import_site(context: Context, text: str, *, environ: Mapping[str, str], dry_run: bool = False) -> Imported:
    """Make the site as the file says, all or nothing; the same file again changes nothing.

    A dry run does everything and takes it back. Raises SiteFileError with every fault and its line. An import that
    brings an administrator ends the first run.
    """
    file = read_site_file(text)
    change = Change(None, context.clock.now())
    try:
        with context.database.unit_of_work() as uow:
            run = Run(uow, file, change, context, environ)
            if not any(name in file.sections for name in _TRIAGE) and seed_triage(uow, change=change):
                run.changes.append("words: the shipped queues, categories and words")
            apply_sections(run)
            if run.faults:
                raise SiteFileError(run.faults)
            is_over = has_admin(uow.session)
            if dry_run:
                raise _DryRun
    except _DryRun:
        return Imported(tuple(run.changes), tuple(run.notes), ())
    if is_over:
        end_setup(context.data_dir)
    return Imported(tuple(run.changes), tuple(run.notes), tuple(run.links))
