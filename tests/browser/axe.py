"""The rules of axe-core, tried on an open page."""

from pathlib import Path
from typing import Any

from tests.browser.desk import Desk

AXE = Path(__file__).parents[2] / "desk" / "node_modules" / "axe-core" / "axe.min.js"


async def violations(desk: Desk) -> list[str]:
    """What is wrong on the page as it stands, each with its rule."""
    # The page's own policy forbids scripts put in from outside, so this runs in the page's console.
    if not await desk.page.evaluate("'axe' in window"):
        await desk.page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = await desk.page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
