"""What administrators are told is true: the files of deploy/asterisk, each class, TLS with a private CA."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from config.secret import Secret
from connectors.asterisk.connector import check
from connectors.asterisk.settings import AsteriskSettings
from gateway.domain.calls import Call, CallState, Disposition
from gateway.domain.ports import LinkState
from tests.fakes.books import Books, Lights
from tests.lab.asterisk.chroot import MOUNTS
from tests.lab.asterisk.config import FULL, LACKING, NARROW, READ, AmiUser
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx, asterisk
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Talk
from tests.lab.components import Unavailable, require
from tests.lab.following import following, settings_to

DEPLOY = Path(__file__).parents[2] / "deploy" / "asterisk"
DOCS = Path(__file__).parents[2] / "docs"
CLIENT, WAITING, MAIL, QUEUED = "79161234567", "79161230001", "79161230002", "79161230003"
DOCUMENTED = replace(NARROW, secret="a-long-random-secret")


@contextlib.asynccontextmanager
async def booted_with(files: dict[str, str]) -> AsyncIterator[Pbx]:
    """A PBX with these files in its folder of configuration instead of the lab's own."""
    try:
        async with asterisk(files) as running:
            yield running
    except Unavailable as reason:
        require(str(reason))


def manager(text: str) -> dict[str, str]:
    """That file on the lab's own port; the lab's other users besides, one of whom watches it boot."""
    return {"manager.conf": text.replace("port = 5038", "port = {ami}") + "\n#include lab_users.conf\n"}


async def test_asterisk_with_our_very_files_is_followed_as_the_page_says() -> None:
    files = {
        **manager((DEPLOY / "manager.conf").read_text()),
        "extensions.conf": (DEPLOY / "extensions.conf").read_text(),
        "queues.conf": (DEPLOY / "queues.conf").read_text(),
    }
    books = Books()
    async with booted_with(files) as pbx:
        assert await check(settings_to(pbx, DOCUMENTED)) == []
        async with phones(pbx) as street, following(pbx, books, user=DOCUMENTED):
            await street.rings("101", Ring(0.5), Answer(), Talk(), calls=2)
            for other in ("102", "103"):
                await street.rings(other, Refuse(486))
            await street.client_rings(Ring(0.5), Answer(), Talk())
            own = await street.client_dials(did("101"), Caller(CLIENT), Talk(0.5), HangUp())
            await own.done()
            queued = await street.client_dials(did("400"), Caller(CLIENT), Talk(1.5), HangUp())
            await queued.done()
            out = await street.dials("102", "79265550142", Talk(0.5), HangUp())
            await out.done()
            await books.until(lambda books: len(books.ended) == 3)
        made = {file.name for file in pbx.recordings.iterdir()}
    calls = sorted(books.ended, key=lambda call: call.started_at)
    assert [(c.direction, c.queue, c.disposition) for c in calls] == [
        ("in", None, Disposition.ANSWERED),
        ("in", "support", Disposition.ANSWERED),
        ("out", None, Disposition.ANSWERED),
    ]
    for call in calls:
        (recording,) = call.recordings
        assert Path(recording).name == f"{call.linkedid}.wav"
        assert Path(recording).name in made


async def test_the_dialplans_filter_keeps_forged_lines_out_of_all_that_follows_it() -> None:
    files = manager((DEPLOY / "manager.conf").read_text()) | {
        "extensions.conf": (DEPLOY / "extensions.conf").read_text()
    }
    async with booted_with(files) as pbx, phones(pbx) as street, pbx.session(DOCUMENTED) as ami:
        await street.rings("101", Answer(), Talk())
        number = f"{CLIENT}%0d%0aEvent%3a%20Hangup%0d%0aX-Forged%3a%20yes"
        client = await street.client_dials(did("101"), Caller(number), Talk(0.5), HangUp())
        await client.done()
        await ami.event("Hangup")
        await ami.quiet()
        forged = [event["Event"] for event in ami.events if "X-Forged" in event]
    # What is written until the filter has done its work: the birth, and the filter's own step.
    assert forged[0] == "Newchannel"
    assert set(forged) <= {"Newchannel", "VarSet", "Newexten"}
    assert len(forged) <= 3 < len(ami.events)


async def test_freepbx_which_writes_manager_conf_itself_takes_our_file_besides() -> None:
    generated = (
        "[general]\nenabled = yes\nport = 5038\nbindaddr = 127.0.0.1\ndisplayconnects = no\n"
        "#include manager_additional.conf\n#include manager_custom.conf\n"
    )
    files = {
        **manager(generated),
        "manager_additional.conf": "",
        "manager_custom.conf": (DEPLOY / "freepbx-manager_custom.conf").read_text(),
    }
    async with booted_with(files) as pbx:
        assert await check(settings_to(pbx, DOCUMENTED)) == []
        async with phones(pbx) as street, pbx.session(DOCUMENTED) as ami:
            await street.client_dials(did("300"), Caller(CLIENT), Talk(0.1), HangUp())
            assert float((await ami.event("Newchannel"))["Timestamp"]) > 0


