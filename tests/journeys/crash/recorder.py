"""The process that fetches and encodes recordings: `python -m tests.journeys.crash.recorder URL SPOOL FILES`.

It says "begun" when its tasks run, and goes on until it is killed.
"""

import asyncio
import sys

from config.secret import Secret
from config.settings import Settings, Storage
from connectors.asterisk.settings import AsteriskSettings
from gateway.services import recordings_steps, recordings_tasks
from gateway.store.engine import open_store
from gateway.supervise import Supervisor
from recordings import encoder
from recordings.collector import Patience

QUICK = Patience(look_s=0.05, look_everywhere_s=1.0, still_s=0.05, still_unknown_s=30.0)


async def main(url: str, spool: str, files: str) -> None:
    """Run the tasks for ever. A claim of a former life lapses within a second."""
    recordings_steps.TTL_S = 1.0
    encoder.HOLD_S = 0.3
    pbx = AsteriskSettings(
        kind="asterisk", name="pbx1", username="x", secret=Secret("x"), recordings_dir=spool
    )
    settings = Settings(storage=Storage(url=f"file://{files}"), connectors=(pbx,))
    store = await open_store(url)
    supervisor = Supervisor()
    for name, run in recordings_tasks.tasks(store, settings, "the only one", QUICK):
        supervisor.add(name, run)
    print("begun", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3]))
