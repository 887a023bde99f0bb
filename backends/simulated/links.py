"""The links of a simulated datacenter, as a management server may ask for them (`cloudsim.links`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backends.simulated.flows import Channel
from backends.simulated.site import Site
from backends.simulated.topology import Place
from cloudsim.links import LinkState


class SimulatedLinks:
    """Implements `cloudsim.links.Links`. `place_of` finds the place of the host of a guid."""

    def __init__(self, site: Site, place_of: Callable[[str], Place | None]) -> None:
        self._site = site
        self._place_of = place_of

    def way_up(self, guid: str) -> tuple[str, ...]:
        place = self._place_of(guid)
        names = []
        while place is not None and place.parent is not None:  # the root is no zone's
            names.append(place.name)
            place = place.parent
        return tuple(names)

    def of_pool(self, pool_id: str) -> str | None:
        pool = self._site.pool_ids.get(pool_id)
        return None if pool is None else pool.place.name

    def of_store(self, url: str) -> str | None:
        store = self._site.stores.get(url)
        return None if store is None else store.place.name

    def bandwidth(self, place: str) -> float:
        return self._site.topology[place].bandwidth

    def busy(self) -> Iterator[LinkState]:
        topology = self._site.topology
        places = dict.fromkeys(topology.cut_places)
        for flow in self._site.flows.active:
            for channel in flow.path:
                place = topology.above(channel)
                if place is not None:
                    places[place] = None
        for place in places:
            yield LinkState(place.name, place.bandwidth, _share(place.up), _share(place.down), place.cuts > 0)


def _share(channel: Channel) -> float:
    """What passes of what could; a world without transfer times moves everything at once."""
    return min(1.0, channel.load / channel.capacity) if channel.capacity > 0 else 0.0