@pytest.mark.parametrize("name", [None, *LACKING])
async def test_without_a_class_its_feature_fails_and_check_names_it_with_the_line(
    pbx: Pbx, name: str | None
) -> None:
    user = LACKING[name] if name else NARROW
    kind = "write" if name == "reporting" else "read"
    problems = await check(settings_to(pbx, user))
    assert [bool(re.search(rf"`{kind} = [a-z,]*\b{name}\b", one)) for one in problems] == [True] * bool(name)

    works = await features(pbx, user, LinkState.NEEDS_ADMINISTRATOR if name else LinkState.UP)
    gone = {what for what, is_there in works.items() if not is_there}
    # Without calls there is no voicemail either.
    assert gone == ({name} | ({"dialplan"} if name == "call" else set()) if name else set())


async def features(pbx: Pbx, user: AmiUser, state: LinkState) -> dict[str, bool]:
    """What that user makes possible, by the class that it is said to need."""
    books, lights = Books(), Lights()

    def known() -> dict[str | None, Call]:
        return {call.from_.raw: call for call in books.calls.values()}

    async with phones(pbx) as street, pbx.session(FULL) as ami:
        await street.client_dials(did("403"), Caller(WAITING), Talk())
        await ami.event("QueueCallerJoin")
        async with following(pbx, books, lights, user, until=state):
            on_attaching = set(known())
            await street.rings("101", Refuse(486))
            mail = await street.client_dials(did("601"), Caller(MAIL), Talk(1), HangUp())
            await ami.event("Newexten", Application="VoiceMail")
            queued = await street.client_dials(did("403"), Caller(QUEUED), Talk(1.5), HangUp())
            await mail.done()
            await queued.done()
            await books.until(
                lambda books: len(books.ended) == 2 or (QUEUED in known() and "call" in user.name)
            )
    spoke, waited = known().get(MAIL), known().get(QUEUED)
    return {
        "system": "restarts" not in lights.told[-1][1],
        "call": spoke is not None and spoke.state is CallState.ENDED,
        "agent": waited is not None and waited.queue == "403",
        "dialplan": spoke is not None and spoke.disposition is Disposition.VOICEMAIL,
        "reporting": WAITING in on_attaching,
    }


def test_the_page_names_each_class_that_was_tried_here() -> None:
    page = (DOCS / "asterisk.md").read_text()
    table = page.partition("| class |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(?:read|write) = (\w+)`", table, re.MULTILINE)) == set(LACKING)
    for file in ("manager.conf", "freepbx-manager_custom.conf"):
        text = (DEPLOY / file).read_text()
        assert f"\nread = {','.join(READ)}\n" in text
        assert f"\nwrite = {NARROW.write}\n" in text


@contextlib.asynccontextmanager
async def tls_pbx(ca: trustme.CA) -> AsyncIterator[Pbx]:
    """A PBX that speaks TLS by the lines of our file, with a certificate of that CA."""
    text = (DEPLOY / "manager.conf").read_text()
    text = re.sub(r"^;(tls\w+ = )", r"\1", text, flags=re.MULTILINE)
    text = text.replace("192.0.2.5:5039", "127.0.0.1:{ami_tls}").replace("/etc/asterisk/keys", MOUNTS["etc"])
    cert = ca.issue_cert("127.0.0.1")
    files = manager(text) | {
        "ami.crt": b"".join(pem.bytes() for pem in cert.cert_chain_pems).decode(),
        "ami.key": cert.private_key_pem.bytes().decode(),
    }
    async with booted_with(files) as pbx:
        yield pbx


def over_tls(pbx: Pbx, ca_file: Path | None) -> AsteriskSettings:
    return replace(
        settings_to(pbx, DOCUMENTED),
        port=pbx.ports.ami_tls,
        tls=True,
        ca_file=str(ca_file) if ca_file else None,
        secret=Secret(DOCUMENTED.secret),
    )


async def test_ami_over_tls_with_a_private_ca(tmp_path: Path) -> None:
    ours, other = trustme.CA(), trustme.CA()
    for name, ca in (("ours", ours), ("other", other)):
        ca.cert_pem.write_to_path(str(tmp_path / name))
    async with tls_pbx(ours) as pbx:
        assert await check(over_tls(pbx, tmp_path / "ours")) == []
        for wrong in (tmp_path / "other", None):
            (problem,) = await check(over_tls(pbx, wrong))
            assert "is not trusted" in problem
            assert "name the PBX's CA in ca_file of connector 'pbx1'" in problem
        (problem,) = await check(replace(over_tls(pbx, tmp_path / "ours"), port=pbx.ports.ami))
        assert "does not speak TLS" in problem
