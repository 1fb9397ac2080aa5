"""The records that a real PBX wrote of each story, read as the product reads them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.asterisk import records_csv
from connectors.asterisk.records import calls_in
from connectors.asterisk.records_groups import Pool
from connectors.asterisk.records_rows import Record, cdr, cel, queue_line
from connectors.asterisk.records_time import Zone
from gateway.domain.calls import Call, PbxRules
from gateway.domain.wire import call_wire
from gateway.replay import replay

ROOT = Path(__file__).parents[2] / "transcripts" / "records"
RULES = PbxRules("pbx1", ("PJSIP/trunk",))
ALL = ("cdr", "cel", "queue_log")
_PARSERS = {
    "cdr": (records_csv.rows, cdr),
    "cel": (records_csv.rows, cel),
    "queue_log": (records_csv.lines, queue_line),
}
_FILES = {"cdr": "cdr.csv", "cel": "cel.csv", "queue_log": "queue_log"}


def stories() -> list[str]:
    return sorted(folder.name for folder in ROOT.iterdir())


def file_of(story: str, source: str) -> bytes:
    return (ROOT / story / _FILES[source]).read_bytes()


def parsed(source: str, data: bytes) -> list[Record]:
    """What the product understands of a file."""
    split, parse = _PARSERS[source]
    zone = Zone()
    found, _ = split(data)
    return [record for row in found if (record := parse(row.fields, zone)) is not None]


def calls_from(records: Mapping[str, Sequence[Record]]) -> list[Call]:
    """The calls in order of start."""
    pool = Pool()
    for source, rows in records.items():
        for place, record in enumerate(rows):
            pool.add(record, source, (place,), 0.0)
    calls = [call for group in pool for call in calls_in(group, RULES, tells_hold=True)]
    return sorted(calls, key=lambda call: (call.started_at, call.linkedid))


def told_by(story: str, *sources: str) -> list[Call]:
    """The calls of a story by these of its files."""
    return calls_from({source: parsed(source, file_of(story, source)) for source in sources or ALL})


def seen(story: str) -> list[Call]:
    """The same calls as the tracker saw them in the same run."""
    calls, _ = replay(iter([(ROOT / story / "stream.ami").read_bytes()]), RULES)
    return calls


def truth(story: str) -> Any:
    return json.loads((ROOT / story / "expect.json").read_text())


def wire(calls: Sequence[Call]) -> list[Any]:
    return [call_wire(call) for call in calls]
