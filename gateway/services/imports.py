"""Bringing in an existing client base from CSV: report of every line, rehearsal, undo by batch."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from gateway.domain.errors import Conflict, Invalid, NotFound
from gateway.domain.identities import Identity, normalise
from gateway.domain.ids import new_id
from gateway.services import cards as cards_service
from gateway.services import clients, directory, terms
from gateway.store import cards as store
from gateway.store.engine import Store
from gateway.store.tables import calls, cards, import_batches, operators

_CHUNK = 200

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "имя", "фио", "клиент", "client", "full name", "contact"),
    "company": ("company", "компания", "организация", "organization"),
    "phone": ("phone", "телефон", "phones", "телефоны", "мобильный", "mobile", "номер"),
    "email": ("email", "e-mail", "mail", "почта", "эл. почта", "электронная почта"),
    "telegram": ("telegram", "телеграм", "телеграмм"),
    "kind": ("kind", "вид", "статус", "status"),
    "type": ("type", "тип"),
    "owner": ("owner", "ответственный", "менеджер", "manager", "responsible"),
    "team": ("team", "команда", "отдел", "department"),
    "tags": ("tags", "метки", "теги"),
    "note": ("note", "комментарий", "примечание", "заметка", "comment"),
    "language": ("language", "язык"),
    "priority": ("priority", "приоритет"),
}
_IDENTITY_COLUMNS = ("phone", "email", "telegram")
_KINDS = {"lead": "lead", "лид": "lead", "client": "client", "клиент": "client", "": "client"}
_TYPES = {"person": "person", "человек": "person", "company": "company", "компания": "company", "": "person"}


@dataclass(frozen=True, slots=True)
class LineReport:
    """What became of one line of the file (1 is the header): `created`, `known` or `refused`, and why."""

    line: int
    outcome: str
    detail: str


@dataclass(slots=True)
class ImportReport:
    """The report of a whole file; `batch_id` undoes it (None after a rehearsal)."""

    batch_id: str | None
    ignored_columns: list[str]
    lines: list[LineReport] = field(default_factory=list)

    def count(self, outcome: str) -> int:
        """How many lines came out so."""
        return sum(line.outcome == outcome for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    values: dict[str, str]
    fields: dict[str, str]


async def import_cards(store_: Store, file: Path, text: str, country: str, *, dry_run: bool) -> ImportReport:
    """Make a card of every line whose addresses belong to nobody yet.

    A line with an address that is known already is reported with that card and changes nothing, so the same
    file twice makes nothing twice. Columns that no field is called go into the card's `fields`. Raises
    `Invalid` when the header names nothing to reach or call a client by.
    """
    header, lines = _parse(text)
    report = ImportReport(batch_id=None, ignored_columns=[column for column in header if not column])
    if not dry_run:
        report.batch_id = await store_.write(_open_batch, file.name)
    for chunk in _chunks(lines):
        work = _rehearse if dry_run else _bring_in
        report.lines += await store_.write(work, chunk, country, report.batch_id)
    if report.batch_id:
        await store_.write(_close_batch, report.batch_id, report.count("created"))
    return report


def _parse(text: str) -> tuple[list[str], Iterator[_Line]]:
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(";,\t|", key=first.count)
    # Read whole before anything is made of it: a base that breaks off half-way is not brought in by half.
    rows = iter(list(_rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))))
    header = [column.strip() for column in next(rows, (0, []))[1]]
    known = {name: column for column, names in COLUMNS.items() for name in names}
    places = [_column(title, known) for title in header]
    if not set(places) & {"name", "company", *_IDENTITY_COLUMNS}:
        wanted = ", ".join(("name", "company", *_IDENTITY_COLUMNS))
        raise Invalid.one("header", f"the first line names none of {wanted}; name the columns there")
    return header, _lines(rows, header, places)


def _column(title: str, known: Mapping[str, str]) -> str | None:
    # "Phone 2", "phone_work" and "Телефон (моб.)" are phones as well.
    plain = re.sub(r"[_\s]+", " ", title.lower()).strip()
    bare = re.sub(r"[\s\d()#.:-]+$", "", re.sub(r"\(.*\)", "", plain)).strip()
    first = bare.partition(" ")[0]
    return known.get(plain) or known.get(bare) or known.get(first)


def _rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each ends. Raises `Invalid` naming the line that is no CSV."""
    begins = 1
    try:
        for row in reader:
            if any("\0" in cell for cell in row):
                raise Invalid.one("line", f"line {reader.line_num} holds the character NUL")
            yield reader.line_num, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise Invalid.one("line", f"from line {begins} on it is no CSV ({error}); see its quotes") from None


def _lines(
    rows: Iterator[tuple[int, list[str]]], header: list[str], places: list[str | None]
) -> Iterator[_Line]:
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        values: dict[str, str] = {}
        fields: dict[str, str] = {}
        for title, place, cell in zip(header, places, row, strict=False):
            if not cell.strip():
                continue
            if place is None:
                fields[title] = cell.strip()
            else:
                values[place] = f"{values[place]}\n{cell.strip()}" if place in values else cell.strip()
        yield _Line(number, values, fields)


