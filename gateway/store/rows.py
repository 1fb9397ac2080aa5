"""Rows as lines of JSON, the same from either engine, so that a copy made of one can be put into the other.

The first line of a table's file names its columns and their kinds; a row is an array. What is ephemeral
(facts, leases) is left out: it means nothing in another running database.
"""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    column,
    func,
    insert,
    inspect,
    select,
    table,
    text,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from gateway.store.types import Id, Json, UtcDateTime

BATCH = 1000

KINDS: dict[str, type[TypeEngine[Any]]] = {
    "id": Id,
    "time": UtcDateTime,
    "bool": Boolean,
    "int": BigInteger,
    "float": Float,
    "bytes": LargeBinary,
    "text": Text,
}


class TableFile(msgspec.Struct, frozen=True):
    """A table in the manifest."""

    name: str
    rows: int
    sha256: str


class Header(msgspec.Struct, frozen=True):
    """The first line of a table's file: (name, kind) of each column."""

    table: str
    columns: list[tuple[str, str]]


def kept(metadata: MetaData) -> list[Table]:
    """The tables whose rows are worth keeping, each after those that it refers to."""
    return [one for one in metadata.sorted_tables if not one.info.get("ephemeral")]


def dump(tx: Connection, source: Table, folder: Path) -> TableFile:
    """Write the rows of `source` to its file in `folder`."""
    name = str(source.name)  # SQLAlchemy's own kind of string otherwise
    kinds = [(str(one.name), _kind(one)) for one in source.columns]
    query = select(*(type_coerce(one, Text) if isinstance(one.type, Json) else one for one in source.columns))
    rows = 0
    with (folder / f"{name}.jsonl").open("wb") as file:
        digest = hashlib.sha256()
        for line in _lines(tx, name, kinds, query):
            file.write(line)
            digest.update(line)
            rows += 1
    return TableFile(name, rows - 1, digest.hexdigest())


def load(tx: Connection, folder: Path, wanted: TableFile) -> None:
    """Insert the rows of a table's file; ValueError when it is not what the manifest says."""
    with (folder / f"{wanted.name}.jsonl").open("rb") as file:
        header = msgspec.json.decode(file.readline(), type=Header)
        if header.table != wanted.name:
            raise ValueError(f"the file of {wanted.name} holds {header.table}")
        target = table(header.table, *(column(name, KINDS[kind]()) for name, kind in header.columns))
        rows = 0
        for batch in _batches(file, header):
            tx.execute(insert(target), batch)
            rows += len(batch)
    if rows != wanted.rows:
        raise ValueError(f"{wanted.name} has {rows} rows instead of {wanted.rows}")


def advance_numbers(tx: Connection, metadata: MetaData) -> None:
    """Have PostgreSQL's own numbering go on after the rows that were put in (SQLite looks by itself)."""
    if tx.dialect.name != "postgresql":
        return
    for one in metadata.sorted_tables:
        number = one.autoincrement_column
        if number is not None:
            sequence = func.pg_get_serial_sequence(one.name, number.name)
            newest = select(func.max(number)).scalar_subquery()
            tx.execute(select(func.setval(sequence, func.coalesce(newest, 0) + 1, text("false"))))


def holds_rows(tx: Connection, metadata: MetaData) -> str | None:
    """The name of a table that has rows, None when all are empty or missing."""
    there = set(inspect(tx).get_table_names())
    for one in kept(metadata):
        if one.name in there and tx.execute(select(one).limit(1)).first() is not None:
            return one.name
    return None


def _lines(tx: Connection, name: str, kinds: list[tuple[str, str]], query: Any) -> Iterator[bytes]:
    encoder = msgspec.json.Encoder()
    yield encoder.encode(Header(name, kinds)) + b"\n"
    for row in tx.execute(query.execution_options(yield_per=BATCH)):
        yield encoder.encode(tuple(row)) + b"\n"


def _batches(file: BinaryIO, header: Header) -> Iterator[list[dict[str, Any]]]:
    names = [name for name, _ in header.columns]
    kinds = [kind for _, kind in header.columns]
    decoder = msgspec.json.Decoder(list[Any])
    batch: list[dict[str, Any]] = []
    for line in file:
        values = map(_value, decoder.decode(line), kinds)
        batch.append(dict(zip(names, values, strict=True)))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _kind(one: Column[Any]) -> str:
    exact = {Id: "id", UtcDateTime: "time", Json: "text"}
    if type(one.type) in exact:
        return exact[type(one.type)]
    if isinstance(one.type, Boolean):
        return "bool"
    if isinstance(one.type, Integer):
        return "int"
    if isinstance(one.type, Float):
        return "float"
    return "bytes" if isinstance(one.type, LargeBinary) else "text"


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "time":
        return msgspec.convert(value, datetime)
    return base64.b64decode(value) if kind == "bytes" else value
