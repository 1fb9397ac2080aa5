"""Files of records are read on from where they were left, whatever is done to them; nothing in them harms."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.asterisk import records_csv, records_rows
from connectors.asterisk.catchup_files import CHUNK, FileSource
from connectors.asterisk.records_rows import Cdr, QueueLine, Record
from connectors.asterisk.records_time import Zone
from tests.unit.asterisk.recorded import calls_from, file_of, parsed, stories

ROW = (
    '"","79161234567","74951000101","from-trunk","""A, ""B""\n"" <79161234567>","PJSIP/trunk-{0:08x}",'
    '"PJSIP/101-{0:08x}","Dial","PJSIP/101,20","2026-11-24 04:26:20","2026-11-24 04:26:23",'
    '"2026-11-24 04:26:29",9,6,"ANSWERED","DOCUMENTATION","1795494380.{0}","","","1795494380.{0}",0\n'
)


def rows(first: int, last: int) -> str:
    return "".join(ROW.format(number) for number in range(first, last))


OPEN: list[FileSource] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def source(path: Path, mark: object = None, since: float = 0.0) -> FileSource:
    # As it comes out of the database.
    kept = json.loads(json.dumps(mark))
    OPEN.append(FileSource("cdr", path, records_csv.rows, records_rows.cdr, since, kept))
    return OPEN[-1]


def drained(file: FileSource) -> list[str]:
    """Uniqueids of everything that is there now."""
    found: list[str] = []
    while True:
        found += [record.uniqueid.partition(".")[2] for _, record in file.read()]
        if file.at_end:
            return found


