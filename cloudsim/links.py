"""What a world can tell of the links of its datacenter's network: a tree, with a link up from every place in it.

A world that knows them has them as `links`; on real hosts nobody does, and the attribute is absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable


class LinkState(NamedTuple):
    """The link up from a place at this instant.

    `bandwidth` in bytes per second each way; `up` (away from the place) and `down` are what passes, as shares of it
    from 0 to 1. Nothing passes a link that is `cut`.
    """

    place: str
    bandwidth: float
    up: float
    down: float
    cut: bool


class Links(Protocol):
    """The links by the names of the places below them."""

    def way_up(self, guid: str) -> tuple[str, ...]:
        """The places from the host of that guid to its zone: host, rack, pod, zone. Empty for an unknown one."""

    def of_pool(self, pool_id: str) -> str | None:
        """The place of a primary pool that some host has mounted."""

    def of_store(self, url: str) -> str | None:
        """The place of the secondary storage at that URL."""

    def bandwidth(self, place: str) -> float:
        """Bytes per second each way of the link up from a place. KeyError for an unknown one."""

    def busy(self) -> Iterator[LinkState]:
        """The links on which something moves, and those that are cut: all others are whole and idle."""


@runtime_checkable
class KnowsLinks(Protocol):
    """A world whose network is known."""

    @property
    def links(self) -> Links:
        """Its links."""
