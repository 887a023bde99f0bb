"""How fast time goes in a served cloud, depending on what is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backends.simulated.loop import SimLoop
from cloudsim.model import ROW_TYPES, AsyncJob, TemplateOnStore
from cloudsim.store import Store
from server.pacing import BESIDE_THE_DISK, MAX, PAUSE, REAL, Pacing


class Jobs:
    def __init__(self, store: Store) -> None:
        self._table = store.table(AsyncJob)

    @property
    def outstanding(self) -> int:
        return self._table.count("status", 0)


@pytest.fixture
def loop() -> Iterator[SimLoop]:
    found = SimLoop(pace=REAL, external=True)
    yield found
    found.close()


def following(loop: SimLoop, rate: float) -> tuple[Pacing, Store]:
    store = Store(ROW_TYPES)
    jobs: Any = Jobs(store)
    pacing = Pacing(loop, rate)
    pacing.follow(store, jobs)
    return pacing, store


def test_setting_up_takes_no_time_but_the_disk_s(loop: SimLoop) -> None:
    pacing = Pacing(loop, REAL)
    pacing.hurry()
    assert loop.pace == MAX
    with pacing.disk():
        assert loop.pace == REAL
    with pacing.outside():
        assert loop.pace == REAL
    assert loop.pace == MAX


@pytest.mark.parametrize(("rate", "held"), [(MAX, REAL), (10.0, REAL), (REAL, REAL), (0.5, 0.5)])
def test_time_goes_no_faster_than_real_while_a_program_runs(loop: SimLoop, rate: float, held: float) -> None:
    pacing, _ = following(loop, rate)
    with pacing.work():
        with pacing.outside(), pacing.outside():
            assert loop.pace == held
            pacing.ask(PAUSE)
            assert loop.pace == PAUSE
            pacing.ask(rate)
            assert loop.pace == held
        assert loop.pace == rate


@pytest.mark.parametrize("rate", [REAL, 10.0, 0.5])
def test_a_rate_stays_whatever_is_to_be_done(loop: SimLoop, rate: float) -> None:
    pacing, _ = following(loop, rate)
    with pacing.work(), pacing.disk():
        assert loop.pace == rate
    assert loop.pace == rate


def test_as_fast_as_possible_while_a_request_or_a_job_or_a_download_is_at_work(loop: SimLoop) -> None:
    pacing, store = following(loop, MAX)
    assert loop.pace == REAL
    with pacing.work():
        assert loop.pace == MAX
        with pacing.disk():
            assert loop.pace == BESIDE_THE_DISK
        assert loop.pace == MAX
    assert loop.pace == REAL
    with pacing.disk():
        assert loop.pace == REAL
    jobs, copies = store.table(AsyncJob), store.table(TemplateOnStore)
    with store.transaction():
        jobs.insert(AsyncJob(id="j", command="x", account_id="a", user_id="u"))
    assert loop.pace == MAX
    with store.transaction():
        copies.insert(TemplateOnStore(id="t", template_id="t", store_id="s", zone_id="z", state="Creating"))
        jobs.update("j", status=1)
    assert loop.pace == MAX
    with store.transaction():
        copies.update("t", state="Ready")
    assert loop.pace == REAL
    with store.transaction():
        copies.update("t", state="Creating")
    assert loop.pace == MAX
    with store.transaction():
        copies.delete("t")
    assert loop.pace == REAL
