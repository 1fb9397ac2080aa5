"""Locks the dependencies with hashes for every Python and platform: `make lock`.

Needs `uv` on the PATH (a developer's tool, nothing of the set-up uses it). The files hold no addresses.
"""

import subprocess
import sys
from collections.abc import Sequence

COMMON = (
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
    "--no-header",
    "--quiet",
)
FILES: dict[str, tuple[str, ...]] = {
    "requirements.lock": ("--group", "build"),
    "requirements-dev.lock": ("--group", "dev"),
    "requirements-bench.lock": ("--group", "dev", "--group", "bench"),
}


def main(arguments: Sequence[str]) -> None:
    """Compile each lock file; further arguments go to uv (such as `--upgrade`)."""
    for name, groups in FILES.items():
        command = ["uv", "pip", "compile", *COMMON, "--python-version", "3.11", "pyproject.toml"]
        subprocess.run([*command, *groups, "--output-file", name, *arguments], check=True)  # noqa: S603


if __name__ == "__main__":
    main(sys.argv[1:])
