"""Huawei's placement sequences and hosts: cells of any kind, groups, NUMA nodes, racks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.huawei_hosts import NumaNode, PlacedHost, read_hosts
from cloudsim.experiment.traces.huawei_topology import HuaweiTopologyTrace
from tests.cloudsim.experiment.traces.reading import assert_columns_are_the_rows, read

HEADER = ("flavor_vcpus", "flavor_ram", "numa", "strategy", "group", "domain")
SHIPPED = Path("examples/traces/huawei-topology")


def sheet(path: Path, *rows: tuple[Any, ...]) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(path)


class TestSequences:
    def test_numbers_may_be_text_and_groups_are_called_by_their_strategy(self, tmp_path: Path) -> None:
        sheet(
            tmp_path / "c.xlsx",
            HEADER,
            (32, 64, 2, "anti-affinity", 0, None),
            ("8", "16", "1", "affinity", "0", None),
            (2.0, 4, 1, "fault_domain", 7, 2),
            (),
            (1, 1, 1),
        )
        assert assert_columns_are_the_rows(HuaweiTopologyTrace(path="c.xlsx"), tmp_path) == [
            VmRequest("2", 0, None, 32, 1000, 65_536, anti_affinity=("anti-affinity-0",), numa_nodes=2),
            VmRequest("3", 1000, None, 8, 1000, 16_384, affinity=("affinity-0",)),
            VmRequest("4", 2000, None, 2, 1000, 4096),
            VmRequest("6", 3000, None, 1, 1000, 1024),
        ]

    def test_a_kind_of_group_can_be_left_out(self, tmp_path: Path) -> None:
        sheet(tmp_path / "c.xlsx", HEADER, (1, 1, 1, "affinity", 0), (1, 1, 1, "anti-affinity", 0))
        near, far = read(HuaweiTopologyTrace(path="c.xlsx", groups=("anti-affinity",), every_ms=7), tmp_path)
        assert (near.affinity, far.anti_affinity, far.arrival_ms) == ((), ("anti-affinity-0",), 7)

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ((1, 1, 1, "near", 0, None), r"c.xlsx:2: strategy: expected one of affinity, .* got 'near'"),
            ((1, 1, 1, "affinity", None, None), r"c.xlsx:2: group: expected a whole number, got ''"),
            ((0, 1, 1, None, None, None), r"c.xlsx:2: flavor_vcpus: expected at least 1, got '0'"),
            ((1, 1.5, 1, None, None, None), r"c.xlsx:2: flavor_ram: expected a whole number, got '1.5'"),
        ],
    )
    def test_malformed_rows(self, tmp_path: Path, row: tuple[Any, ...], text: str) -> None:
        sheet(tmp_path / "c.xlsx", HEADER, row)
        with pytest.raises(TraceError, match=text):
            read(HuaweiTopologyTrace(path="c.xlsx"), tmp_path)

    def test_other_files(self, tmp_path: Path) -> None:
        sheet(tmp_path / "c.xlsx", ("numa",))
        with pytest.raises(TraceError, match=r"c.xlsx:1: .*missing: flavor_vcpus, flavor_ram, strategy"):
            read(HuaweiTopologyTrace(path="c.xlsx"), tmp_path)
        for name in ("c.xlsx", "c.xls"):
            (tmp_path / name).write_text("numa")
            with pytest.raises(TraceError, match=f"{name}: not an"):
                read(HuaweiTopologyTrace(path=name), tmp_path)

    @pytest.mark.parametrize(
        ("name", "cores", "spread", "two_nodes"),
        [("C1", 64_616, 532, 1308), ("C2", 62_520, 758, 1083), ("C3", 68_756, 667, 1409), ("C4", 66_622, 790, 1222)],
    )
    def test_the_shipped_sequences(self, name: str, cores: int, spread: int, two_nodes: int) -> None:
        requests = read(HuaweiTopologyTrace(path=f"VM_data_{name}.xlsx"), SHIPPED)
        assert len(requests) == 4998
        assert sum(r.cpus for r in requests) == cores
        assert sum(bool(r.anti_affinity) for r in requests) == spread
        assert Counter(r.numa_nodes for r in requests)[2] == two_nodes


class TestHosts:
    def test_the_shipped_hosts_are_in_racks(self) -> None:
        hosts = read_hosts(SHIPPED / "PM_res.xlsx", SHIPPED / "topology_provider.xls")
        assert len(hosts) == 1710
        assert hosts[0] == PlacedHost("host-0", (NumaNode(16, 32_768), NumaNode(32, 65_536)), "0")
        assert (hosts[0].cores, hosts[0].memory_mib) == (48, 98_304)
        assert max(host.cores for host in hosts) == 170
        assert len({host.rack for host in hosts}) == 100

    def test_names_without_a_topology(self) -> None:
        hosts = read_hosts(SHIPPED / "PM_res.xlsx")
        assert (hosts[-1].name, hosts[-1].rack) == ("host-1709", "")

    def test_more_hosts_than_the_topology_has(self, tmp_path: Path) -> None:
        sheet(tmp_path / "hosts.xlsx", ("CPU1", "RAM1", "CPU2", "RAM2"), (1, 2, 3, 4), (1, 2, 3, 4))
        sheet(tmp_path / "racks.xlsx", ("host_id", "rack_id"), ("h", 5))
        with pytest.raises(TraceError, match=r"racks.xlsx: expected at least as many hosts .* got 1"):
            read_hosts(tmp_path / "hosts.xlsx", tmp_path / "racks.xlsx")
        sheet(tmp_path / "hosts.xlsx", ("CPU1", "RAM1", "CPU2", "RAM2"))
        with pytest.raises(TraceError, match="expected at least one host"):
            read_hosts(tmp_path / "hosts.xlsx")
