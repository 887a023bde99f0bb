"""Azure's traces: the table of VMs of 2017 and 2019, and the packing trace of 2020."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.azure import AzureTrace
from cloudsim.experiment.traces.azure_packing import AzurePackingTrace
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read

LINES = (
    "v1,s,d,600,900,9,1,5,Unknown,2,3.5\n"
    "v2,t,d,0,2591700,9,1,5,Interactive,>24,>64\n"
    "v3,s,e,600,600,9,1,5,Unknown,1,0.75\n"
)


class TestVmTable:
    def test_units_buckets_and_order(self, tmp_path: Path) -> None:
        (tmp_path / "vmtable.csv").write_text(LINES)
        trace = AzureTrace(path="vmtable.csv", end=2_591_700)
        assert assert_columns_are_the_rows(trace, tmp_path) == [
            VmRequest("v2", 0, None, 30, 1000, 70 * 1024, tenant="t"),
            VmRequest("v1", 600_000, 300_000, 2, 1000, 3584, tenant="s"),
            VmRequest("v3", 600_000, 1, 1, 1000, 768, tenant="s"),
        ]

    def test_it_is_read_as_it_comes_compressed(self, tmp_path: Path) -> None:
        with gzip.open(tmp_path / "vmtable.csv.gz", "wt") as file:
            file.write(LINES)
        assert len(read(AzureTrace(path="vmtable.csv.gz"), tmp_path)) == 3

    @pytest.mark.parametrize(
        ("line", "text"),
        [
            ("v,s,d,9,8,1,1,1,x,2,4", r"vmtable.csv:1: vmdeleted: expected at least vmcreated 9, got 8"),
            ("v,s,d,0,8,1,1,1,x,many,4", r"vmtable.csv:1: vmcorecount: expected a number"),
            ("v,s,d,0,8,1,1,1,x,2,0", r"vmtable.csv:1: vmmemory: expected more than 0"),
            ("v,s,d,0,8,1,1,1,x,2", r"vmtable.csv:1: expected 11 columns, got 10"),
        ],
    )
    def test_malformed_lines(self, tmp_path: Path, line: str, text: str) -> None:
        (tmp_path / "vmtable.csv").write_text(line)
        with pytest.raises(TraceError, match=text):
            read(AzureTrace(path="vmtable.csv"), tmp_path)


TYPES: list[tuple[Any, ...]] = [
    # id, vmTypeId, machineId, core, memory, hdd, ssd, nic
    (0, 10, 1, 0.0625, 0.03125, None, 0.1, 0.1),
    (1, 10, 2, 0.125, 0.5, None, 0.1, 0.1),
    (2, 11, 1, 0.01, 1.0, None, 0.1, 0.1),
    (3, 12, 2, 1.0, 1.0, None, 0.1, 0.1),
    (4, 13, 1, 1.0, 0.0, None, 0.1, 0.1),
]
VMS: list[tuple[Any, ...]] = [
    # vmId, tenantId, vmTypeId, priority, starttime, endtime
    (0, 7, 10, 0, -7157.5, 0.5),
    (1, 7, 11, 1, -1.0, None),
    (2, 8, 12, 0, 0.1, 0.2),
    (3, 8, 10, 0, 1.0, 1.0),
    (4, 9, 13, 0, 0.25, 2.5),
    (5, 9, 10, 0, -3.0, -2.0),
]


def packing(path: Path, types: list[tuple[Any, ...]], vms: list[tuple[Any, ...]]) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE vmType (id, vmTypeId, machineId, core, memory, hdd, ssd, nic)")
    database.execute("CREATE TABLE vm (vmId, tenantId, vmTypeId, priority, starttime, endtime)")
    database.executemany("INSERT INTO vmType VALUES (?, ?, ?, ?, ?, ?, ?, ?)", types)
    database.executemany("INSERT INTO vm VALUES (?, ?, ?, ?, ?, ?)", vms)
    database.commit()
    database.close()


class TestPacking:
    def trace(self, folder: Path, **options: Any) -> AzurePackingTrace:
        if not (folder / "p.sqlite").exists():
            packing(folder / "p.sqlite", TYPES, VMS)
        return AzurePackingTrace(path="p.sqlite", **{"cores": 64, "memory_mib": 65_536, "cpu_mhz": 2000} | options)

    def test_fractions_are_of_the_machine_that_most_types_fit(self, tmp_path: Path) -> None:
        trace = self.trace(tmp_path)
        assert assert_columns_are_the_rows(trace, tmp_path) == [
            VmRequest("0", 0, 43_200_000, 4, 2000, 2048, tenant="7"),  # began long ago, lives for half a day more
            VmRequest("1", 0, None, 1, 1280, 65_536, tenant="7"),  # 0.64 of a core of 2000 MHz
            VmRequest("4", 21_600_000, 194_400_000, 64, 2000, 32, tenant="9"),
            VmRequest("3", 86_400_000, 1, 4, 2000, 2048, tenant="8"),
        ]

    def test_another_machine_priority_and_beginning(self, tmp_path: Path) -> None:
        found = read(self.trace(tmp_path, machine=2), tmp_path)
        assert [(r.id, r.cpus, r.memory_mib) for r in found] == [("0", 8, 32_768), ("2", 64, 65_536), ("3", 8, 32_768)]
        assert [r.id for r in read(self.trace(tmp_path, priority="low"), tmp_path)] == ["1"]

    def test_a_later_beginning_leaves_out_what_ended(self, tmp_path: Path) -> None:
        found = read(self.trace(tmp_path, begin=0.75, priority="high"), tmp_path)
        assert [(r.id, r.lifetime_ms) for r in found] == [("4", 151_200_000), ("3", 1)]

    def test_no_such_machine(self, tmp_path: Path) -> None:
        with pytest.raises(TraceError, match=r"p.sqlite: option machine: expected one of 1, 2, got 3"):
            read(self.trace(tmp_path, machine=3), tmp_path)

    def test_wrong_values(self, tmp_path: Path) -> None:
        packing(tmp_path / "a.sqlite", [(5, 1, 1, 1.5, 1.0, 0, 0, 0)], [])
        with pytest.raises(TraceError, match=r"vmType: row 5: core: expected a fraction from 0 to 1, got 1.5"):
            read(AzurePackingTrace(path="a.sqlite", cores=1, memory_mib=32), tmp_path)
        packing(tmp_path / "b.sqlite", TYPES, [(3, 1, 10, 0, 5.0, 4.0)])
        with pytest.raises(TraceError, match=r"vm: vmId 3: endtime: expected at least the starttime 5.0, got 4.0"):
            read(AzurePackingTrace(path="b.sqlite", cores=1, memory_mib=32), tmp_path)
        packing(tmp_path / "c.sqlite", TYPES, [(3, 1, 10, 0, "soon", 4.0)])
        with pytest.raises(TraceError, match=r"vm: vmId 3: starttime: expected a number of days, got 'soon'"):
            read(AzurePackingTrace(path="c.sqlite", cores=1, memory_mib=32), tmp_path)

    def test_another_file(self, tmp_path: Path) -> None:
        (tmp_path / "d.sqlite").write_text("vm")
        with pytest.raises(TraceError, match=r"d.sqlite: not the SQLite file of a packing trace"):
            read(AzurePackingTrace(path="d.sqlite", cores=1, memory_mib=32), tmp_path)
