"""W1, the placement benchmark."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cloudsim.experiment.traces.w1 import W1Trace, blocks, warm_requests
from cloudsim.randomness import Randomness
from tests.cloudsim.experiment.traces.reading import rows


class TestW1:
    def test_it_is_the_published_workload(self) -> None:
        digest = hashlib.md5(b"id,arrival_ms,lifetime_ms,vcpu,mem_gib\n")
        count = 0
        for r in W1Trace(hosts=1000, requests_after_warm_start=10_000).read(Path(), Randomness(1)):
            row = f"{r.id},{r.arrival_ms},{r.lifetime_ms},{r.cpus},{r.memory_mib // 1024}\n"
            digest.update(row.encode())
            count += 1
        assert count == 25_515
        assert digest.hexdigest() == "14a4db84e73ac93f0c8ade9b20e7a14f"

    def test_blocks_do_not_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = list(blocks(10, 500))
        monkeypatch.setattr("cloudsim.experiment.traces.w1._BLOCK", 64)
        parts = list(blocks(10, 500))
        assert len(whole) == 1
        assert len(parts) > 1
        assert list(rows(whole)) == list(rows(parts))

    def test_the_warm_start(self) -> None:
        assert warm_requests(1000) == 15_515
