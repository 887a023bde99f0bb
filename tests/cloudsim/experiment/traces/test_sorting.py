"""Sorting more requests than are held in memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudsim.experiment.requests import VmRequest
from cloudsim.experiment.traces import sorting


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 12))
def test_requests_come_in_the_order_of_arrival_and_ties_in_their_own(times: list[int], run: int) -> None:
    requests = [
        VmRequest(str(i), time, None if i % 2 else i + 1, 1, 1, 1, tags=("a",), tenant=f"t{i}")
        for i, time in enumerate(times)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "RUN", run)
        assert list(sorting.by_arrival(iter(requests))) == sorted(requests, key=lambda r: r.arrival_ms)
