"""A chroot with Asterisk 22 and SIPp, built once from the Debian mirror that the host itself uses.

Debian 12 has no asterisk package, but its archive does: debootstrap's script for `sid` builds `forky`, whose
packages are Asterisk 22 and SIPp 3.8. About a minute and 620 MB, kept in the cache between runs.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab.components import Unavailable, install, lab_cache, run

NAME = "asterisk22"
RELEASE = "forky"
PACKAGES = ("asterisk", "asterisk-core-sounds-en-wav", "asterisk-moh-opsound-wav", "curl", "sip-tester")

# Where a run's own folders appear inside the chroot: the places an administrator knows.
MOUNTS = {
    "etc": "/etc/asterisk",
    "spool": "/var/spool/asterisk",
    "log": "/var/log/asterisk",
    "lib": "/var/lib/asterisk",
    "run": "/run/asterisk",
    "sipp": "/srv/sipp",
}


def chroot() -> Path:
    """The chroot's folder; builds it when absent, one process at a time.

    Raises `Unavailable` with a one-line reason when it cannot be built here.
    """
    if os.geteuid() != 0:
        raise Unavailable("the Asterisk lab needs root (chroot and mount namespaces)")
    target = lab_cache() / NAME
    with _locked(lab_cache() / f"{NAME}.lock"):
        if not target.is_dir():
            _build(target)
        elif not (target / "usr/bin/curl").exists():
            _complete(target)
    return target


def inside(root: Path, run_dir: Path, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` in the chroot, with `run_dir`'s folders mounted over the usual places.

    Mounts and host name live in namespaces of the process, so nothing is left behind however it ends; `exec`
    keeps the process id that of the program itself. The network is the host's: address loopback only.
    """
    mounts = [f"mount --bind {run_dir / name} {root}{place}" for name, place in MOUNTS.items()]
    script = " && ".join(
        [
            "echo pbx > /proc/sys/kernel/hostname",
            *mounts,
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
            f'exec chroot {root} "$@"',
        ]
    )
    return ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", script, "sh", *argv]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(target: Path) -> None:
    debootstrap = install("debootstrap", "debootstrap")
    mirror = _debian_mirror()
    part = Path(tempfile.mkdtemp(prefix=f"{NAME}.part-", dir=target.parent))
    part.chmod(0o755)
    try:
        run(
            [debootstrap, "--variant=minbase", *_extra_packages(mirror), RELEASE, str(part), mirror, "sid"],
            what=f"debootstrap of Debian {RELEASE}",
        )
        _prepare(part)
        run(_apt_install(part), what="installing Asterisk into the chroot")
        _furnish(part)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _complete(root: Path) -> None:
    """Add what a chroot built earlier lacks."""
    _prepare(root)
    try:
        # A release in the making is signed for some days only; this machine's clock may be past them.
        update = ["apt-get", "update", "-q", "-o", "Acquire::Check-Valid-Until=false"]
        run(_in_chroot(root, update), what="apt-get update in the chroot")
        run(_apt_install(root), what="installing into the chroot")
    finally:
        _furnish(root)


def _debian_mirror() -> str:
    """The address of the Debian archive in the host's apt sources, or in `$PEREZVON_DEBIAN_MIRROR`."""
    named = os.environ.get("PEREZVON_DEBIAN_MIRROR")
    if named:
        return named
    show = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(SITE)", "Created-By: Packages"]
    for refresh in (False, True):
        if refresh:
            run(["apt-get", "update", "-q"], what="apt-get update")
        for line in run(show, what="reading apt sources").splitlines():
            origin, label, site = line.split(" ", 2)
            if origin == label == "Debian" and site:
                return site
    raise Unavailable("apt sources name no Debian archive (PEREZVON_DEBIAN_MIRROR may name one)")


def _extra_packages(mirror: str) -> list[str]:
    return ["--include=ca-certificates"] if mirror.startswith("https:") else []


def _prepare(root: Path) -> None:
    """Let apt find the mirror from inside, and keep package scripts from starting services."""
    for name in ("resolv.conf", "hosts"):
        shutil.copyfile(Path("/etc") / name, root / "etc" / name)
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def _apt_install(root: Path) -> list[str]:
    apt = [
        "apt-get",
        "install",
        "-y",
        "-q",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-unsafe-io",
    ]
    return _in_chroot(root, [*apt, *PACKAGES])


def _in_chroot(root: Path, argv: Sequence[str]) -> list[str]:
    script = f'mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root} "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *argv]


def _furnish(root: Path) -> None:
    """Name the loopback, empty the download cache, and make the places on which a run's folders are mounted.

    Without these names Asterisk asks the DNS in every SIP session and blocks for 5 s each time.
    """
    (root / "etc/hosts").write_text("127.0.0.1 localhost pbx pbx.localdomain A.ROOT-SERVERS.NET\n")
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (root / "etc/hostname").write_text("pbx\n")
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
    for place in MOUNTS.values():
        (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
