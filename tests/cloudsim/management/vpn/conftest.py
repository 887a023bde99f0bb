"""A bench of VPNs for each test."""

from __future__ import annotations

import pytest

from tests.cloudsim.management.vpn.vpn_bench import VpnBench


@pytest.fixture
def bench() -> VpnBench:
    return VpnBench()
