"""The migrations make exactly what the models say, on whichever engine this run uses."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from portal.models import Base, Database
from portal.models.schema import current_version, newest_version, upgrade
from tests.databases import empty_database_url


def test_an_empty_database_is_brought_to_what_the_models_say(tmp_path):
    database = Database(empty_database_url(tmp_path))
    upgrade(database)
    assert current_version(database) == newest_version() != ""
    with database.reader.connect() as connection:
        options = {
            "include_object": lambda obj, name, *rest: not (name or "").startswith(("message_search", "ix_search"))
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    database.dispose()


def test_a_second_upgrade_changes_nothing(tmp_path):
    database = Database(empty_database_url(tmp_path))
    upgrade(database)
    upgrade(database)
    assert current_version(database) == newest_version()
    database.dispose()


def test_the_search_index_follows_its_table(tmp_path):
    database = Database(empty_database_url(tmp_path))
    upgrade(database)
    if not database.is_sqlite:
        query = "SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_search_document_tokens'"
    else:
        query = "SELECT count(*) FROM sqlite_master WHERE name = 'search_document_added'"
    with database.read_session() as session:
        assert session.scalar(text(query)) == 1
    database.dispose()
