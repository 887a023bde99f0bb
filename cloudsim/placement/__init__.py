"""Which host an instance goes to: capacity as arrays over hosts, a planner, and small policies."""

from cloudsim.placement.arrays import HostArrays
from cloudsim.placement.candidates import Candidates, Capacities
from cloudsim.placement.capacity import HostCapacity
from cloudsim.placement.naming import policy
from cloudsim.placement.planner import NoPlace, Planner
from cloudsim.placement.policy import OrderedPolicy, Policy, ScoringPolicy
from cloudsim.placement.request import PlacementRequest
from cloudsim.placement.rules import RuleChain

__all__ = [
    "Candidates",
    "Capacities",
    "HostArrays",
    "HostCapacity",
    "NoPlace",
    "OrderedPolicy",
    "PlacementRequest",
    "Planner",
    "Policy",
    "RuleChain",
    "ScoringPolicy",
    "policy",
]
