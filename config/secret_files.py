"""Secrets given as files: `NAME_file` beside a secret `NAME`, as container and systemd credentials come."""

from pathlib import Path
from typing import Any

from config.environ import Given
from config.problems import Place, Report


def read_secret_files(table: dict[str, Any], secrets: list[str], place: Place, report: Report) -> set[str]:
    """Replace each `NAME_file` in `table` by `NAME` with the file's contents, blanks at its ends taken away.

    Gives the names whose file could not be had; `report` says why.
    """
    unreadable = set()
    for name in secrets:
        key = f"{name}_file"
        if key not in table:
            continue
        if name in table:
            text = None
            _refuse(report, place.inside(key), f"{name} is given as well", f"keep one of {name} and {key}")
        else:
            text = _contents(table[key], place.inside(key), report)
        if text is None:
            unreadable.add(name)
        else:
            table[name] = text
            if (line := report.line(place.inside(key))) is not None:
                report.lines.setdefault(place.inside(name).keys, line)
        del table[key]
    return unreadable


def _contents(given: object, place: Place, report: Report) -> str | None:
    path = given.text if isinstance(given, Given) else given
    if not isinstance(path, str):
        _refuse(report, place, "wanted a path", 'write "/path/of/the/file"')
        return None
    try:
        text = Path(path).read_text("utf-8").strip()
    except OSError as error:
        message, remedy = f"cannot read {path}: {error.strerror}", "let the service's user read the file"
    except ValueError:
        message, remedy = f"{path!r} holds no UTF-8 text", "write the secret as plain text into the file"
    else:
        if text:
            return text
        message, remedy = f"{path} is empty", "write the secret into the file"
    _refuse(report, place, message, remedy)
    return None


def _refuse(report: Report, place: Place, message: str, remedy: str) -> None:
    report.refuse(place, message, remedy, line=place.keys in report.lines)
