"""The service with a channel of messages, as a process: `... crash.channel URL FOLDER PORT HOOK`.

It says "ready" on its output when it serves.
"""

import asyncio
import sys

from config.secret import Secret
from config.settings import Database, Queue, QueueChannel, Server, Settings, Storage
from connectors.json.settings import JsonSettings
from gateway import app

SECRET = "a secret that nobody guesses"
QUEUE = Queue(name="support", channels=(QueueChannel.CHAT,))


def settings(url: str, folder: str, port: int, hook: int) -> Settings:
    """Of the service: it listens on `port` and posts replies to `hook`."""
    shop = JsonSettings(
        kind="json",
        name="shop",
        queue="support",
        secret=Secret(SECRET),
        webhook=f"http://127.0.0.1:{hook}/hook",
    )
    return Settings(
        server=Server(port=port, metrics=""),
        database=Database(url=Secret(url)),
        storage=Storage(url=f"file:{folder}"),
        connectors=(shop,),
        queues=(QUEUE,),
    )


async def main(url: str, folder: str, port: int, hook: int) -> None:
    """Serve until killed."""
    async with app.running(settings(url, folder, port, hook)):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
