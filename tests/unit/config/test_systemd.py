"""What systemd is told, over a real socket."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.systemd import READY, STOPPING, keep_watchdog, notify, watchdog_period


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(5)
        yield listening


def test_systemd_hears_that_the_service_is_ready_and_that_it_stops(manager: socket.socket) -> None:
    env = {"NOTIFY_SOCKET": manager.getsockname()}
    assert notify(READY, env)
    assert notify(STOPPING, env)
    assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"STOPPING=1"]


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")
        name = listening.getsockname().decode()
        listening.settimeout(5)
        assert notify(READY, {"NOTIFY_SOCKET": name.replace("\0", "@")})
        assert listening.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens() -> None:
    assert not notify(READY, {})
    assert not notify(READY, {"NOTIFY_SOCKET": "vsock:2:1234"})


def test_a_socket_that_is_gone_does_not_stop_the_service(tmp_path: Path) -> None:
    assert not notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_the_watchdog_is_fed_twice_in_its_time() -> None:
    assert watchdog_period({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}) == 15.0


@pytest.mark.parametrize(
    "env",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}],
)
async def test_nobody_watching_means_no_signs_of_life(env: dict[str, str]) -> None:
    await asyncio.wait_for(keep_watchdog(env), 5)


async def test_signs_of_life_go_on_while_the_loop_turns(manager: socket.socket) -> None:
    env = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "20000"}
    feeding = asyncio.create_task(keep_watchdog(env))
    manager.setblocking(False)
    loop = asyncio.get_running_loop()
    heard = [await asyncio.wait_for(loop.sock_recv(manager, 100), 5) for _ in range(3)]
    feeding.cancel()
    assert heard == [b"WATCHDOG=1"] * 3
