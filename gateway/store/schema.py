"""The one MetaData of the database, and what stands beside its tables.

Constraint names are fixed, so that migrations can name what they change on both engines (Alembic docs,
"The Importance of Naming Constraints").
"""

from sqlalchemy import MetaData

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

EPHEMERAL = {"ephemeral": True}
"""`info` of a table whose rows mean nothing outside this running database; backups leave them out."""
