"""A placement policy of one's own: the host on which the least is left. See docs/policies.md."""

from cloudsim.placement import ScoringPolicy


class Tightest(ScoringPolicy):
    of_capacity = True
    memory_weight: float = 1.0

    def score(self, request, hosts):
        cpu, memory = hosts.left(request)
        return -(cpu + self.memory_weight * memory)
