"""Which instances to migrate so that hosts are neither overloaded nor idle: detection, selection, placement, power.

All of it is pure: numbers in, decisions out. A study of them is `cloudsim.experiment.consolidation`.
"""

from cloudsim.consolidation.detection import Detection
from cloudsim.consolidation.naming import policy
from cloudsim.consolidation.placement import Placement
from cloudsim.consolidation.policy import BASELINES, Baseline, Consolidation
from cloudsim.consolidation.power import PowerModel
from cloudsim.consolidation.selection import Selection
from cloudsim.consolidation.underload import Underload

__all__ = [
    "BASELINES",
    "Baseline",
    "Consolidation",
    "Detection",
    "Placement",
    "PowerModel",
    "Selection",
    "Underload",
    "policy",
]
