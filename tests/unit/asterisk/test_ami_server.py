"""The stand-in PBX behaves as the real one does, as far as a client can tell (seen on Asterisk 22.10)."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.demo.ami_server import AmiServer
from gateway.demo.playback import load_file, messages, rewrite

STREAMS = Path(__file__).parents[3] / "gateway/demo/streams"
QUEUE = load_file(STREAMS / "queue-of-three.ami")
Answer = dict[str, str]


class Client:
    """A plain AMI client that shares no code with the product's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, **headers: str) -> Answer:
        self._writer.write(
            "".join(f"{key}: {value}\r\n" for key, value in headers.items()).encode() + b"\r\n"
        )
        return await self.next()

    async def next(self) -> Answer:
        async with asyncio.timeout(5):
            (headers,) = messages(await self._reader.readuntil(b"\r\n\r\n"))
        return dict(headers)

    async def until(self, event: str) -> list[Answer]:
        found = [await self.next()]
        while found[-1].get("Event") != event:
            found.append(await self.next())
        return found

    async def list(self, complete: str, **headers: str) -> list[Answer]:
        first = await self.ask(**headers)
        assert first["EventList"] == "start"
        *items, end = await self.until(complete)
        assert end["ListItems"] == str(len(items))
        return items

    async def closed(self) -> bool:
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                return await self._reader.read() == b""
        return True


@contextlib.asynccontextmanager
async def client(
    pbx: AmiServer, username: str | None = "perezvon", events: str = "on"
) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.port)
    assert await reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
    one = Client(reader, writer)
    try:
        if username:
            answer = await one.ask(
                Action="Login", Username=username, Secret="right", Events=events, ActionID="1"
            )
            assert answer == {"Response": "Success", "ActionID": "1", "Message": "Authentication accepted"}
        yield one
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_who_has_class_system_hears_that_the_pbx_is_up(pbx: AmiServer) -> None:
    async with client(pbx) as one:
        booted = await one.next()
        assert (booted["Event"], booted["Uptime"]) == ("FullyBooted", "0")
    async with client(pbx, "no-system") as one:
        assert (await one.ask(Action="Ping"))["Ping"] == "Pong"


async def test_a_wrong_password_is_refused_and_the_connection_closed(pbx: AmiServer) -> None:
    async with client(pbx, None) as one:
        answer = await one.ask(Action="Login", Username="perezvon", Secret="wrong", ActionID="7")
        assert answer == {"Response": "Error", "ActionID": "7", "Message": "Authentication failed"}
        assert await one.closed()


@pytest.mark.parametrize(("secret", "response"), [("right", "Success"), ("wrong", "Error")])
async def test_login_by_challenge(pbx: AmiServer, secret: str, response: str) -> None:
    async with client(pbx, None) as one:
        challenge = (await one.ask(Action="Challenge", AuthType="MD5"))["Challenge"]
        key = hashlib.md5((challenge + secret).encode()).hexdigest()
        answer = await one.ask(Action="Login", AuthType="MD5", Username="perezvon", Key=key)
        assert answer["Response"] == response


async def test_before_login_everything_is_denied(pbx: AmiServer) -> None:
    async with client(pbx, None) as one:
        assert (await one.ask(Action="Ping"))["Message"] == "Permission denied"


async def test_an_empty_write_list_denies_channels_but_not_queues(pbx: AmiServer) -> None:
    async with client(pbx, "no-write") as one:
        await one.next()
        assert (await one.ask(Action="CoreShowChannels"))["Message"] == "Permission denied"
        assert (await one.ask(Action="Status"))["Message"] == "Permission denied"
        assert await one.list("QueueStatusComplete", Action="QueueStatus") == []


async def test_an_unknown_action_is_an_error(pbx: AmiServer) -> None:
    async with client(pbx) as one:
        await one.next()
        assert "unknown command" in (await one.ask(Action="Originate"))["Message"]


