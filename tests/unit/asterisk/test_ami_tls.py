"""AMI over TLS: a private CA, certificates that must be refused, and settings that do not fit the PBX."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from connectors.asterisk.actions import ping
from connectors.asterisk.ami import Link, Timing, Wanted, connect
from connectors.asterisk.settings import AsteriskSettings
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from gateway.domain.errors import NeedsAdministrator, TemporaryFailure

SettingsTo = Callable[..., AsteriskSettings]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    """A private CA."""
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    """Its certificate in a file."""
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(ca: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert(name).configure_cert(context)
    return context


@asynccontextmanager
async def tls_pbx(ca: trustme.CA, name: str = "127.0.0.1") -> AsyncIterator[AmiServer]:
    async with AmiServer(AmiUser("perezvon", "right"), tls=server_context(ca, name)) as server:
        yield server


@asynccontextmanager
async def link_to(settings: AsteriskSettings, timing: Timing) -> AsyncIterator[Link]:
    async with connect(settings, Wanted(), clock=lambda: datetime.now(UTC), timing=timing) as link:
        yield link


async def test_a_private_ca_is_trusted_when_it_is_named(
    ca: trustme.CA, ca_file: str, settings_to: SettingsTo, timing: Timing
) -> None:
    async with tls_pbx(ca) as pbx, link_to(settings_to(pbx, tls=True, ca_file=ca_file), timing) as link:
        assert (await link.action(ping()))["Ping"] == "Pong"


async def test_a_private_ca_is_not_trusted_unnamed(
    ca: trustme.CA, settings_to: SettingsTo, timing: Timing
) -> None:
    async with tls_pbx(ca) as pbx:
        with pytest.raises(NeedsAdministrator, match="is not trusted") as refusal:
            async with link_to(settings_to(pbx, tls=True), timing):
                pass
        assert "ca_file" in refusal.value.remedy
        assert pbx.sessions == set()


async def test_a_certificate_of_another_ca_is_refused(
    ca_file: str, settings_to: SettingsTo, timing: Timing
) -> None:
    async with tls_pbx(trustme.CA()) as pbx:
        with pytest.raises(NeedsAdministrator, match="is not trusted"):
            async with link_to(settings_to(pbx, tls=True, ca_file=ca_file), timing):
                pass


async def test_a_certificate_for_another_host_is_refused(
    ca: trustme.CA, ca_file: str, settings_to: SettingsTo, timing: Timing
) -> None:
    async with tls_pbx(ca, "pbx.example.org") as pbx:
        with pytest.raises(NeedsAdministrator, match="is not trusted"):
            async with link_to(settings_to(pbx, tls=True, ca_file=ca_file), timing):
                pass


async def test_tls_to_a_plain_port_says_so(
    ca_file: str, pbx: AmiServer, settings_to: SettingsTo, timing: Timing
) -> None:
    with pytest.raises(NeedsAdministrator, match="does not speak TLS") as refusal:
        async with link_to(settings_to(pbx, tls=True, ca_file=ca_file), timing):
            pass
    assert "tlsenable = yes" in refusal.value.remedy


async def test_plain_to_a_tls_port_fails_without_waiting_for_ever(
    ca: trustme.CA, settings_to: SettingsTo, timing: Timing
) -> None:
    async with tls_pbx(ca) as pbx:
        with pytest.raises(TemporaryFailure, match="does not answer the login"):
            async with link_to(settings_to(pbx), timing):
                pass


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_useless_ca_file_is_named(
    content: str | None, tmp_path: Path, pbx: AmiServer, settings_to: SettingsTo, timing: Timing
) -> None:
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content)
    with pytest.raises(NeedsAdministrator, match=f"ca_file {path} cannot be used"):
        async with link_to(settings_to(pbx, tls=True, ca_file=str(path)), timing):
            pass
