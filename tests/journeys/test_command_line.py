"""The command line as an administrator uses it: real processes, real configuration files."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

STREAMS = Path(__file__).parents[2] / "gateway" / "demo" / "streams"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with one PBX that nobody runs."""
    path = tmp_path / "perezvon.toml"
    path.write_text(
        f"""
[server]
port = {_free_port()}
metrics = "127.0.0.1:{_free_port()}"

[database]
url = "sqlite+aiosqlite:///{tmp_path}/data/perezvon.db"

[storage]
url = "file://{tmp_path}/files"

[[connectors]]
kind = "asterisk"
name = "pbx1"
host = "127.0.0.1"
port = {_free_port()}
username = "perezvon"
secret = "never shown"
trunks = ["PJSIP/trunk"]

[[queues]]
name = "sales"
pbx_queues = ["pbx1/400"]
"""
    )
    path.chmod(0o600)
    return path


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "gateway", *map(str, arguments)]


def _run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments), input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


@contextlib.contextmanager
def _serving(config: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    process = subprocess.Popen(
        _command("serve", "--config", config), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line.startswith("Perezvon is ready: http://"), process.stderr and process.stderr.read()
        yield process, line.rpartition(" ")[2].strip()
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)


def _metrics(config: Path) -> str:
    address = tomllib.loads(config.read_text())["server"]["metrics"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def _get(address: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_serve_says_where_the_desk_is_and_runs_on_without_its_pbx(config: Path) -> None:
    with _serving(config) as (process, address):
        status, ready = _get(f"{address}/readyz")
        assert status == 200
        connectors = ready["connectors"]
        assert isinstance(connectors, list)
        assert connectors[0]["name"] == "pbx1"
        assert connectors[0]["state"] != "up"
        shown = _metrics(config)
        assert 'perezvon_build_info{schema="' in shown
        assert "perezvon_store_unavailable_total 0.0" in shown
        assert "perezvon_store_write_seconds_count 0.0" not in shown
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=40)
        assert process.returncode == 0
        assert "never shown" not in logged
        assert logged.count("connector pbx1 is down") <= 1


def test_two_services_on_one_database_are_refused_with_the_remedy(config: Path) -> None:
    with _serving(config):
        second = _run("serve", "--config", config)
    assert second.returncode == 1
    assert "perezvon:" in second.stderr
    assert "Traceback" not in second.stderr


def test_people_and_tokens_are_made_beside_a_running_service(config: Path) -> None:
    with _serving(config) as (_, address):
        made = _run(
            "operator",
            "add",
            "anna",
            "--name",
            "Анна",
            "--role",
            "operator",
            "--extension",
            "101@pbx1",
            "--config",
            config,
        )
        assert made.returncode == 0, made.stderr
        assert "password: " in made.stdout
        again = _run("operator", "add", "anna", "--name", "Анна", "--role", "operator", "--config", config)
        assert again.returncode == 1
        assert "taken" in again.stderr
        token = _run(
            "token", "create", "--name", "crm", "--role", "admin", "--expires", "30", "--config", config
        )
        request = urllib.request.Request(
            f"{address}/api/v1/operators", headers={"Authorization": f"Bearer {token.stdout.strip()}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert [person["login"] for person in json.load(answer)["items"]] == ["anna"]
        assert "crm" in _run("token", "list", "--config", config).stdout
        assert _run("token", "revoke", "crm", "--config", config).returncode == 0
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(request, timeout=10)


def test_check_names_each_part_and_what_to_mend(config: Path) -> None:
    assert _run("migrate", "--config", config).returncode == 0
    checked = _run("check", "--config", config)
    assert checked.returncode == 1
    assert "ok    database" in checked.stdout
    assert "FAIL  connector pbx1: " in checked.stdout


def test_check_tells_whether_the_folder_of_recordings_can_be_read(config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "monitor"
    pbx = 'kind = "asterisk"\n'
    config.write_text(config.read_text().replace(pbx, f'{pbx}recordings_dir = "{folder}"\n'))
    assert f"FAIL  recordings of pbx1: {folder} is not there" in _run("check", "--config", config).stdout
    folder.mkdir()
    assert "ok    recordings of pbx1" in _run("check", "--config", config).stdout


def test_a_wrong_file_is_refused_with_every_mistake_and_its_line(config: Path) -> None:
    config.write_text(
        config.read_text() + '\n[[crm]]\nkind = "bitrix24"\nurl = "x"\ntoken = "y"\n\n[locle]\n'
    )
    refused = _run("serve", "--config", config)
    assert refused.returncode == os.EX_CONFIG
    assert "not in this version" in refused.stderr
    assert "locale" in refused.stderr
    assert "line" in refused.stderr


def test_a_client_base_is_rehearsed_brought_in_and_taken_out(config: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.csv"
    base.write_bytes("Имя;Телефон\nИван;89161234567\nМария;нет\n".encode("cp1251"))
    assert _run("migrate", "--config", config).returncode == 0
    with _serving(config):
        rehearsed = _run("import", "cards", base, "--dry-run", "--config", config)
        assert "1 would be created" in rehearsed.stdout
        brought = _run("import", "cards", base, "--config", config)
    assert brought.returncode == 1
    assert "line 3: refused: phone" in brought.stdout
    batch = brought.stdout.strip().rpartition(" ")[2]
    assert "1 cards taken out" in _run("import", "undo", batch, "--config", config).stdout


def test_a_backup_of_a_running_service_restores_into_an_empty_place_only(
    config: Path, tmp_path: Path
) -> None:
    with _serving(config):
        _run("operator", "add", "anna", "--name", "Анна", "--role", "operator", "--config", config)
        saved = _run("backup", tmp_path / "saved", "--config", config)
        assert saved.returncode == 0, saved.stderr
    refused = _run("restore", tmp_path / "saved", "--config", config)
    assert refused.returncode == 1
    (tmp_path / "data" / "perezvon.db").unlink()
    for leftover in (tmp_path / "data").glob("perezvon.db*"):
        leftover.unlink()
    restored = _run("restore", tmp_path / "saved", "--config", config)
    assert restored.returncode == 0, restored.stderr
    again = _run("operator", "add", "anna", "--name", "Анна", "--role", "operator", "--config", config)
    assert "taken" in again.stderr


def test_replay_prints_the_calls_of_a_recorded_stream_without_any_configuration(tmp_path: Path) -> None:
    replayed = subprocess.run(
        _command("replay", STREAMS / "direct.ami", STREAMS / "busy.ami"),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(STREAMS.parents[2])},
    )
    calls = [json.loads(line) for line in replayed.stdout.splitlines()]
    assert {call["disposition"] for call in calls} == {"answered", "busy"}
    assert [call["started_at"] for call in calls] == sorted(call["started_at"] for call in calls)
    assert all(call["card_id"] is None for call in calls)
    assert json.loads(replayed.stderr.splitlines()[-1]) == {
        "leftovers": {"channels": 0, "bridges": 0, "calls": 0}
    }
