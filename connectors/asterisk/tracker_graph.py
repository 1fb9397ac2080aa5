"""The graph: which channels, bridges and calls there are, and who hears whom.

A linkedid alone is no key of a call: it changes on live channels and a picked-up call never shares one. So
a track owns a set of linkedids, and two tracks become one when a dial, a bridge, a transfer or a pick-up
ties them.
"""

from collections.abc import Iterator

from connectors.asterisk.tracker_model import MANY, Bridge, Leg, Track, room
from connectors.asterisk.tracker_names import half


class Graph:
    """All live channels, bridges and calls of one PBX."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, Bridge] = {}
        self.names: dict[str, Leg] = {}
        """Live channels by name; no two have the same."""
        self.tracks: dict[str, Track] = {}
        """Every linkedid of a live call."""
        self._halves: dict[str, Leg] = {}

    def calls(self) -> Iterator[Track]:
        """Each live call once."""
        return iter({id(t): t for t in self.tracks.values()}.values())

    def adopt(self, track: Track, linkedid: str) -> None:
        """From now on `linkedid` means this call."""
        if len(track.linkedids) < MANY:
            track.linkedids.add(linkedid)
            self.tracks[linkedid] = track

    def add(self, leg: Leg) -> None:
        """A new channel."""
        self.legs[leg.id] = leg
        self.names[leg.name] = leg
        leg.track.legs[leg.id] = leg
        room(leg.track.seen, leg.id)
        if leg.local:
            self._pair(leg)

    def rename(self, leg: Leg, name: str | None) -> None:
        """The channel is called `name` now, None: nothing any more."""
        if self.names.get(leg.name) is leg:
            del self.names[leg.name]
        if name is not None:
            self.names[name] = leg
            leg.name = name

    def _pair(self, leg: Leg) -> None:
        key = half(leg.name)
        other = self._halves.pop(key, None)
        if other is None:
            self._halves[key] = leg
        else:
            leg.peer, other.peer = other, leg

    def remove(self, leg: Leg) -> None:
        """The channel is gone; it must have left its bridge."""
        self.legs.pop(leg.id, None)
        self.rename(leg, None)
        leg.track.legs.pop(leg.id, None)
        if leg.local:
            self._halves.pop(half(leg.name), None)
            if leg.peer is not None:
                leg.peer.peer = None
                leg.peer = None

    def forget(self, track: Track) -> None:
        """The call is over: nothing of it stays."""
        for linkedid in track.linkedids:
            if self.tracks.get(linkedid) is track:
                del self.tracks[linkedid]

    def put(self, leg: Leg, id_: str, holding: bool, now: float) -> Bridge:
        """The channel into the bridge."""
        bridge = self.bridges.get(id_)
        if bridge is None:
            bridge = self.bridges[id_] = Bridge(id_, holding, now)
        bridge.members[leg.id] = leg
        leg.bridge = bridge
        return bridge

    def take(self, leg: Leg) -> None:
        """The channel out of its bridge."""
        bridge = leg.bridge
        if bridge is None:
            return
        leg.bridge = None
        bridge.members.pop(leg.id, None)
        if not bridge.members:
            self.bridges.pop(bridge.id, None)


def people(bridge: Bridge | None) -> list[Leg]:
    """The people who hear each other: the connected component of bridges, Local channels removed."""
    if bridge is None or bridge.holding:
        return []
    found: list[Leg] = []
    bridges = [bridge]
    for current in bridges:
        for leg in current.members.values():
            if leg.person:
                found.append(leg)
            elif leg.peer is not None:
                beyond = leg.peer.bridge
                if beyond is not None and not beyond.holding and beyond not in bridges:
                    bridges.append(beyond)
    return found
