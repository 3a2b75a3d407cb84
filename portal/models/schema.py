"""Migrations: the Alembic environment, driven by our own Database so that it locks like every other writer."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from portal.models.database import Database

_FOLDER = Path(__file__).resolve().parent.parent.parent / "migrations"


def _config(database: Database) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["database"] = database
    return config


def current_version(database: Database) -> str:
    """The migration the database stands at, "" for an empty one."""
    with database.reader.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def newest_version() -> str:
    """The migration this program wants."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_FOLDER))
    return ScriptDirectory.from_config(config).get_current_head() or ""


def upgrade(database: Database) -> None:
    """Bring the database to the newest version. Nothing happens when it is there."""
    if database.is_sqlite:
        Path(database.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        with database.writer.connect():
            pass  # makes the file, in WAL mode, so that a reader can open it
    if current_version(database) != newest_version():
        command.upgrade(_config(database), "head")