def _chunks(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    chunk: list[_Line] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _open_batch(tx: Connection, file: str) -> str:
    batch_id = new_id()
    values = {"id": batch_id, "at": datetime.now(UTC), "file": file[:255], "cards": 0}
    tx.execute(insert(import_batches), values)
    return batch_id


def _close_batch(tx: Connection, batch_id: str, made: int) -> None:
    tx.execute(update(import_batches).where(import_batches.c.id == batch_id).values(cards=made))


def _rehearse(tx: Connection, chunk: list[_Line], country: str, batch_id: str | None) -> list[LineReport]:
    savepoint = tx.begin_nested()
    found = _bring_in(tx, chunk, country, batch_id)
    savepoint.rollback()
    return found


def _bring_in(tx: Connection, chunk: list[_Line], country: str, batch_id: str | None) -> list[LineReport]:
    main_team = directory.main_team(tx)
    people = {row.name.lower(): row.id for row in tx.execute(select(operators.c.id, operators.c.name))}
    people |= {row.login.lower(): row.id for row in tx.execute(select(operators.c.id, operators.c.login))}
    return [_bring_in_line(tx, line, country, batch_id, main_team, people) for line in chunk]


def _bring_in_line(
    tx: Connection,
    line: _Line,
    country: str,
    batch_id: str | None,
    main_team: str,
    people: Mapping[str, str],
) -> LineReport:
    try:
        identities = _identities(line, country)
        values = _values(tx, line, people)
    except Invalid as wrong:
        return LineReport(line.number, "refused", str(wrong))
    for identity in identities:
        if (card_id := store.card_knowing(tx, identity)) is not None:
            return LineReport(line.number, "known", f"{identity.value} belongs to card {card_id}")
    now = datetime.now(UTC)
    card_id = new_id()
    team_id = values.pop("team_id", main_team)
    row = clients.new_card_values(card_id, team_id, now, **values, fields=line.fields, batch_id=batch_id)
    tx.execute(insert(cards), row)
    for identity in identities:
        store.claim_identity(tx, identity, card_id, now)
    store.set_terms(tx, card_id, _terms(row, identities), fresh=True)
    return LineReport(line.number, "created", card_id)


def _terms(row: Mapping[str, Any], identities: Iterable[Identity]) -> set[str]:
    found = terms.of_text([row["name"], row["company"] or "", row["note"]]) | terms.of_tags(row["tags"])
    return found.union(*(terms.of_identity(i.kind, i.value) for i in identities))


def _identities(line: _Line, country: str) -> list[Identity]:
    found: list[Identity] = []
    for kind in _IDENTITY_COLUMNS:
        for raw in re.split(r"[\n,;/]", line.values.get(kind, "")):
            if raw.strip():
                try:
                    found.append(normalise(kind, raw, country))
                except Invalid as wrong:
                    raise Invalid.one(kind, f"{raw.strip()!r} is not {wrong.errors[0].message}") from None
    return list(dict.fromkeys(found))


def _values(tx: Connection, line: _Line, people: Mapping[str, str]) -> dict[str, Any]:
    given = {key: value.replace("\n", " ").strip() for key, value in line.values.items()}
    values: dict[str, Any] = {
        "name": given.get("name", ""),
        "company": given.get("company"),
        "note": line.values.get("note", ""),
        "language": given.get("language"),
        "tags": [tag.strip() for tag in re.split(r"[,;|]", given.get("tags", "")) if tag.strip()],
        "kind": _one_of("kind", given.get("kind", ""), _KINDS),
        "type": _one_of("type", given.get("type", ""), _TYPES),
        "priority": _number("priority", given.get("priority", "0")),
    }
    if not (values["name"] or values["company"] or any(given.get(k) for k in _IDENTITY_COLUMNS)):
        raise Invalid.one("name", "the line has neither a name nor an address")
    if "owner" in given:
        values["owner_id"] = people.get(given["owner"].lower())
        if values["owner_id"] is None:
            raise Invalid.one("owner", f"there is no operator called {given['owner']!r}")
    if "team" in given:
        team_id = directory.team_id_of(tx, given["team"])
        if team_id is None:
            raise Invalid.one("team", f"there is no team called {given['team']!r}")
        values["team_id"] = team_id
    return values


def _one_of(column: str, text: str, words: Mapping[str, str]) -> str:
    found = words.get(text.lower())
    if found is None:
        raise Invalid.one(column, f"{text!r} is none of {', '.join(w for w in words if w)}")
    return found


def _number(column: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise Invalid.one(column, f"{text!r} is no whole number") from None
    if not -10 <= value <= 10:
        raise Invalid.one(column, "a number from -10 to 10")
    return value


async def undo(store_: Store, batch_id: str) -> tuple[int, int]:
    """Take the batch's cards out again; (taken out, kept because something happened on them since).

    Raises `NotFound`, `Conflict` when it was undone before.
    """
    return await store_.write(_undo, batch_id)


def _undo(tx: Connection, batch_id: str) -> tuple[int, int]:
    batch = tx.execute(select(import_batches).where(import_batches.c.id == batch_id)).one_or_none()
    if batch is None:
        raise NotFound(f"there is no import {batch_id}")
    if batch.undone_at is not None:
        raise Conflict("this import was undone already")
    called = exists().where(calls.c.card_id == cards.c.id)
    state = (cards.c.id, cards.c.version, cards.c.last_contact_at, cards.c.merged_into)
    rows = tx.execute(select(*state, called.label("called")).where(cards.c.batch_id == batch_id)).all()
    untouched = [
        r.id
        for r in rows
        if r.version == 1 and r.last_contact_at is None and r.merged_into is None and not r.called
    ]
    for start in range(0, len(untouched), _CHUNK):
        cards_service.erase(tx, untouched[start : start + _CHUNK])
    now = datetime.now(UTC)
    tx.execute(update(import_batches).where(import_batches.c.id == batch_id).values(undone_at=now))
    return len(untouched), len(rows) - len(untouched)
