"""Which host an instance goes to: capacity as arrays over hosts, a planner, and small policies."""

from cloudsim.placement.capacity import HostCapacity
from cloudsim.placement.planner import NoPlace, Planner
from cloudsim.placement.policy import Policy, ScoringPolicy, policy
from cloudsim.placement.request import PlacementRequest

__all__ = ["HostCapacity", "NoPlace", "PlacementRequest", "Planner", "Policy", "ScoringPolicy", "policy"]
