"""Alembic's environment, called through `portal.models.schema` with a Database."""

import os

from alembic import context

from portal.models import Base, Database

database = context.config.attributes.get("database") or Database(os.environ["NIGHTDESK_DATABASE_URL"])


def include(obj, name, kind, reflected, compare_to):
    """The search index is made by hand: FTS5 keeps tables of its own, PostgreSQL an index over an expression."""
    return not (name or "").startswith(("message_search", "ix_search_document_tokens"))


with database.writer.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include,
        render_as_batch=database.is_sqlite,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
