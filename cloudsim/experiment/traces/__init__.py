"""Where requests come from: a small file for each format, chosen by its name in a scenario.

A trace is a Struct with the options of its format; `requests(folder, randomness)` streams what it holds.
"""

from typing import get_args

from cloudsim.experiment.traces.alibaba import AlibabaContainersTrace, AlibabaTasksTrace
from cloudsim.experiment.traces.azure import AzureTrace
from cloudsim.experiment.traces.azure_packing import AzurePackingTrace
from cloudsim.experiment.traces.bitbrains import BitbrainsTrace
from cloudsim.experiment.traces.bitbrains_csv import BitbrainsCsvTrace
from cloudsim.experiment.traces.generated import BatchTrace, BurstyTrace, PoissonTrace
from cloudsim.experiment.traces.google import GoogleTrace
from cloudsim.experiment.traces.huawei_east import HuaweiEastTrace
from cloudsim.experiment.traces.huawei_topology import HuaweiTopologyTrace
from cloudsim.experiment.traces.inline import InlineTrace
from cloudsim.experiment.traces.openb import OpenbTrace
from cloudsim.experiment.traces.planetlab import PlanetLabTrace
from cloudsim.experiment.traces.source import Trace
from cloudsim.experiment.traces.surf import SurfTrace
from cloudsim.experiment.traces.swf import SwfTrace
from cloudsim.experiment.traces.table import TableTrace
from cloudsim.experiment.traces.w1 import W1Trace
from cloudsim.experiment.traces.w2 import W2Trace

Workload = (
    SurfTrace
    | OpenbTrace
    | BitbrainsTrace
    | BitbrainsCsvTrace
    | AzureTrace
    | AzurePackingTrace
    | HuaweiEastTrace
    | HuaweiTopologyTrace
    | AlibabaContainersTrace
    | AlibabaTasksTrace
    | GoogleTrace
    | PlanetLabTrace
    | SwfTrace
    | TableTrace
    | PoissonTrace
    | BurstyTrace
    | BatchTrace
    | W1Trace
    | W2Trace
    | InlineTrace
)
"""Every format: `format: surf`, and so on."""

FORMATS: dict[str, type[Trace]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Workload)}
"""The formats by name."""

__all__ = ["FORMATS", "Trace", "Workload"]
