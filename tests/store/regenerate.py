"""Writes the initial revision anew from the tables; for the time before the first release only.

Run as `python -m tests.store.regenerate`. The revision's name is a hash of the tables, so a database of
yesterday is refused with a sentence rather than failing with a missing column.
"""

import hashlib
import subprocess
import sys

from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from gateway.store.migrate import SCRIPTS, _config
from gateway.store.migrations.options import METADATA


def main() -> None:
    """Replace whatever revisions there are by one."""
    versions = SCRIPTS / "versions"
    versions.mkdir(exist_ok=True)
    for old in versions.glob("*.py"):
        old.unlink()
    with create_engine("sqlite://").connect() as tx:
        made = command.revision(
            _config(tx), "Everything the first release stores", autogenerate=True, rev_id=fingerprint()
        )
    assert made is not None
    assert not isinstance(made, list)
    for action in (["check", "--fix", "-q", "--ignore", "E501"], ["format", "-q"]):
        subprocess.run([sys.executable, "-m", "ruff", *action, made.path], check=True)
    print(made.path)


def fingerprint() -> str:
    """Twelve hexadecimal digits that change with the tables."""
    statements: list[str] = []
    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        for table in METADATA.sorted_tables:
            statements.append(str(CreateTable(table).compile(dialect=dialect)))
            indexes = sorted(table.indexes, key=lambda index: str(index.name))
            statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()[:12]


if __name__ == "__main__":
    main()
