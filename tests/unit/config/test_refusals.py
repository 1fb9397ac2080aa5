"""What is refused at start: each with its path, its line and a remedy, all at once."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.problems import ConfigError, Problem
from connectors.registry import load_settings

PBX = '[[connectors]]\nkind = "asterisk"\nname = "pbx1"\nusername = "u"\nsecret = "top-secret"\n'
QUEUE = '[[queues]]\nname = "support"\n'


def problems(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> tuple[Problem, ...]:
    file = tmp_path / "perezvon.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_settings(file, env or {})
    return refused.value.problems


ONE_MISTAKE = [
    ("[server]\nprot = 1\n", "server.prot", 2, "unknown key", 'did you mean "port"?'),
    ("[serfer]\n", "serfer", 1, "unknown key", 'did you mean "server"?'),
    ("[connector]\n", "connector", 1, "unknown key", 'did you mean "connectors"?'),
    ("\n[connectors]\n", "connectors", 2, "wanted an array", "[[connectors]]"),
    ("[queues]\n", "queues", 1, "wanted a list, got a table", "[[queues]]"),
    ("[[server]]\n", "server", 1, "wanted a table, got a list", "{ ... }"),
    ("server.port = '80'\n", "server.port", 1, "wanted a whole number, got text", "without quotes"),
    ("[server]\nport = true\n", "server.port", 2, "wanted a whole number, got true or false", "1"),
    ("[server]\nport = 80.0\n", "server.port", 2, "wanted a whole number, got a number", "1"),
    ("[server]\nport = 2026-11-24\n", "server.port", 2, "got a date", "1"),
    ("[server]\nport = 0\n", "server.port", 2, "out of range", "from 1 to 65535"),
    ("[server]\nport = 65536\n", "server.port", 2, "out of range", "from 1 to 65535"),
    ("[server]\ninsecure_http = 1\n", "server.insecure_http", 2, "wanted true or false", "true"),
    ('[server]\nhost = "127.0.0.1:80"\n', "server.host", 2, "is no host", "without port"),
    ('[server]\nhost = "192.0.2.1"\n', "server.host", 2, "plain HTTP", "insecure_http = true"),
    ('[server]\npublic_url = "http://desk.example.org"\n', "server.public_url", 2, "plain HTTP", "https://"),
    ('[server]\npublic_url = "https://x.org/desk"\n', "server.public_url", 2, "path", "host name of its own"),
    ('[server]\npublic_url = "desk.example.org"\n', "server.public_url", 2, "no web address", "https://"),
    ('[server]\nhost = "0.0.0.0"\ninsecure_http = true\n', "server.host", 2, "no address for", "public_url"),
    ('[server]\nmetrics = "9464"\n', "server.metrics", 2, "is no address", "host:port"),
    ('[server]\ntrusted_proxies = ["a"]\n', "server.trusted_proxies[0]", 2, "no IP address", "10.0.0.0/8"),
    ('[server]\nhost = "a\\nb"\n', "server.host", 2, "line break", "take it out"),
    ('[database]\nurl = "postgres://h/x"\n', "database.url", 2, "'postgres'", "postgresql+asyncpg://"),
    ('[database]\nurl = "sqlite+aiosqlite:///:memory:"\n', "database.url", 2, "needs a file", "four slashes"),
    ('[database]\nurl = "postgresql+asyncpg://h"\n', "database.url", 2, "no database", "host/name"),
    ('[storage]\nurl = "s3://bucket"\n', "storage.url", 2, "not in this version", "file:///"),
    ('[storage]\nurl = "/var/lib"\n', "storage.url", 2, "no storage", "file:///"),
    (
        '[storage]\nencryption_key_file = "k"\n',
        "storage.encryption_key_file",
        2,
        "not in this version",
        "away",
    ),
    ('[locale]\ncountry = "RUS"\n', "locale.country", 2, "no country", "ISO 3166"),
    ('[locale]\ncountry = "ru"\n', "locale.country", 2, "no country", "capital"),
    ('[locale]\nlanguage = "de"\n', "locale.language", 2, "no choice", "ru, en"),
    ('[locale]\ntimezone = "Moscow"\n', "locale.timezone", 2, "no time zone", "Europe/Moscow"),
    ('[locale]\ntimezone = "../etc"\n', "locale.timezone", 2, "no time zone", "Europe/Moscow"),
    ('[log]\nlevel = "warn"\n', "log.level", 2, "no choice", 'did you mean "warning"?'),
    ("[people]\nsession_idle_hours = 48\n", "people.session_idle_hours", 2, "longer than", "at most"),
    ("[people]\nsession_idle_hours = 0\n", "people.session_idle_hours", 2, "out of range", "above 0"),
    ('[[crm]]\nkind = "bitrix24"\n', "crm", 1, "not in this version", "away"),
    (PBX + PBX, "connectors.pbx1.name", 8, "stands in line 3 already", "name of its own"),
    (PBX.replace("pbx1", "PBX 1"), "connectors.PBX 1.name", 3, "does not fit", "small letters"),
    (PBX + "queue = 'Über'\n", "connectors.pbx1.queue", 6, "does not fit", "small letters"),
    (PBX + "port = 99999\n", "connectors.pbx1.port", 6, "out of range", "65535"),
    (PBX + "ca_file = 'x.pem'\n", "connectors.pbx1.ca_file", 6, "tls is off", "tls = true"),
    (PBX + "interface = 'PJSIP/101'\n", "connectors.pbx1.interface", 6, "no dial string", "{extension}"),
    (PBX + "trunks = 'PJSIP/trunk'\n", "connectors.pbx1.trunks", 6, "wanted a list", "[...]"),
    (PBX + "trunks = ['trunk']\n", "connectors.pbx1.trunks[0]", 6, "does not fit", "PJSIP/trunk"),
    (PBX + "fastagi = '4573'\n", "connectors.pbx1.fastagi", 6, "is no address", "host:port"),
    (PBX.replace('"top-secret"', '""'), "connectors.pbx1.secret", 5, "is empty", ""),
    (
        "[[connectors]]\nkind = 'asterisk'\nname = 'p'\nsecret = 's'\n",
        "connectors.p.username",
        1,
        "missing",
        "",
    ),
    ("[[connectors]]\nname = 'p'\n", "connectors.p.kind", 1, "is missing", 'kind = "..."'),
    ("[[connectors]]\nkind = 'asterics'\nname = 'p'\n", "connectors.p.kind", 2, "no kind", '"asterisk"?'),
    ("[[connectors]]\nkind = 'email'\nname = 'p'\n", "connectors.p.kind", 2, "not in this version", "away"),
    ("connectors = [1]\n", "connectors[0]", 1, "wanted a table", "{ ... }"),
    (QUEUE + QUEUE, "queues.support.name", 4, "stands in line 2 already", "name of its own"),
    (
        QUEUE + 'distribution = "perezvon"\n',
        "queues.support.distribution",
        3,
        "not in this version",
        "asterisk",
    ),
    (QUEUE + 'channels = ["voise"]\n', "queues.support.channels[0]", 3, "no choice", '"voice"?'),
    (QUEUE + 'hours = "Mo-Fr 9-18"\n', "queues.support.hours", 3, "neither days nor times", "Mon-Fri"),
    (QUEUE + 'pbx_queues = ["400"]\n', "queues.support.pbx_queues[0]", 3, "does not fit", "pbx1/400"),
    (
        QUEUE + "service_level = { voice = { target = 80, within_s = 20 } }\n",
        "queues.support.service_level.voice.target",
        3,
        "out of range",
        "at most 1",
    ),
    (
        QUEUE + "[queues.service_level.voice]\ntarget = 0.8\n",
        "queues.support.service_level.voice.within_s",
        3,
        "is missing",
        "within_s = 1.0",
    ),
    (
        QUEUE + "service_level = { email = { target = 0.8, within_s = 20 } }\n",
        "queues.support.service_level",
        3,
        "does not serve",
        'add "email" to channels',
    ),
    (
        QUEUE + "service_level = { sms = { target = 0.8, within_s = 20 } }\n",
        "queues.support.service_level.sms",
        3,
        "no choice",
        "voice",
    ),
]


@pytest.mark.parametrize(("text", "path", "line", "message", "remedy"), ONE_MISTAKE)
def test_a_mistake_is_told_with_path_line_and_remedy(
    tmp_path: Path, text: str, path: str, line: int, message: str, remedy: str
) -> None:
    (problem,) = problems(tmp_path, text)
    assert (problem.path, problem.line) == (path, line)
    assert message in problem.message
    assert remedy in problem.remedy
    assert problem.remedy


def test_all_mistakes_of_all_sections_are_told_at_once_in_order_of_lines(tmp_path: Path) -> None:
    text = (
        '[server]\nprot = 1\nport = "x"\nhost = "192.0.2.1"\n' + PBX + "prot = 1\n" + QUEUE + "hours = 'x'\n"
    )
    found = problems(tmp_path, text, {"PEREZVON_LOG__LEVEL": "loud", "PEREZVON_FOO__BAR": "1"})
    assert [(p.path, p.line) for p in found] == [
        ("server.prot", 2),
        ("server.port", 3),
        ("server.host", 4),
        ("connectors.pbx1.prot", 10),
        ("queues.support.hours", 13),
        ("foo", None),
        ("log.level", None),
    ]


def test_the_error_prints_as_a_list_to_work_through(tmp_path: Path) -> None:
    file = tmp_path / "perezvon.toml"
    file.write_text('[server]\nport = "80"\n')
    with pytest.raises(ConfigError) as refused:
        load_settings(file, {"PEREZVON_LOG__LEVEL": "warn"})
    assert str(refused.value) == (
        f"2 problems in {file}:\n"
        "  line 2: server.port: wanted a whole number, got text\n"
        "      -> write it without quotes\n"
        "  log.level: 'warn' is no choice (from PEREZVON_LOG__LEVEL)\n"
        '      -> did you mean "warning"?'
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [("[server]\nport = \n", 2), ("a = 1\na = 2\n", 2), ("[server\n", 1), ('x = "abc\n', 1), ("x = [1,", 1)],
)
def test_a_mistake_in_the_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.line == line
    assert problem.message.startswith("is no TOML: ")


def test_a_file_that_is_no_text_is_refused_with_the_line(tmp_path: Path) -> None:
    file = tmp_path / "perezvon.toml"
    file.write_bytes(b'[server]\nhost = "\xcf\xf0"\n')
    with pytest.raises(ConfigError) as refused:
        load_settings(file, {})
    assert [(p.line, p.message) for p in refused.value.problems] == [(2, "is no UTF-8 text")]


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_text(" \n"), "is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "no UTF-8 text"),
    ],
)
def test_an_unreadable_secret_file_is_told_by_name(tmp_path: Path, prepare: object, message: str) -> None:
    path = tmp_path / "the-secret"
    prepare(path)  # type: ignore[operator]
    (problem,) = problems(tmp_path, PBX.replace('secret = "top-secret"', f'secret_file = "{path}"'))
    assert (problem.path, problem.line) == ("connectors.pbx1.secret_file", 5)
    assert str(path) in problem.message
    assert message in problem.message


def test_a_secret_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, PBX + 'secret_file = "x"\n')
    assert problem.path == "connectors.pbx1.secret_file"
    assert problem.remedy == "keep one of secret and secret_file"


def test_an_ill_secret_from_a_file_is_blamed_on_the_line_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "the-secret"
    path.write_text("two\nlines")
    (problem,) = problems(tmp_path, PBX.replace('secret = "top-secret"', f'secret_file = "{path}"'))
    assert problem.line == 5
    assert "two" not in str(ConfigError([problem]))


@settings(deadline=None)
@given(st.text("QZX789@:/'\"\\% ", min_size=8).map(lambda text: f"Q{text}Z"))
def test_no_refusal_repeats_a_secret(tmp_path_factory: pytest.TempPathFactory, secret: str) -> None:
    env = {
        "PEREZVON_DATABASE__URL": f"mysql://root:{secret}@h",
        "PEREZVON_CONNECTORS__PBX1__SECRET": f"{secret}\n",
    }
    found = problems(tmp_path_factory.getbasetemp(), PBX, env)
    assert [problem.path for problem in found] == ["connectors.pbx1.secret", "database.url"]
    assert secret not in str(ConfigError(found))
