"""Public traces that cloudsim reads: where they come from, under which terms, and what there is to download."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cloudsim.experiment.traces.huawei_topology import HuaweiTopologyTrace
from cloudsim.experiment.traces.openb import OpenbTrace


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A file: the first of `urls` that answers. `size` in bytes and `sha256` where they are known.

    `unpack` is the pattern of the members that are wanted of an archive (.zip, .tar.gz), `keep` how many of the last
    parts of a member's path are kept.
    """

    urls: tuple[str, ...]
    name: str
    size: int | None = None
    sha256: str | None = None
    unpack: str = ""
    keep: int = 1


class KnownTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A public trace. `manual` says what to do by hand where there is nothing to download, or besides that."""

    title: str
    format: str
    page: str
    licence: str
    cite: str
    downloads: tuple[Download, ...] = ()
    manual: str = ""
    shipped: str = ""


_AZURE = "https://github.com/Azure/AzurePublicDataset"
_AZURE_BLOB = "https://azurepublicdatasettraces.blob.core.windows.net"
_ALIBABA = "https://github.com/alibaba/clusterdata"
_OPENB = "https://raw.githubusercontent.com/alibaba/clusterdata/master/cluster-trace-gpu-v2023/csv"
_HUAWEI = "https://raw.githubusercontent.com/mdl1104/Dataset-for-topology-aware-VM-placement/main"
_GWA = "http://gwa.ewi.tudelft.nl/fileadmin/pds/trace-archives/grid-workloads-archive/datasets/gwa-t-12"
_RESOURCE_CENTRAL = (
    "E. Cortez et al., Resource Central: Understanding and Predicting Workloads for Improved Resource Management in "
    "Large Cloud Platforms, SOSP 2017"
)


def _alibaba(table: str) -> Download:
    host = "clusterdata2018pub{}.aliyuncs.com"
    hosts = (host.format("cn.oss-cn-beijing"), host.format("us.oss-us-west-1"))
    return Download(
        urls=tuple(f"http://{each}/{table}.tar.gz" for each in hosts),
        name=f"{table}.tar.gz",
        unpack=f"*{table}.csv",
    )


def _vmtable(version: int) -> Download:
    container = "azurepublicdataset" if version == 1 else "azurepublicdatasetv2"
    return Download(
        urls=(
            f"{_AZURE}/releases/download/dataset-v{version}/trace_data_vmtable_vmtable.csv.gz",
            f"{_AZURE_BLOB}/{container}/trace_data/vmtable/vmtable.csv.gz",
        ),
        name="vmtable.csv.gz",
    )


def _copies(base: str, files: Sequence[tuple[str, int, str]]) -> tuple[Download, ...]:
    return tuple(
        Download(urls=(f"{base}/{name}",), name=name, size=size, sha256=digest) for name, size, digest in files
    )


KNOWN: dict[str, KnownTrace] = {
    "azure-2017": KnownTrace(
        title="Azure's VMs of 2017 (AzurePublicDataset V1): 2.0 million VMs, 30 days",
        format="azure-vmtable",
        page=f"{_AZURE}/blob/master/AzurePublicDatasetV1.md",
        licence="CC-BY 4.0",
        cite=_RESOURCE_CENTRAL,
        downloads=(_vmtable(1),),
    ),
    "azure-2019": KnownTrace(
        title="Azure's VMs of 2019 (AzurePublicDataset V2): 2.7 million VMs, 30 days, sizes in buckets",
        format="azure-vmtable",
        page=f"{_AZURE}/blob/master/AzurePublicDatasetV2.md",
        licence="CC-BY 4.0",
        cite=_RESOURCE_CENTRAL,
        downloads=(_vmtable(2),),
    ),
    "azure-packing-2020": KnownTrace(
        title="Azure's packing trace of 2020: 5.5 million VMs of a zone, sizes as fractions of machines",
        format="azure-packing",
        page=f"{_AZURE}/blob/master/AzureTracesForPacking2020.md",
        licence="CC-BY 4.0",
        cite="O. Hadary et al., Protean: VM Allocation Service at Scale, OSDI 2020",
        downloads=(
            Download(
                urls=(
                    f"{_AZURE}/releases/download/dataset-packing-2020/"
                    "azurevmallocation_dataset2020_AzurePackingTraceV1.zip",
                    f"{_AZURE_BLOB}/azurepublicdatasetv2/azurevmallocation_dataset2020/AzurePackingTraceV1.zip",
                ),
                name="AzurePackingTraceV1.zip",
                unpack="*.sqlite",
            ),
        ),
    ),
    "huawei-east-1": KnownTrace(
        title="Huawei Cloud, East China: 125,430 creations and 116,313 deletions of VMs in a month",
        format="huawei-east-1",
        page="https://github.com/mail-ecnu/VMAgent",
        licence="that of the repository that has it",
        cite="J. Sheng et al., VMAgent: Scheduling Simulator for Reinforcement Learning, arXiv 2112.04785, 2021",
        downloads=(
            Download(
                urls=("https://raw.githubusercontent.com/mail-ecnu/VMAgent/master/vmagent/data/dataset.csv",),
                name="dataset.csv",
            ),
        ),
    ),
    "huawei-topology": KnownTrace(
        title="Huawei Cloud's placement sequences with NUMA nodes and affinity: C1 to C4 of 4,998 requests; hosts",
        format="huawei-topology",
        page="https://github.com/mdl1104/Dataset-for-topology-aware-VM-placement",
        licence="CC0 1.0",
        cite="the repository asks to be cited",
        shipped="examples/traces/huawei-topology",
        downloads=_copies(
            _HUAWEI,
            (
                ("VM_data_C1.xlsx", 113_094, "6b82b70fdbc06e37ec1ae0cced217f76691762876e864a2b8436b44d0bb1a2e8"),
                ("VM_data_C2.xlsx", 110_486, "a448013c9230f75a99d79615dd21895e61af0ac80d87d6fb7ded0aea13c94af6"),
                ("VM_data_C3.xlsx", 112_551, "59ab466a3af7398473ed5efe52a41980ee77230041b081ff2adcbe41f533a11e"),
                ("VM_data_C4.xlsx", 112_354, "b080a0cac51c0ec19bbb94638caf847728dc3bd04eda6a5331cd553da0ad404e"),
                ("PM_res.xlsx", 45_052, "e1bc115d02e5b8d361f915642e2b6040b35046451e0a6b03c33950afb36a445f"),
                (
                    "topology_provider.xls",
                    1_125_888,
                    "ec93005fdc85a1a4d796a3e976677948eea851c7f1ce6dfb894333215a0ba094",
                ),
            ),
        ),
        manual=HuaweiTopologyTrace.source,
    ),
    "alibaba-2018": KnownTrace(
        title="Alibaba's cluster of 2018: 4,000 machines, 8 days, containers and batch tasks",
        format="alibaba-2018-containers, alibaba-2018-tasks",
        page=f"{_ALIBABA}/blob/master/cluster-trace-v2018/trace_2018.md",
        licence="free for research and study, see the page",
        cite="Alibaba Cluster Trace Program, cluster-trace-v2018",
        downloads=(_alibaba("container_meta"), _alibaba("batch_task"), _alibaba("machine_meta")),
    ),
    "openb": KnownTrace(
        title="Alibaba's GPU cluster of 2023 (openb): 8,152 pods on 1,523 nodes",
        format="openb",
        page=f"{_ALIBABA}/tree/master/cluster-trace-gpu-v2023",
        licence="Apache-2.0",
        cite="Q. Weng et al., Beware of Fragmentation, USENIX ATC 2023",
        shipped="examples/traces/openb",
        downloads=_copies(
            _OPENB,
            (
                (
                    "openb_pod_list_default.csv",
                    575_468,
                    "1ee7ed79c27a3b0861cda8ddba86a004c6aba904caafa329a76ae93ca63834a8",
                ),
                (
                    "openb_pod_list_cpu300.csv",
                    710_698,
                    "76528825f40ee662cb098b3b6e683c1efd9f87a0c8af7e628df1f32c639636d1",
                ),
                (
                    "openb_node_list_all_node.csv",
                    52_287,
                    "5a85c2af79c66a1efff8bbcbda430400aae56d8431370d738480967e1a9c6b15",
                ),
            ),
        ),
        manual=OpenbTrace.source,
    ),
    "google-2019": KnownTrace(
        title="Google's Borg cells of May 2019",
        format="google-2019",
        page="https://github.com/google/cluster-data/blob/master/ClusterData2019.md",
        licence="CC-BY 4.0",
        cite="M. Tirmazi et al., Borg: the Next Generation, EuroSys 2020",
        manual=(
            "Copy shards of a cell's instance_events from Google Cloud Storage into a folder: "
            "gsutil -m cp 'gs://clusterdata_2019_a/instance_events-*.json.gz' FOLDER (cells a to h; more than a "
            "thousand files each), or export a query from BigQuery as JSON lines or CSV."
        ),
    ),
    "surf-lisa": KnownTrace(
        title="SURF's Lisa cluster of 2022, as virtual machines by OpenDC: 194,917 jobs in half a year",
        format="surf",
        page="https://github.com/atlarge-research/opendc",
        licence="MIT, of the repository that has it; the source data has its own terms",
        cite="F. Mastenbroek et al., OpenDC 2.0, CCGRID 2021",
        manual="Take tasks.parquet of the SURF workload from the OpenDC repository.",
    ),
    "bitbrains": KnownTrace(
        title="Bitbrains' business-critical VMs (GWA-T-12): 1,250 VMs on fast storage and 500 others, 2013",
        format="bitbrains-csv; bitbrains for OpenDC's Parquet files",
        page="http://gwa.ewi.tudelft.nl/datasets/gwa-t-12-bitbrains",
        licence="free for research, see the page",
        cite="S. Shen, V. van Beek and A. Iosup, Statistical Characterization of Business-Critical Workloads, CCGrid 2015",
        downloads=(
            Download(urls=(f"{_GWA}/fastStorage.zip",), name="fastStorage.zip", unpack="*/2013-8/*.csv", keep=2),
        ),
    ),
    "planetlab": KnownTrace(
        title="PlanetLab's CPU utilisation (CoMon): ten days of March and April 2011, about 1,000 VMs each",
        format="planetlab",
        page="https://github.com/beloglazov/planetlab-workload-traces",
        licence="none stated",
        cite="A. Beloglazov and R. Buyya, Optimal online deterministic algorithms and adaptive heuristics ..., CCPE 2012",
        downloads=(
            Download(
                urls=("https://github.com/beloglazov/planetlab-workload-traces/archive/refs/heads/master.zip",),
                name="planetlab-workload-traces.zip",
                unpack="*/2011*/*",
                keep=2,
            ),
        ),
    ),
    "kit-fh2": KnownTrace(
        title="A log of the Parallel Workloads Archive: ForHLR II at KIT, from 2016 on",
        format="swf",
        page="https://www.cs.huji.ac.il/labs/parallel/workload/l_kit_fh2/index.html",
        licence="free for research; the page asks to be cited",
        cite="D. G. Feitelson, D. Tsafrir and D. Krakov, Experience with using the Parallel Workloads Archive, JPDC 2014",
        downloads=(
            Download(
                urls=("https://www.cs.huji.ac.il/labs/parallel/workload/l_kit_fh2/KIT-FH2-2016-1.swf.gz",),
                name="KIT-FH2-2016-1.swf.gz",
            ),
        ),
        manual="More logs are at https://www.cs.huji.ac.il/labs/parallel/workload/logs.html.",
    ),
}
"""The traces by the names that `cloudsim trace fetch` takes."""
