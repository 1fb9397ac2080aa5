"""Times into figures, and figures into a table."""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = b"\0" * 4096
_COMMITS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: `target` in words, `met` None where there is none."""

    bench: str
    what: str
    value: str
    target: str = ""
    met: bool | None = None


def ratio(bench: str, what: str, value: float, least: float | None = None) -> Figure:
    """A ratio, and the least that it should be."""
    if least is None:
        return Figure(bench, what, f"{value:.2f}")
    return Figure(bench, what, f"{value:.2f}", f"≥ {least}", value >= least)


def milliseconds(bench: str, what: str, seconds: Sequence[float], p99_most: float | None = None) -> Figure:
    """p50 and p99 of times given in seconds; `p99_most` in milliseconds."""
    p50, p99 = percentile(seconds, 50) * 1000, percentile(seconds, 99) * 1000
    value = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"
    if p99_most is None:
        return Figure(bench, what, value)
    return Figure(bench, what, value, f"p99 ≤ {p99_most:g} ms", p99 <= p99_most)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def commit_latency(folder: Path) -> list[float]:
    """Seconds of writing one page and waiting until the disk has it, time after time."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_COMMITS):
            began = time.perf_counter()
            os.pwrite(file.fileno(), PAGE, 0)
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return taken


def machine(bench: str, folder: Path) -> Figure:
    """The machine's commit latency now, which every absolute figure must be read beside."""
    return milliseconds(bench, "machine: write and fsync of one page", commit_latency(folder))


def table(figures: Sequence[Figure]) -> str:
    """The figures in Markdown."""
    rows = [("bench", "what", "figure", "target", "")]
    marks = {True: "ok", False: "MISSED", None: ""}
    rows += [(f.bench, f.what, f.value, f.target, marks[f.met]) for f in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)
