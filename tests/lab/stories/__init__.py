"""Calls with a story: each function plays one on a real PBX and returns what truly happened.

The truth is a list of business calls in order of start, each in the shape of the contract's Call, with only
those fields of which the player is sure. Times are what the phones were told to do: good to half a second.
"""

from tests.lab.stories import plain
from tests.lab.stories.stage import Stage, Story

DEMO: dict[str, Story] = {
    "direct": plain.direct,
    "queue-of-three": plain.queue_of_three,
    "busy": plain.busy,
    "abandoned": plain.abandoned,
    "internal": plain.internal,
    "outgoing": plain.outgoing,
}
"""The few that the demonstration plays."""

STORIES: dict[str, Story] = {}
"""All the others, for the tests."""

__all__ = ["DEMO", "STORIES", "Stage", "Story"]
