"""Log lines: shape, and what is never in them."""

import io
import json
import logging
import sys
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.log import set_up
from config.scrub import Scrubber
from config.secret import Secret
from config.settings import Log, LogFormat, LogLevel

log = logging.getLogger("perezvon.test")
Lines = Callable[[], str]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:], root.level = handlers, level
    root.setLevel(level)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(False)


def started(
    *secrets: str, format: LogFormat = LogFormat.JSON, level: LogLevel = LogLevel.INFO, mask: bool = False
) -> Lines:
    stream = io.StringIO()
    set_up(Log(format=format, level=level, mask_numbers=mask), secrets, stream)
    return stream.getvalue


def one(lines: Lines) -> dict[str, Any]:
    (line,) = lines().splitlines()
    read = json.loads(line)
    assert isinstance(read, dict)
    return read


def test_a_json_line_has_time_level_logger_message_and_the_extra_values() -> None:
    lines = started()
    log.info(
        "call %s began", "c1", extra={"pbx": "pbx1", "wait_s": 4.2, "rang": ("101", "102"), "none": None}
    )
    line = one(lines)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "perezvon.test",
        "message": "call c1 began",
        "pbx": "pbx1",
        "wait_s": 4.2,
        "rang": ["101", "102"],
        "none": None,
    }


def test_a_text_line_reads_well() -> None:
    lines = started(format=LogFormat.TEXT)
    log.warning("link lost", extra={"pbx": "pbx1", "reason": 'no "answer"', "empty": ""})
    assert lines().partition(" ")[2] == (
        'WARNING perezvon.test: link lost pbx=pbx1 reason="no \\"answer\\"" empty=""\n'
    )


def test_an_extra_value_cannot_take_the_place_of_the_lines_own() -> None:
    lines = started()
    log.info("true", extra={"level": "critical", "at": "never"})
    line = one(lines)
    assert (line["level"], line["extra_level"], line["extra_at"]) == ("info", "critical", "never")


def test_lines_below_the_level_are_not_written_not_even_libraries() -> None:
    lines = started(level=LogLevel.ERROR)
    log.warning("no")
    logging.getLogger("sqlalchemy.engine").warning("no")
    logging.getLogger("httpx").error("yes")
    assert one(lines)["message"] == "yes"


def test_requests_of_libraries_are_not_told_even_at_debug() -> None:
    lines = started(level=LogLevel.DEBUG)
    logging.getLogger("httpx").info("GET https://api.telegram.org/bot123:x/getMe")
    assert lines() == ""


def raise_with(secret: str) -> None:
    try:
        raise ValueError(f"login with {secret!r} refused")
    except ValueError as error:
        raise RuntimeError(f"again with {secret}") from error


@pytest.mark.parametrize("format", list(LogFormat))
@settings(deadline=None)
@given(secret=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf"]), min_size=8))
def test_a_known_secret_is_in_no_line_however_it_got_there(format: LogFormat, secret: str) -> None:
    secret = f"Q{secret}Z"
    lines = started(secret, format=format)
    log.info("plain %s and %r", secret, secret)
    log.info(f"in the message {secret}")  # noqa: G004 - what a careless library does
    log.info(
        "extra",
        extra={"value": secret, "nested": {"a": [secret, {secret}]}, secret: 1, "o": Exception(secret)},
    )
    log.info("dumped %s", json.dumps({"x": secret}))
    log.info("bytes", extra={"raw": secret.encode()})
    try:
        raise_with(secret)
    except RuntimeError:
        log.exception("failed")
    written = lines()
    for spelling in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        assert spelling not in written
    assert "Traceback" in written
    assert "***" in written


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    lines = started("abc")
    log.info("secret abc in the alphabet abcdef")
    assert one(lines)["message"] == "secret *** in the alphabet abcdef"


def test_a_secret_learnt_later_is_hidden_too() -> None:
    stream = io.StringIO()
    set_up(Log(), (), stream).add(["learnt-later"])
    log.info("it is learnt-later")
    assert "learnt-later" not in stream.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer Sesame123",
        "authorization: basic Sesame123",
        "{'Authorization': 'Bearer Sesame123'}",
        "sent bearer Sesame123",
        "Action: Login\r\nUsername: u\r\nSecret: Sesame123\r\n",
        "?token=Sesame123&x=1",
        'password="Sesame123"',
        '{"api_key": "Sesame123"}',
        "Cookie: a=1; session=Sesame123",
        "postgresql+asyncpg://perezvon:Sesame123@db/perezvon",
        "https://api.telegram.org/bot123456789:Sesame123Sesame123Sesame123/getMe",
        "AMI_SECRET=Sesame123",
    ],
)
def test_what_looks_like_a_secret_is_hidden_without_being_known(text: str) -> None:
    lines = started()
    log.info("got %s", text, extra={"seen": text})
    assert "Sesame123" not in lines()


