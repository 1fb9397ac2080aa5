"""Places the calls of `tests/lab/stories` on a real Asterisk and keeps what its manager interface said.

    python -m tests.lab.record_streams [STORY...]

Each story is played on a PBX of its own and written to `STORY.ami`: the raw stream as received after the
login, event blocks separated by blank lines, CR LF kept, nothing dropped. The AMI user has the read classes
`call,agent,system` and an eventfilter against CEL, which is what a product user should have
(`config.RECORDER`); stories listed in FULL_TOO also give `STORY.full.ami`, read with class `all`.

The demonstration's streams go to `gateway/demo/streams`, the others to `tests/transcripts/ami`, each with
`STORY.expect.json` beside it in `tests/transcripts/ami`: what truly happened.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from tests.lab.asterisk.config import FULL, RECORDER
from tests.lab.asterisk.pbx import asterisk
from tests.lab.asterisk.phones import phones
from tests.lab.stories import DEMO, STORIES, Stage, Story

REPOSITORY = Path(__file__).resolve().parents[2]
STREAMS = REPOSITORY / "gateway" / "demo" / "streams"
TRANSCRIPTS = REPOSITORY / "tests" / "transcripts" / "ami"
FULL_TOO = {"direct", "voicemail", "menu-then-queue", "attended-transfer", "forged-headers"}
SIDE_BY_SIDE = 3
"""PBXs at once: each is idle most of the time."""


async def record(name: str, story: Story) -> None:
    """Play one story and write its stream and its truth."""
    began = time.monotonic()
    async with (
        asterisk() as pbx,
        phones(pbx) as street,
        pbx.session(RECORDER) as narrow,
        pbx.session(FULL) as full,
    ):
        truth = await story(Stage(pbx, street, full))
        await full.idle()
        await full.quiet()
        await narrow.quiet()
        stream, everything = bytes(narrow.raw), bytes(full.raw)
    (STREAMS if name in DEMO else TRANSCRIPTS).joinpath(f"{name}.ami").write_bytes(stream)
    if name in FULL_TOO:
        (TRANSCRIPTS / f"{name}.full.ami").write_bytes(everything)
    text = json.dumps(truth, ensure_ascii=False, indent=1)
    (TRANSCRIPTS / f"{name}.expect.json").write_text(text + "\n")
    sys.stdout.write(f"{name}: {len(stream)} of {len(everything)} bytes, {time.monotonic() - began:.1f} s\n")


async def main(names: list[str]) -> int:
    """Record the stories named, or all; 1 when one of them could not be played."""
    stories = DEMO | STORIES
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    failed: list[str] = []

    async def one(name: str) -> None:
        async with gate:
            try:
                await record(name, stories[name])
            except (TimeoutError, RuntimeError, ValueError, ConnectionError) as error:
                failed.append(name)
                sys.stdout.write(f"{name}: FAILED: {error!r}\n")

    async with asyncio.TaskGroup() as group:
        for name in names or stories:
            group.create_task(one(name), name=name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
