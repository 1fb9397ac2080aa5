"""Where the configuration comes from, and what overrides what."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from config.problems import ConfigError
from config.secret import Secret
from config.settings import QueueChannel, Settings
from connectors.asterisk.settings import AsteriskSettings
from connectors.registry import EMBEDDED, load_settings, parse_connector

PBX = """
[[connectors]]
kind = "asterisk"
name = "pbx-1"
username = "perezvon"
secret = "from the file"
trunks = ["PJSIP/trunk"]
"""


@pytest.fixture(autouse=True)
def _an_empty_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, env: Mapping[str, str] | None = None) -> Settings:
    file = Path("some.toml")
    file.write_text(text)
    return load_settings(file, env or {})


def pbx(settings: Settings) -> AsteriskSettings:
    (connector,) = settings.connectors
    assert isinstance(connector, AsteriskSettings)
    return connector


def test_without_any_file_the_embedded_defaults_hold() -> None:
    settings = load_settings(None, {})
    assert settings == Settings(connectors=(EMBEDDED,))
    assert settings.source is None
    assert settings.database.url.reveal() == "sqlite+aiosqlite:///var/perezvon.db"
    assert settings.server.public_url == "http://127.0.0.1:8080"


def test_the_file_is_looked_up_as_option_then_variable_then_here() -> None:
    for name, port in (("perezvon.toml", 1), ("variable.toml", 2), ("option.toml", 3)):
        Path(name).write_text(f"[server]\nport = {port}\n")
    env = {"PEREZVON_CONFIG": "variable.toml"}
    assert load_settings(Path("option.toml"), env).server.port == 3
    assert load_settings(None, env).server.port == 2
    assert load_settings(None, {}).server.port == 1
    assert load_settings(None, {"PEREZVON_CONFIG": ""}).source == Path("perezvon.toml")


@pytest.mark.parametrize("env", [{}, {"PEREZVON_CONFIG": "absent.toml"}])
def test_a_file_named_but_absent_is_refused(env: dict[str, str]) -> None:
    path = None if env else Path("absent.toml")
    with pytest.raises(ConfigError, match=r"absent\.toml:\n  cannot be read: No such file"):
        load_settings(path, env)


def test_the_public_url_follows_host_and_port() -> None:
    assert read('[server]\nhost = "::1"\nport = 9000\n').server.public_url == "http://[::1]:9000"
    assert read('[server]\npublic_url = "https://desk.example.org/"\n').server.public_url == (
        "https://desk.example.org"
    )


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    Path("some.toml").write_bytes(b"\xef\xbb\xbf[server]\r\nport = 81\r\n")
    assert load_settings(Path("some.toml"), {}).server.port == 81


def test_variables_override_by_path_without_a_file() -> None:
    env = {
        "PEREZVON_SERVER__PORT": "9000",
        "PEREZVON_SERVER__METRICS": "",
        "PEREZVON_SERVER__INSECURE_HTTP": "true",
        "PEREZVON_SERVER__TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
        "PEREZVON_PEOPLE__SESSION_IDLE_HOURS": "1.5",
        "PEREZVON_DATABASE__URL": "postgresql+asyncpg://u:p@127.0.0.1/perezvon",
        "PEREZVON_LOG__FORMAT": "json",
        "PEREZVON_HOME": "a variable of somebody else",
    }
    settings = load_settings(None, env)
    assert settings.server.port == 9000
    assert settings.server.metrics == ""
    assert settings.server.insecure_http is True
    assert settings.server.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8")
    assert settings.people.session_idle_hours == 1.5
    assert settings.database.url == Secret("postgresql+asyncpg://u:p@127.0.0.1/perezvon")
    assert settings.log.format == "json"


def test_variables_override_members_of_arrays_by_name() -> None:
    queue = '[[queues]]\nname = "support"\nservice_level = { voice = { target = 0.8, within_s = 20 } }\n'
    env = {
        "PEREZVON_CONNECTORS__PBX_1__SECRET": "from the environment",
        "PEREZVON_CONNECTORS__PBX_1__TRUNKS": '["PJSIP/a", "PJSIP/bc"]',
        "PEREZVON_QUEUES__SUPPORT__SERVICE_LEVEL__VOICE__TARGET": "0.9",
    }
    settings = read(PBX + queue, env)
    assert pbx(settings).secret.reveal() == "from the environment"
    assert pbx(settings).trunks == ("PJSIP/a", "PJSIP/bc")
    assert settings.queues[0].service_level[QueueChannel.VOICE].target == 0.9


def test_the_longest_name_that_fits_a_variable_is_meant() -> None:
    two = PBX + PBX.replace('"pbx-1"', '"pbx-1__spare"')
    settings = read(two, {"PEREZVON_CONNECTORS__PBX_1__SPARE__PORT": "5039"})
    assert [(c.name, c.port) for c in settings.connectors if isinstance(c, AsteriskSettings)] == [
        ("pbx-1", 5038),
        ("pbx-1__spare", 5039),
    ]


def test_a_variable_that_fits_two_names_is_refused() -> None:
    with pytest.raises(ConfigError, match="PBX_1__PORT means both pbx-1 and pbx_1"):
        read(PBX + PBX.replace("pbx-1", "pbx_1"), {"PEREZVON_CONNECTORS__PBX_1__PORT": "1"})


def test_a_variable_for_a_connector_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="PEREZVON_CONNECTORS__PBX2__SECRET names no member"):
        read(PBX, {"PEREZVON_CONNECTORS__PBX2__SECRET": "x"})


def test_a_secret_comes_from_its_file_without_the_line_end() -> None:
    Path("secret").write_text("  p4ss word\n")
    assert pbx(read(PBX.replace("secret = ", 'secret_file = "secret" #'))).secret.reveal() == "p4ss word"


def test_a_secret_file_from_the_environment_wins_over_a_secret_in_the_file() -> None:
    Path("secret").write_text("mounted")
    env = {"PEREZVON_CONNECTORS__PBX_1__SECRET_FILE": "secret"}
    assert pbx(read(PBX, env)).secret.reveal() == "mounted"
    env = {"PEREZVON_DATABASE__URL_FILE": "secret"}
    Path("secret").write_text("sqlite+aiosqlite:////srv/perezvon.db\n")
    assert load_settings(None, env).database.url.reveal() == "sqlite+aiosqlite:////srv/perezvon.db"


def test_a_secret_in_the_environment_wins_over_a_secret_file_in_the_file() -> None:
    text = PBX.replace("secret = ", 'secret_file = "absent" #')
    env = {"PEREZVON_CONNECTORS__PBX_1__SECRET": "direct"}
    assert pbx(read(text, env)).secret.reveal() == "direct"


def test_settings_that_this_version_does_not_use_are_noticed() -> None:
    settings = read(PBX + 'fastagi = "127.0.0.1:4573"\noutbound_context = "from-internal"\n')
    assert "connectors.pbx-1.fastagi: not in this version; ignored" in settings.notices
    assert "connectors.pbx-1.outbound_context: not in this version; ignored" in settings.notices


def test_a_secret_on_its_way_in_clear_is_noticed() -> None:
    settings = read(PBX + 'host = "pbx.example.org"\n')
    assert any(n.startswith("connectors.pbx-1.tls: the secret crosses the network") for n in settings.notices)


def test_a_file_with_secrets_that_everybody_may_read_is_noticed() -> None:
    Path("some.toml").write_text(PBX)
    Path("some.toml").chmod(0o644)
    assert any("everybody" in notice for notice in load_settings(Path("some.toml"), {}).notices)
    Path("some.toml").chmod(0o640)
    assert load_settings(Path("some.toml"), {}).notices == ()


def test_a_connector_kept_elsewhere_is_judged_alike() -> None:
    table = {"kind": "asterisk", "name": "pbx2", "username": "u", "secret": "s"}
    assert parse_connector(table) == AsteriskSettings(
        kind="asterisk", name="pbx2", username="u", secret=Secret("s")
    )
    with pytest.raises(ConfigError) as refused:
        parse_connector({**table, "port": "5038", "tsl": True})
    assert {problem.path for problem in refused.value.problems} == {
        "connectors.pbx2.port",
        "connectors.pbx2.tsl",
    }
