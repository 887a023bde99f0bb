"""Formats that need few words: what the readers make of small files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces import FORMATS
from cloudsim.experiment.traces.azure import AzureTrace
from cloudsim.experiment.traces.bitbrains import BitbrainsTrace
from cloudsim.experiment.traces.huawei_east import HuaweiEastTrace
from tests.cloudsim.experiment.traces.reading import read


class TestOtherFormats:
    def test_bitbrains(self, tmp_path: Path) -> None:
        start = dt.datetime(2013, 8, 12, 13, 35, 46, tzinfo=dt.UTC)
        table = pa.table(
            {
                "id": ["141"],
                "start_time": pa.array([start], pa.timestamp("ms", tz="UTC")),
                "stop_time": pa.array([start + dt.timedelta(seconds=90)], pa.timestamp("ms", tz="UTC")),
                "cpu_count": [2],
                "cpu_capacity": [5851.998636],
                "mem_capacity": [8_388_608],
            }
        )
        pq.write_table(table, tmp_path / "meta.parquet")
        assert read(BitbrainsTrace(path="meta.parquet"), tmp_path) == [
            VmRequest("141", 0, 90_000, 2, 2926, 8192)
        ]

    def test_azure(self, tmp_path: Path) -> None:
        (tmp_path / "vmtable.csv").write_text(
            "v1,s,d,600,900,9,1,5,Unknown,2,3.5\nv2,s,d,0,2591700,9,1,5,Interactive,>24,>64\n"
        )
        v2, v1 = read(AzureTrace(path="vmtable.csv", end=2_591_700), tmp_path)
        assert v2 == VmRequest("v2", 0, None, 30, 1000, 70 * 1024)
        assert v1 == VmRequest("v1", 600_000, 300_000, 2, 1000, 3584)

    def test_huawei_east(self, tmp_path: Path) -> None:
        path = tmp_path / "h.csv"
        path.write_text("vmid,cpu,memory,time,type\n1,2,4,10,0\n2,1,1,12,0\n1,2,4,15,1\n")
        trace = HuaweiEastTrace(path="h.csv")
        assert read(trace, tmp_path) == [
            VmRequest("1", 0, 5000, 2, 1000, 4096),
            VmRequest("2", 2000, None, 1, 1000, 1024),
        ]
        path.write_text("vmid,cpu,memory,time,type\n1,2,4,10,1\n")
        with pytest.raises(TraceError, match=r"h.csv:2: vmid: expected a VM that exists, got '1'"):
            read(trace, tmp_path)

    def test_every_format_has_a_name(self) -> None:
        assert set(FORMATS) == {
            "azure-vmtable",
            "bitbrains",
            "huawei-east-1",
            "inline",
            "openb",
            "planetlab",
            "poisson",
            "surf",
            "table",
            "w1",
            "w2",
        }
