import itertools

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.simulated.datacenter import Edge
from backends.simulated.flows import Flows
from backends.simulated.loop import SimLoop
from backends.simulated.topology import Place, Topology


def tree() -> Topology:
    topology = Topology(Flows(SimLoop()))
    for z in range(2):
        zone = topology.add(f"z{z}", "zone", topology.root, Edge(gbps=100, latency_us=500))
        topology.add(f"z{z}/store", "secondary", zone, Edge(gbps=40, latency_us=1))
        for r in range(2):
            rack = topology.add(f"z{z}/r{r}", "rack", zone, Edge(gbps=40, latency_us=5))
            for h in range(2):
                topology.add(f"z{z}/r{r}/h{h}", "host", rack, Edge(gbps=10, latency_us=10))
    return topology


PLACES = [place.name for place in tree()]


@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_ways_are_the_shortest_ones_of_the_graph(a: str, b: str) -> None:
    topology = tree()
    source, target = topology[a], topology[b]
    graph = topology.graph()
    assert topology.latency(source, target) == pytest.approx(nx.shortest_path_length(graph, a, b, "latency"))
    names = nx.shortest_path(graph, a, b)
    expected = []
    for here, there in itertools.pairwise(names):
        up = topology[here].parent is topology[there]
        expected.append(topology[here].up if up else topology[there].down)
    assert topology.path(source, target) == expected


def test_a_cut_is_seen_by_the_ways_across_it_and_nested_cuts_count() -> None:
    topology = tree()
    rack, host, other = topology["z0/r0"], topology["z0/r0/h0"], topology["z0/r1/h0"]
    topology.cut(rack)
    topology.cut(rack)
    assert not topology.reachable(host, other)
    assert topology.reachable(host, topology["z0/r0/h1"])
    assert rack.up.capacity == rack.down.capacity == 0
    assert topology.graph().edges["z0", "z0/r0"]["cut"]
    topology.mend(rack)
    assert not topology.reachable(host, other)
    topology.mend(rack)
    assert topology.reachable(host, other) and rack.up.capacity == rack.bandwidth
    with pytest.raises(ValueError, match="is not cut"):
        topology.mend(rack)


def test_names_are_taken_once_and_the_root_has_no_link() -> None:
    topology = tree()
    with pytest.raises(ValueError, match="has a zone z0 already"):
        topology.add("z0", "rack", topology.root, Edge(gbps=1))
    with pytest.raises(ValueError, match="no link up"):
        topology.cut(topology.root)


def test_below_is_a_place_and_all_under_it() -> None:
    def names(place: Place) -> list[str]:
        return [p.name for p in tree_.below(place)]

    tree_ = tree()
    assert names(tree_["z0/r1"]) == ["z0/r1", "z0/r1/h0", "z0/r1/h1"]
    assert len(names(tree_.root)) == len(tree_)