@pytest.mark.parametrize(
    ("username", "events", "names"),
    [
        ("perezvon", "on", {"Newchannel", "QueueCallerJoin"}),
        ("perezvon", "call", {"Newchannel"}),
        ("perezvon", "off", set()),
        ("no-call", "on", {"QueueCallerJoin"}),
    ],
)
async def test_events_go_to_whose_classes_and_mask_allow(
    pbx: AmiServer, username: str, events: str, names: set[str]
) -> None:
    async with client(pbx, username, events) as one:
        await pbx.play(rewrite(QUEUE, pbx.numbering, time.time()), paced=False)
        answer = {"Event": ""}
        heard = set()
        pong = asyncio.create_task(one.ask(Action="Ping"))
        while "Ping" not in answer:
            answer = await (pong if not pong.done() else one.next())
            heard.add(answer.get("Event"))
    assert heard & {"Newchannel", "QueueCallerJoin"} == names


async def test_channels_queues_and_waits_follow_the_stream(pbx: AmiServer) -> None:
    events = rewrite(QUEUE, pbx.numbering, time.time())
    names = [event.headers[0][1] for event in events]
    async with client(pbx, events="off") as one:
        for event in events[: names.index("AgentCalled") + 1]:
            pbx.emit(event.headers)
        caller, called = await one.list("CoreShowChannelsComplete", Action="CoreShowChannels")
        assert (caller["Channel"], caller["ChannelStateDesc"]) == ("PJSIP/trunk-00000000", "Up")
        assert (caller["Application"], caller["BridgeId"]) == ("Queue", "")
        assert called["Channel"] == "PJSIP/101-00000001"
        (status,) = await one.list("StatusComplete", Action="Status", Channel=caller["Uniqueid"])
        assert (status["DNID"], status["Seconds"]) == ("74951000400", "0")
        rows = await one.list("QueueStatusComplete", Action="QueueStatus")
        (entry,) = (row for row in rows if row["Event"] == "QueueEntry")
        assert (entry["Queue"], entry["Uniqueid"], entry["Position"]) == ("400", caller["Uniqueid"], "1")
        joined = len(names) - names[::-1].index("BridgeEnter")
        for event in events[names.index("AgentCalled") + 1 : joined]:
            pbx.emit(event.headers)
        talking = [
            r for r in await one.list("CoreShowChannelsComplete", Action="CoreShowChannels") if r["BridgeId"]
        ]
        assert {row["Channel"][:9] for row in talking} == {"PJSIP/tru", "PJSIP/102"}
        for event in events[joined:]:
            pbx.emit(event.headers)
        assert await one.list("CoreShowChannelsComplete", Action="CoreShowChannels") == []
        (summary,) = (
            row
            for row in await one.list("QueueSummaryComplete", Action="QueueSummary")
            if row["Queue"] == "400"
        )
        assert (summary["LoggedIn"], summary["Callers"]) == ("3", "0")
        gone = await one.ask(Action="Status", Channel=caller["Uniqueid"])
        assert gone["Message"] == "No such channel"


async def test_a_paced_round_takes_its_time_and_a_flat_one_does_not(pbx: AmiServer) -> None:
    length = QUEUE[-1].at - QUEUE[0].at
    async with asyncio.timeout(5):
        began = time.monotonic()
        await pbx.play(rewrite(QUEUE, pbx.numbering, time.time(), speed=length / 0.3))
        paced = time.monotonic() - began
        await pbx.play(rewrite(QUEUE, pbx.numbering, time.time()), paced=False)
    assert paced >= 0.29
    assert time.monotonic() - began - paced < 0.29 + length / 10


async def test_a_client_that_does_not_read_is_cut_off_and_slows_nobody(pbx: AmiServer) -> None:
    pbx.slow_client_bytes = 1 << 20
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.port, limit=1)
    assert await reader.readexactly(1) == b"A"
    (session,) = pbx.sessions
    pbx.inject(b"x" * (32 << 20))
    async with asyncio.timeout(5):
        await session.over.wait()
    async with client(pbx) as one:
        assert (await one.next())["Event"] == "FullyBooted"
    writer.close()
    with contextlib.suppress(ConnectionError):
        await reader.read()


async def test_it_never_listens_beyond_this_machine() -> None:
    with pytest.raises(ValueError, match="loopback"):
        await AmiServer().start("0.0.0.0")
