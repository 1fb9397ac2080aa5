"""`perezvon replay`: streams in, the contract's Calls out."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.calls import PbxRules
from gateway.domain.ids import call_id
from gateway.replay import replay_files

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "gateway" / "demo" / "streams"
TRANSCRIPTS = ROOT / "tests" / "transcripts" / "ami"
RULES = PbxRules("pbx1", ("PJSIP/trunk",))
CALL = {
    "id", "pbx", "linkedid", "direction", "state", "disposition", "from", "to", "did", "queue", "card_id",
    "operator", "rang", "started_at", "answered_at", "ended_at", "hangup_by", "hangup_cause", "wait_s",
    "talk_s", "hold_s", "segments", "transfers", "recordings", "estimated", "note",
}  # fmt: skip


def replayed(*paths: Path, rules: PbxRules = RULES) -> tuple[list[dict[str, Any]], dict[str, int]]:
    out, err = io.StringIO(), io.StringIO()
    replay_files(paths, rules, out, err)
    left: dict[str, int] = json.loads(err.getvalue())["leftovers"]
    return [json.loads(line) for line in out.getvalue().splitlines()], left


def test_a_call_is_printed_in_the_contracts_shape() -> None:
    (call,), left = replayed(DEMO / "queue-of-three.ami")

    assert set(call) == CALL
    assert call["id"] == call_id("pbx1", call["linkedid"])
    assert call["from"] == {"number": "+79161234567", "raw": "79161234567", "name": "Ivan Petrov"}
    assert call["operator"] == {"id": None, "name": None, "extension": "102"}
    assert (call["card_id"], call["recordings"], call["note"]) == (None, [], None)
    assert set(call["segments"][0]) == {"operator", "extension", "from", "to", "ring_s", "talk_s", "hold_s"}
    assert left == {"channels": 0, "bridges": 0, "calls": 0}


def test_times_are_rfc_3339_in_utc_with_milliseconds() -> None:
    (call,), _ = replayed(DEMO / "direct.ami")

    for name in ("started_at", "answered_at", "ended_at"):
        assert len(call[name]) == len("2026-11-22T09:15:04.120Z")
        assert call[name].endswith("Z")


def test_nobody_talked_so_there_is_no_operator() -> None:
    (call,), _ = replayed(DEMO / "abandoned.ami")

    assert (call["disposition"], call["operator"], call["segments"]) == ("abandoned", None, [])


def test_each_file_is_a_run_of_its_own_and_calls_come_in_order_of_start() -> None:
    files = [DEMO / "outgoing.ami", DEMO / "direct.ami", DEMO / "busy.ami", DEMO / "direct.ami"]
    calls, left = replayed(*files)

    assert len(calls) == 4
    assert [c["started_at"] for c in calls] == sorted(c["started_at"] for c in calls)
    assert not any(left.values())


def test_a_consultation_is_not_printed_beside_the_call_it_became_part_of() -> None:
    calls, _ = replayed(TRANSCRIPTS / "attended-transfer.ami")

    assert len(calls) == 1
    (transfer,) = calls[0]["transfers"]
    assert transfer.pop("at") > calls[0]["answered_at"]
    assert transfer == {"kind": "attended", "from": "101", "to": "102", "result": "answered"}


def test_a_stream_that_just_ends_leaves_its_call_unfinished_and_says_so() -> None:
    (call,), left = replayed(TRANSCRIPTS / "killed-in-mid-call.ami")

    assert (call["state"], call["ended_at"]) == ("talking", None)
    assert left == {"channels": 2, "bridges": 1, "calls": 1}


def test_bare_line_feeds_and_a_missing_last_blank_line_are_understood(tmp_path: Path) -> None:
    text = (DEMO / "direct.ami").read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n")
    (tmp_path / "lf.ami").write_bytes(text)

    assert replayed(tmp_path / "lf.ami") == replayed(DEMO / "direct.ami")


def test_a_stream_without_timestamps_counts_from_the_uniqueids(tmp_path: Path) -> None:
    lines = (DEMO / "direct.ami").read_bytes().splitlines(keepends=True)
    (tmp_path / "bare.ami").write_bytes(b"".join(line for line in lines if not line.startswith(b"Timestamp")))
    (call,), _ = replayed(tmp_path / "bare.ami")

    assert call["disposition"] == "answered"
    assert call["started_at"][:19] == replayed(DEMO / "direct.ami")[0][0]["started_at"][:19]


def test_a_file_of_garbage_gives_no_call_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "noise.ami").write_bytes(bytes(range(256)) * 300)

    assert replayed(tmp_path / "noise.ami") == ([], {"channels": 0, "bridges": 0, "calls": 0})


def test_a_missing_file_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        replayed(tmp_path / "nowhere.ami")


def test_what_is_outside_is_told_by_the_trunk_and_not_by_the_number() -> None:
    (call,), _ = replayed(TRANSCRIPTS / "caller-presents-an-extension.ami")
    assert call["direction"] == "in"

    (blind,), _ = replayed(TRANSCRIPTS / "caller-presents-an-extension.ami", rules=PbxRules("pbx1"))
    assert blind["direction"] == "internal"