@pytest.mark.parametrize("key", ["secret", "token", "bot_token", "password", "Authorization", "cookie"])
def test_an_extra_value_of_a_telling_name_is_hidden(key: str) -> None:
    lines = started()
    log.info("x", extra={key: "Sesame123", "headers": {key: "Sesame123"}})
    assert "Sesame123" not in lines()


def test_the_secret_type_itself_prints_nothing() -> None:
    lines = started()
    log.info("x %s", Secret("Sesame123"), extra={"value": Secret("Sesame123")})
    assert "Sesame123" not in lines()


@pytest.mark.parametrize("format", list(LogFormat))
def test_a_callers_name_forges_no_line_and_turns_no_text_round(format: LogFormat) -> None:
    lines = started(format=format)
    name = "Eve\r\n2026-11-24T00:00:00.000Z ERROR x: forged\u202e\x1b[31m\x00\u2028\ud800"
    log.info("call from %s", name, extra={"caller": name})
    try:
        raise ValueError(name)
    except ValueError:
        log.exception("failed")
    written = lines()
    written.encode()
    assert not set("\u202e\x1b\x00\u2028\r") & set(written)
    assert not any(line.startswith("2026-11-24T00:00:00.000Z") for line in written.splitlines())


def test_numbers_are_kept_by_default() -> None:
    lines = started()
    log.info("call from +74951234567")
    assert one(lines)["message"] == "call from +74951234567"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("from +74951234567.", "from +74*******67."),
        ("8 (916) 123-45-67 rang", "8 (9**) ***-**-67 rang"),
        ("sip:79161234567@pbx", "sip:79*******67@pbx"),
        ("'89161234567', 101", "'89*******67', 101"),
        ("extension 101, cause 16, in 61.0 s", "extension 101, cause 16, in 61.0 s"),
        ("linkedid 1763800000.12", "linkedid 1763800000.12"),
        ("at 2026-11-24T09:15:04.120Z", "at 2026-11-24T09:15:04.120Z"),
        ("PJSIP/trunk-0000001a", "PJSIP/trunk-0000001a"),
        ("port 127.0.0.1:5038", "port 127.0.0.1:5038"),
    ],
)
def test_masked_numbers_keep_two_digits_at_each_end(text: str, masked: str) -> None:
    lines = started(mask=True)
    log.info("%s", text, extra={"seen": [text]})
    assert (one(lines)["message"], one(lines)["seen"]) == (masked, [masked])


@given(st.uuids())
def test_masking_leaves_ids_as_they_are(value: uuid.UUID) -> None:
    assert Scrubber(mask_numbers=True).text(f"card {value} opened") == f"card {value} opened"


def test_a_line_that_cannot_be_made_is_told_without_its_contents() -> None:
    lines = started()
    log.info("one %s", "Sesame", "Sesame123")
    assert "log line lost" in lines()
    assert "Sesame" not in lines()


def test_uncaught_exceptions_and_warnings_become_clean_lines() -> None:
    lines = started("Sesame123")
    try:
        raise_with("Sesame123")
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=raise_with, args=["Sesame123"], name="worker")
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old Sesame123", stacklevel=1)
    written = [json.loads(line) for line in lines().splitlines()]
    assert [line["level"] for line in written] == ["critical", "critical", "warning"]
    assert "worker" in written[1]["message"]
    assert "Sesame123" not in lines()
