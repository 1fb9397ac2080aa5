"""Places the calls of `tests/lab/stories` on a real Asterisk and keeps what it wrote to its files of records.

    python -m tests.lab.record_sources [STORY...]

Each story is played on a PBX of its own; `tests/transcripts/records/STORY` then holds `cdr.csv`, `cel.csv`
and `queue_log` as the PBX wrote them, the stream of its manager interface in the same run (`stream.ami`, of
the user that the product has), and `expect.json`: what truly happened.
"""

import asyncio
import json
import sys
from pathlib import Path

from tests.lab.asterisk.config import FULL, NARROW
from tests.lab.asterisk.pbx import Pbx, asterisk, stop
from tests.lab.asterisk.phones import phones
from tests.lab.record_streams import REPOSITORY, SIDE_BY_SIDE
from tests.lab.stories import DEMO, STORIES, Stage, Story

RECORDS = REPOSITORY / "tests" / "transcripts" / "records"


async def record(name: str, story: Story) -> None:
    """Play one story and write its records and its truth."""
    async with (
        asterisk() as pbx,
        phones(pbx) as street,
        pbx.session(NARROW) as narrow,
        pbx.session(FULL) as full,
    ):
        truth = await story(Stage(pbx, street, full))
        await full.idle()
        await full.quiet()
        await narrow.quiet()
        stream = bytes(narrow.raw)
        await stop(pbx)
        await asyncio.to_thread(_keep, RECORDS / name, pbx, stream, truth)


def _keep(folder: Path, pbx: Pbx, stream: bytes, truth: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, as_ in ((pbx.cdr, "cdr.csv"), (pbx.cel, "cel.csv"), (pbx.queue_log, "queue_log")):
        (folder / as_).write_bytes(path.read_bytes() if path.exists() else b"")
    (folder / "stream.ami").write_bytes(stream)
    text = json.dumps(truth, ensure_ascii=False, indent=1)
    (folder / "expect.json").write_text(text + "\n")


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
