"""What Alembic is told about our schema, in migrations and in the tests that compare."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext

from gateway.store import tables, tables_conversations, tables_core, types
from gateway.store.schema import metadata

METADATA = metadata
TABLES = (tables, tables_conversations, tables_core)
"""Importing them is what puts the tables into the MetaData."""


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Our column types as plain SQLAlchemy, so that old revisions never depend on the code of today."""
    if kind != "type":
        return False
    if isinstance(item, types.Id):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.String(36).with_variant(postgresql.UUID(), "postgresql")'
    if isinstance(item, types.UtcDateTime):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")'
    if isinstance(item, types.Json):
        return "sa.Text()"
    return False


OPTIONS: dict[str, Any] = {
    "target_metadata": METADATA,
    "render_as_batch": True,
    "render_item": render_item,
    "compare_type": True,
}
