"""Formats that need few words: what the readers make of small files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.bitbrains import BitbrainsTrace
from cloudsim.experiment.traces.bitbrains_csv import BitbrainsCsvTrace
from cloudsim.experiment.traces.huawei_east import HuaweiEastTrace
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read


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

    def folder_of_vms(self, path: Path) -> Path:
        path.mkdir()
        header = (
            "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t"
            "Memory capacity provisioned [KB];\tMemory usage [KB]"
        )
        for name, start, cores in (("10", 1_376_314_846, 4), ("9", 1_376_314_946, 2)):
            lines = [f"{start + 300 * i};\t{cores - i % 2};\t5851.99;\t10.0;\t1.5;\t{8_388_608 - i}.0;\t7" for i in range(3)]
            (path / f"{name}.csv").write_text("\r\n".join([header, *lines]) + "\r\n")
        return path

    def test_bitbrains_as_published(self, tmp_path: Path) -> None:
        self.folder_of_vms(tmp_path / "2013-8")
        assert assert_columns_are_the_rows(BitbrainsCsvTrace(path="2013-8"), tmp_path) == [
            VmRequest("10", 0, 900_000, 4, 1463, 8192),
            VmRequest("9", 100_000, 900_000, 2, 2926, 8192),
        ]

    def test_bitbrains_as_published_malformed(self, tmp_path: Path) -> None:
        path = self.folder_of_vms(tmp_path / "2013-8")
        text = (path / "9.csv").read_text()
        (path / "9.csv").write_text(text.replace("1376315246", "later"))
        with pytest.raises(TraceError, match=r"9.csv:3: Timestamp \[ms\]: expected a whole number, got 'later'"):
            read(BitbrainsCsvTrace(path="2013-8"), tmp_path)
        (path / "9.csv").write_text(text.splitlines()[0])
        with pytest.raises(TraceError, match=r"9.csv: expected at least one line"):
            read(BitbrainsCsvTrace(path="2013-8"), tmp_path)
        (tmp_path / "empty").mkdir()
        with pytest.raises(TraceError, match=r"empty: expected a folder with a .csv file for each VM"):
            read(BitbrainsCsvTrace(path="empty"), tmp_path)

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
