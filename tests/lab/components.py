"""What the machine must offer before a test can speak to real software, and how its absence is told.

Lab servers live under our own cache (`$PEREZVON_CACHE`, default `~/.cache/perezvon`); only Chromium
and ffmpeg are installed into the host: a browser cannot live elsewhere, and ffmpeg is looked for there.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest


class Unavailable(Exception):
    """A real component cannot be had here; the message is one line that says why."""


def require(reason: str) -> NoReturn:
    """Skip the running test with `reason`; where `PEREZVON_REQUIRE_COMPONENTS=1` (CI), fail it instead."""
    if os.environ.get("PEREZVON_REQUIRE_COMPONENTS") == "1":
        pytest.fail(f"required component is missing: {reason}", pytrace=False)
    pytest.skip(reason)


def lab_cache() -> Path:
    """The folder in which lab servers are built once and kept; made when absent.

    Raises `Unavailable` when it cannot be made.
    """
    root = Path(os.environ.get("PEREZVON_CACHE") or Path.home() / ".cache" / "perezvon") / "lab"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"no place for lab servers: {error}") from None
    return root


def run(argv: Sequence[str], *, what: str, timeout_s: float = 600) -> str:
    """Run a set-up command and return its standard output.

    Raises `Unavailable` with `what` and the command's last line when it fails or takes too long.
    """
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what}: not done after {timeout_s:.0f} s") from None
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit {done.returncode}").splitlines()
        raise Unavailable(f"{what}: {lines[-1]}")
    return done.stdout


def install(package: str, program: str) -> str:
    """Path of `program`; installs the Debian `package` that holds it when absent and we are root.

    Raises `Unavailable` when it is neither here nor to be had.
    """
    found = shutil.which(program)
    if found is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise Unavailable(f"{program} is not installed, and installing it needs root and apt-get")
        run(["apt-get", "update", "-q"], what="apt-get update")
        run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", package],
            what=f"installing {package}",
        )
        found = shutil.which(program)
    if found is None:
        raise Unavailable(f"the package {package} holds no {program}")
    return found


def ffmpeg() -> str:
    """Path of ffmpeg; installed when absent and we are root. Raises `Unavailable` with the reason."""
    return install("ffmpeg", "ffmpeg")


def chromium() -> str:
    """Path of a Chromium browser; Debian's package is installed when absent and we are root.

    Raises `Unavailable` with the reason when there is none.
    """
    for program in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(program)
        if found is not None:
            return found
    return install("chromium", "chromium")
