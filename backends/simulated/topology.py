"""The network of a datacenter: a tree of switches with hosts and storage at its leaves.

A way between two places goes up to their nearest common switch and down again, so it is found by
climbing, at most five steps on either side, and never by a search. `Topology.graph()` is the same network for
networkx. Bandwidths are bytes per second in each direction, latencies seconds one way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx as nx

from backends.simulated.datacenter import GBIT, Edge
from backends.simulated.flows import Channel, Flows


class Place:
    """A switch, host or storage node, with the link that leads up from it."""

    __slots__ = ("bandwidth", "children", "cuts", "depth", "down", "kind", "latency", "name", "parent", "up")

    def __init__(self, name: str, kind: str, parent: Place | None, edge: Edge) -> None:
        self.name = name
        self.kind = kind
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.bandwidth = edge.gbps * GBIT
        self.latency = edge.latency_us * 1e-6
        self.up = Channel(f"{name}^", self.bandwidth)
        self.down = Channel(f"{name}v", self.bandwidth)
        self.cuts = 0
        """How many faults hold the link up from here cut."""
        self.children: list[Place] = []
        if parent is not None:
            parent.children.append(self)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


class Topology:
    """Places by name, and ways between them. The root is the backbone that joins zones."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows
        self.root = Place("backbone", "backbone", None, Edge(gbps=0, latency_us=0))
        self._places: dict[str, Place] = {self.root.name: self.root}
        self.cut_places: dict[Place, None] = {}
        """Those whose link up is cut."""

    def add(self, name: str, kind: str, parent: Place, edge: Edge) -> Place:
        """A new place under `parent`. Raises ValueError for a name that is taken."""
        if name in self._places:
            raise ValueError(f"the network has a {self._places[name].kind} {name} already")
        place = Place(name, kind, parent, edge)
        self._places[name] = place
        return place

    def __getitem__(self, name: str) -> Place:
        """The place of that name, or KeyError."""
        return self._places[name]

    def get(self, name: str) -> Place | None:
        return self._places.get(name)

    def above(self, channel: Channel) -> Place | None:
        """The place that a direction of a link leads up from; None for what is no link, such as a disk."""
        place = self._places.get(channel.name[:-1])  # as Place names its two
        return place if place is not None and channel in (place.up, place.down) else None

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def __len__(self) -> int:
        return len(self._places)

    def path(self, source: Place, target: Place) -> list[Channel]:
        """The directions of links that data crosses from one place to another."""
        up, down = [], []
        while source is not target:
            if source.depth >= target.depth:
                up.append(source.up)
                source = source.parent  # type: ignore[assignment]  # the root is above all others
            else:
                down.append(target.down)
                target = target.parent  # type: ignore[assignment]
        up.extend(reversed(down))
        return up

    def latency(self, source: Place, target: Place) -> float:
        """Seconds that a message is on its way from one place to another, on an idle network."""
        return sum(place.latency for place in self._between(source, target))

    def reachable(self, source: Place, target: Place) -> bool:
        """Whether no link between the two is cut."""
        return all(place.cuts == 0 for place in self._between(source, target))

    def _between(self, source: Place, target: Place) -> Iterator[Place]:
        """The places whose upward links are on the way."""
        while source is not target:
            if source.depth >= target.depth:
                yield source
                source = source.parent  # type: ignore[assignment]
            else:
                yield target
                target = target.parent  # type: ignore[assignment]

    def below(self, place: Place) -> Iterator[Place]:
        """The place and all that hangs from it."""
        waiting = [place]
        while waiting:
            here = waiting.pop()
            yield here
            waiting.extend(reversed(here.children))

    def cut(self, place: Place) -> None:
        """Cut the link up from a place: nothing passes until `mend` is called as often as this."""
        if place.parent is None:
            raise ValueError(f"{place.name} has no link up")
        place.cuts += 1
        if place.cuts == 1:
            self.cut_places[place] = None
            self._flows.set_capacity(place.up, 0.0)
            self._flows.set_capacity(place.down, 0.0)

    def mend(self, place: Place) -> None:
        """Undo one `cut`. Raises ValueError if the link is whole."""
        if place.cuts == 0:
            raise ValueError(f"the link of {place.name} is not cut")
        place.cuts -= 1
        if place.cuts == 0:
            del self.cut_places[place]
            self._flows.set_capacity(place.up, place.bandwidth)
            self._flows.set_capacity(place.down, place.bandwidth)

    def graph(self) -> nx.Graph[str]:
        """The network as it is now: nodes with a `kind`, edges with `bandwidth`, `latency` and `cut`."""
        graph: nx.Graph[str] = nx.Graph()
        for place in self:
            graph.add_node(place.name, kind=place.kind)
            if place.parent is not None:
                facts: dict[str, Any] = {
                    "bandwidth": place.bandwidth,
                    "latency": place.latency,
                    "cut": place.cuts > 0,
                }
                graph.add_edge(place.parent.name, place.name, **facts)
        return graph
