"""Log lines on standard error: text for people or JSON for collectors, cleaned by `config.scrub`.

Modules use the standard library alone: `logging.getLogger(__name__)`, lazy arguments, and `extra={...}` for
values that somebody may search for. Libraries' loggers end in the same handler.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from config.scrub import Scrubber
from config.settings import Log, LogFormat

_OWN = ("at", "level", "logger", "message", "exception", "stack")
"""Keys of a line; an extra value of such a name is called `extra_NAME`."""
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_QUIET = ("aiohttp.access", "aiosqlite", "asyncpg", "httpcore", "httpx", "panoramisk", "sqlalchemy.engine")
"""Libraries that tell of each request, below WARNING, with addresses that hold tokens."""


def set_up(log: Log, secrets: Iterable[str] = (), stream: TextIO | None = None) -> Scrubber:
    """Send every log line of the process to `stream` (standard error) as `log` says, without `secrets`.

    Uncaught exceptions and warnings become log lines too. Gives the scrubber, for secrets learnt later.
    """
    scrubber = Scrubber(secrets, mask_numbers=log.mask_numbers)
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(log.format, scrubber))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(log.level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable
    return scrubber


class LineFormatter(logging.Formatter):
    """One record as one line; only a traceback in text format takes more, each indented."""

    def __init__(self, shape: LogFormat, scrubber: Scrubber) -> None:
        super().__init__()
        self._shape = shape
        self._scrubber = scrubber

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        fields = self._fields(record)
        if self._shape is LogFormat.JSON:
            return json.dumps(fields, ensure_ascii=False)
        return _as_text(fields)

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC)
        fields: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._scrubber.text(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                name = f"extra_{key}" if key in _OWN else self._scrubber.text(key)
                fields[name] = self._scrubber.value(key, value)
        if record.exc_info and record.exc_info[0]:
            fields["exception"] = self._scrubber.text(self.formatException(record.exc_info), keep_lines=True)
        if record.stack_info:
            fields["stack"] = self._scrubber.text(record.stack_info, keep_lines=True)
        return fields


def _as_text(fields: dict[str, Any]) -> str:
    below = [fields.pop(key) for key in ("exception", "stack") if key in fields]
    head = (
        f"{fields.pop('at')} {fields.pop('level').upper():7} {fields.pop('logger')}: {fields.pop('message')}"
    )
    extras = [f"{key}={_quoted(value)}" for key, value in fields.items()]
    # Indented, so that no text inside a traceback can pass for a line of its own.
    return "\n    ".join([" ".join([head, *extras]), *(line for text in below for line in text.splitlines())])


def _quoted(value: object) -> str:
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and (not plain or set(plain) & set(' "=\\')):
        return json.dumps(plain, ensure_ascii=False)
    return plain


class _Handler(logging.StreamHandler[TextIO]):
    """Tells of a line that cannot be written without printing what was in it, as the standard one would."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            return
        self.stream.write(f"log line lost: {record.pathname}:{record.lineno}: {type(error).__name__}\n")


def _log_uncaught(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None, /
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("perezvon").critical("uncaught exception", exc_info=(kind, error, traceback))


def _log_thread(args: threading.ExceptHookArgs, /) -> None:
    if args.exc_value is not None:
        name = args.thread.name if args.thread else "?"
        info = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger("perezvon").critical("uncaught exception in thread %s", name, exc_info=info)


def _log_unraisable(args: "sys.UnraisableHookArgs", /) -> None:
    info = (args.exc_type, args.exc_value, args.exc_traceback) if args.exc_value else None
    logging.getLogger("perezvon").error("exception that could not be raised: %s", args.err_msg, exc_info=info)
