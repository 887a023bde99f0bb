"""openb: pods as requests, nodes as hosts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.experiment.errors import TraceError
from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces.openb import OpenbTrace, host_groups
from tests.cloudsim.experiment.traces.reading import read

PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"


class TestOpenb:
    def pods(self, folder: Path, *rows: str) -> OpenbTrace:
        (folder / "pods.csv").write_text("\n".join((PODS, *rows)) + "\n")
        return OpenbTrace(path="pods.csv")

    def test_units(self, tmp_path: Path) -> None:
        trace = self.pods(
            tmp_path,
            "a,3500,1024,1,460,V100M16|T4,LS,Running,5,65,6",
            "b,32000,2048,0,0,,BE,Pending,7,,",
            "c,1,0,8,1000,,BE,Running,9,9,9",
        )
        a, b, c = read(trace, tmp_path)
        assert a == VmRequest("a", 0, 60_000, 4, 875, 1024, 1, 460, ("V100M16", "T4"))
        assert b == VmRequest("b", 2000, None, 32, 1000, 2048)
        assert c == VmRequest("c", 4000, 1, 1, 1, 32, 8, 1000)

    @given(st.integers(1, 200_000))
    def test_a_reservation_is_never_smaller_and_hardly_larger(self, milli: int) -> None:
        cpus = -(-milli // 1000)
        mhz = -(-milli // cpus)
        assert milli <= cpus * mhz < milli + cpus
        assert mhz <= 1000

    @pytest.mark.parametrize(
        ("row", "text"),
        [
            ("a,x,1,0,0,,LS,R,5,6,5", r"pods.csv:2: cpu_milli: expected a whole number, got 'x'"),
            ("a,1,1,1,2000,,LS,R,5,6,5", r":2: gpu_milli: expected at most 1000"),
            ("a,1,1,0,0,,LS,R,5,4,5", r":2: deletion_time: expected at least the creation_time 5"),
            ("a,1,1,0", r":2: expected 11 columns, got 4"),
            (",1,1,0,0,,LS,R,5,6,5", r":2: name: expected a name"),
        ],
    )
    def test_malformed_rows(self, tmp_path: Path, row: str, text: str) -> None:
        with pytest.raises(TraceError, match=text):
            read(self.pods(tmp_path, row), tmp_path)

    def test_rows_may_be_in_any_order(self, tmp_path: Path) -> None:
        trace = self.pods(tmp_path, "a,1,1,0,0,,LS,R,5,6,5", "b,1,1,0,0,,LS,R,4,6,5", "c,1,1,0,0,,LS,R,4,6,5")
        assert [(r.id, r.arrival_ms) for r in read(trace, tmp_path)] == [("b", 0), ("c", 0), ("a", 1000)]

    def test_nodes(self, tmp_path: Path) -> None:
        path = tmp_path / "nodes.csv"
        path.write_text(
            "sn,cpu_milli,memory_mib,gpu,model\nn0,32000,1024,0,\nn1,32000,1024,0,\nn2,96000,2048,8,G2\n"
        )
        assert host_groups(path) == [
            {"count": 2, "cores": 32, "mhz": 1000, "memory_mib": 1024},
            {"count": 1, "cores": 96, "mhz": 1000, "memory_mib": 2048, "gpus": 8, "gpu_model": "G2"},
        ]
        path.write_text("sn,cpu_milli,memory_mib,gpu,model\nn0,32000,1024,2,\n")
        with pytest.raises(TraceError, match=r"nodes.csv:2: model: expected a name"):
            host_groups(path)
