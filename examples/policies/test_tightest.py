"""How to test a policy of one's own: `cd examples/policies && python -m pytest`."""

import numpy as np
from tightest import Tightest

from cloudsim.placement import HostArrays, PlacementRequest
from cloudsim.randomness import Randomness


def two_hosts(used_cpu, used_memory):
    """Two hosts of 64 cores of 1 GHz and 256 GiB; on the second that many MHz and MiB are in use."""
    hosts = HostArrays()
    for name in ("one", "two"):
        slot = hosts.add(name, "zone", "pod", "cluster")
        hosts.resize(slot, cpus=64, speed=1000, cpu=64_000, memory=262_144, enabled=True)
    hosts.reserve(1, +1, used_cpu, used_memory, "somebody")
    return hosts


def choice(hosts, **options):
    both = np.ones(2, bool)
    return Tightest(Randomness(1), options).choose(PlacementRequest(cpu=2000, memory=8192), hosts, both)


def test_the_fuller_host_is_taken():
    assert choice(two_hosts(used_cpu=8000, used_memory=16_384)) == 1


def test_of_equal_hosts_the_first_is_taken():
    assert choice(two_hosts(used_cpu=0, used_memory=0)) == 0


def test_with_a_weight_memory_counts_more():
    hosts = two_hosts(used_cpu=0, used_memory=32_768)
    hosts.reserve(0, +1, 16_000, 0, "somebody")
    assert (choice(hosts), choice(hosts, memory_weight=4)) == (0, 1)
