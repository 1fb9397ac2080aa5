"""What holds for all tests."""

import asyncio


def pytest_configure() -> None:
    """Keep pytest-asyncio from making an event loop that nobody closes.

    It asks for the thread's loop before each test and puts it back; where none was ever set, the asking makes
    one, and its unclosed sockets then fail whichever test the garbage collector comes by.
    """
    asyncio.set_event_loop(None)
