"""The fast way to try a policy: a trace replayed without a cloud around it. See `replay`."""

from cloudsim.experiment.replay.hosts import HostGroup, groups_of
from cloudsim.experiment.replay.replay import replay
from cloudsim.experiment.replay.result import ReplayResult, Totals

__all__ = ["HostGroup", "ReplayResult", "Totals", "groups_of", "replay"]