def numbers(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_file_is_read_on_where_it_was_left_by_another_process(path: Path) -> None:
    path.write_text(rows(0, 3))
    first = source(path)
    assert drained(first) == numbers(0, 3)
    append(path, rows(3, 5))
    assert drained(source(path, first.marked(None))) == numbers(3, 5)


def test_what_a_call_still_needs_is_read_again_after_a_restart(path: Path) -> None:
    path.write_text(rows(0, 5))
    first = source(path)
    places = [place for place, _ in first.read()]
    assert drained(source(path, first.marked(places[2]))) == numbers(2, 5)


def test_a_line_that_is_being_written_waits_for_its_end(path: Path) -> None:
    text = rows(0, 2)
    path.write_text(text[:-30])
    file = source(path)
    assert drained(file) == numbers(0, 1)
    append(path, text[-30:])
    assert drained(file) == numbers(1, 2)


def test_a_file_that_does_not_exist_yet_is_read_when_it_does(path: Path) -> None:
    file = source(path)
    assert drained(file) == []
    path.write_text(rows(0, 1))
    assert drained(file) == numbers(0, 1)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(path: Path, restarted: bool) -> None:
    path.write_text(rows(0, 3))
    file = source(path)
    assert drained(file) == numbers(0, 3)
    append(path, rows(3, 4))
    path.rename(path.with_name("Master.csv.1"))
    path.write_text(rows(4, 6))
    file = source(path, file.marked(None)) if restarted else file
    assert drained(file) == numbers(3, 6)


def test_two_rotations_while_we_were_down_lose_nothing(path: Path) -> None:
    path.write_text(rows(0, 3))
    file = source(path)
    assert drained(file) == numbers(0, 3)
    path.rename(path.with_name("Master.csv.2"))
    path.write_text(rows(3, 5))
    path.rename(path.with_name("Master.csv.1"))
    path.write_text(rows(5, 7))
    assert drained(source(path, file.marked(None))) == numbers(3, 7)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_that_was_copied_and_emptied_is_read_on_in_its_copy(path: Path, restarted: bool) -> None:
    path.write_text(rows(0, 3))
    file = source(path)
    assert drained(file) == numbers(0, 3)
    append(path, rows(3, 4))
    path.with_name("Master.csv.1").write_bytes(path.read_bytes())
    path.write_text(rows(4, 5))
    file = source(path, file.marked(None)) if restarted else file
    assert drained(file) == numbers(3, 5)


def test_an_emptied_file_that_grew_longer_than_before_is_begun_anew(path: Path) -> None:
    path.write_text(rows(0, 2))
    file = source(path)
    assert drained(file) == numbers(0, 2)
    path.write_text(rows(10, 20))
    assert drained(file) == numbers(10, 20)


def test_years_of_history_are_not_looked_through_at_the_first_start(path: Path) -> None:
    path.write_text(rows(0, 50))
    late = source(path, since=1795494380.0 + 3600)
    assert drained(late) == []
    assert late.understood == 50


def test_a_quote_left_open_costs_a_line_and_not_the_rest(path: Path) -> None:
    path.write_text('"broken\n' + rows(0, 500).replace('B""\n', 'B""'))
    assert drained(source(path)) == numbers(0, 500)


def test_a_line_without_end_is_passed_over(path: Path) -> None:
    path.write_text("x" * (CHUNK + 10) + "\n" + rows(0, 2))
    assert drained(source(path)) == numbers(0, 2)


@pytest.mark.parametrize(
    ("tail", "linkedid"),
    [
        (',"1795494380.7"', "1795494380.7"),
        (',"1795494380.7","my,field"', "1795494380.7"),
        (',"1795494380.7","","","1795494379.1",0', "1795494379.1"),
        (',"1795494380.7","","1795494379.1",0', "1795494379.1"),
    ],
)
def test_every_choice_of_cdr_conf_is_read(tail: str, linkedid: str) -> None:
    (row,) = parsed("cdr", (ROW.format(0).partition(',"1795494380')[0] + tail + "\n").encode())
    assert isinstance(row, Cdr)
    assert (row.uniqueid, row.linkedid) == ("1795494380.7", linkedid)


def test_the_sample_of_cdr_custom_is_read() -> None:
    text = (
        '"""Ann"" <7916>","7916","7495","in","PJSIP/trunk-1","PJSIP/101-2","Dial","PJSIP/101,20",'
        '"2026-11-24 07:26:20","2026-11-24 07:26:23","2026-11-24 07:26:29","9","6","ANSWERED","DOC","",'
        '"1795494380.0","",0\n'
    )
    (row,) = parsed("cdr", text.encode())
    assert isinstance(row, Cdr)
    assert (row.name, row.src, row.dst_channel) == ("Ann", "7916", "PJSIP/101-2")
    # Moscow's clock is told by the Uniqueid.
    assert (row.start, row.answer, row.end) == (1795494380.0, 1795494383.0, 1795494389.0)


def test_a_caller_who_writes_lines_into_the_log_of_the_queue_makes_no_call() -> None:
    forged = (
        "1795494380|1795494380.9|400|NONE|ENTERQUEUE||7916\n1795494381|1795494380.8|400|NONE|ABANDON|1|1|1\n"
    )
    lines = parsed("queue_log", forged.encode())
    assert len(lines) == 2
    assert calls_from({"queue_log": lines}) == []


SPLITS = (records_csv.rows, records_csv.lines)
PARSERS = (records_rows.cdr, records_rows.cel, records_rows.queue_line)
WORDS = st.one_of(
    st.sampled_from(
        ["1795494380.0", "ANSWERED", "CHAN_START", "HANGUP", "BRIDGE_ENTER", "2026-11-24 04:26:20", "", "400",
         "PJSIP/101-1", "PJSIP/trunk-1", "Local/1@x-1;2", "Dial", "Queue", "NO ANSWER", "1e308", "-1", "nan",
         '{"hangupcause": 16, "bridge_id": "b"}', '{"hangupcause": "x", "bridge_id": ["b"]}', "CONNECT"]
    ),
    st.text(max_size=30),
)  # fmt: skip


@given(st.binary(max_size=2000))
def test_whatever_bytes_stand_in_a_file_they_are_read_to_no_harm(data: bytes) -> None:
    for split in SPLITS:
        found, used = split(data)
        assert 0 <= used <= len(data)
        for parse in PARSERS:
            for row in found:
                parse(row.fields, Zone())


@given(st.lists(st.lists(WORDS, min_size=5, max_size=21), max_size=12))
@settings(max_examples=300)
def test_whatever_words_stand_in_its_columns_calls_come_of_it_or_none(table: list[list[str]]) -> None:
    records: list[Record] = []
    for fields in table:
        records += [record for parse in PARSERS if (record := parse(fields, Zone())) is not None]
    for call in calls_from({"any": records}):
        assert call.ended_at is not None
        assert call.ended_at >= call.started_at


@given(st.data())
@settings(max_examples=200)
def test_rows_lost_doubled_and_moved_give_calls_that_are_over(data: st.DataObject) -> None:
    story = data.draw(st.sampled_from(stories()))
    kept = {}
    for name in ("cdr", "cel", "queue_log"):
        found = parsed(name, file_of(story, name))
        kept[name] = data.draw(st.lists(st.sampled_from(found), max_size=2 * len(found))) if found else []
    for call in calls_from(kept):
        assert call.ended_at is not None
        assert call.legs


def test_lines_of_the_queue_without_a_channel_say_nothing_of_a_call() -> None:
    assert parsed("queue_log", b"1795494380|NONE|NONE|NONE|QUEUESTART|\n") == []
    (line,) = parsed("queue_log", b"1795494384|1795494380.0|400|102|CONNECT|3|1795494381.2|3\r\n")
    assert line == QueueLine(
        1795494384.0, "1795494380.0", "400", "102", "CONNECT", ("3", "1795494381.2", "3")
    )
