"""A bench of VPCs for each test."""

from __future__ import annotations

import pytest

from tests.cloudsim.management.vpc.vpc_bench import VpcBench


@pytest.fixture
def bench() -> VpcBench:
    return VpcBench()
