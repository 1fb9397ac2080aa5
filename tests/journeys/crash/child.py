"""The process that takes contacts in: `python -m tests.journeys.crash.child URL CONTACTS FIRST_BATCH`.

It says `FIRST_BATCH + n` on its output when so many batches are durable. Whoever starts it again names the
last number heard: what was not acknowledged comes again, as from a PBX.
"""

import asyncio
import sys

from gateway.services.intake import VoiceIntake
from gateway.store.engine import open_store
from tests.journeys.crash import source


async def main(url: str, contacts: int, first: int) -> None:
    """Take in everything from the batch `first` on."""
    store = await open_store(url)
    intake = VoiceIntake(store)
    print(first, flush=True)
    for done, batch in enumerate(source.batches(contacts), start=1):
        if done > first:
            await intake.calls_happened(batch)
            print(done, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
